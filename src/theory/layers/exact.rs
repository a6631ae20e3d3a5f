//! Cumulants of the covariance that are exact at every width: deep linear nets, and activations of degree 1 on a
//! ray.

use super::recursion::{Cumulants, Numbers};
use crate::model::Layer;

/// Weights and biases before a layer's units, and the units.
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    /// sigma_w^2 of the weights that add the units up.
    pub vw: f64,
    /// Units that are added up.
    pub units: f64,
}

impl Affine {
    pub fn new(layer: &Layer, units: u64) -> Self {
        Self {
            vw: layer.sigma_w.powi(2),
            units: units as f64,
        }
    }
}

/// One layer of units h = slope z + constant, whose pre-activations have the covariance C.
///
/// Then C' = sigma_b^2 + (sigma_w^2 / n) sum_j h_j h_j, given C, has cumulants that are polynomials in C of the same
/// degree, so that expectations close: those of a Wishart matrix and, with a constant, of its chains.
pub struct Linear<'a> {
    pub numbers: &'a Numbers,
    pub slope: f64,
    pub constant: f64,
    pub affine: Affine,
}

impl Linear<'_> {
    /// The cumulants behind the layer. `kernel` are the covariances before it, by the numbers of pairs: the
    /// mean is the kernel at every width.
    pub fn after(&self, kernel: &[f64], before: &Cumulants) -> Cumulants {
        let count = self.numbers.pairs.len();
        let units = self.affine.units;
        let (full, open) = self.weights();
        let mut after = Cumulants {
            mean: vec![0.0; count],
            second: vec![vec![0.0; count]; count],
            third: vec![0.0; before.third.len()],
        };
        let expected = |p: usize, q: usize| before.second[p][q] + kernel[p] * kernel[q];
        for a in 0..count {
            for b in 0..count {
                let crossed: f64 = (self.crossings(a, b).iter())
                    .map(|&[p, q]| expected(p, q))
                    .sum();
                let chains: f64 = self.chains(a, b).iter().map(|&p| kernel[p]).sum();
                after.second[a][b] = full.powi(2) * before.second[a][b]
                    + (full.powi(2) * crossed + full * open * chains) / units;
            }
        }
        if before.third.is_empty() {
            return after;
        }
        let u = |a: usize, b: usize, d: usize| before.third[(a * count + b) * count + d];
        let v = |a: usize, b: usize| before.second[a][b];
        // cov(given a and b, C_d) of what the layer's units add to the covariance of a and b.
        let with = |a: usize, b: usize, d: usize| -> f64 {
            let crossed: f64 = (self.crossings(a, b).iter())
                .map(|&[p, q]| u(p, q, d) + kernel[p] * v(q, d) + kernel[q] * v(p, d))
                .sum();
            let chains: f64 = self.chains(a, b).iter().map(|&p| v(p, d)).sum();
            full * (full.powi(2) * crossed + full * open * chains) / units
        };
        for a in 0..count {
            for b in 0..count {
                for d in 0..count {
                    after.third[(a * count + b) * count + d] = full.powi(3) * u(a, b, d)
                        + with(a, b, d)
                        + with(a, d, b)
                        + with(b, d, a)
                        + self.third_of_units(kernel, before, [a, b, d]) / units.powi(2);
                }
            }
        }
        after
    }

    /// sigma_w^2 slope^2 and sigma_w^2 constant^2.
    fn weights(&self) -> (f64, f64) {
        let vw = self.affine.vw;
        (vw * self.slope.powi(2), vw * self.constant.powi(2))
    }

    /// The two ways in which the points of two pairs are joined across.
    fn crossings(&self, a: usize, b: usize) -> [[usize; 2]; 2] {
        let ([i, j], [k, l]) = (self.numbers.pairs[a], self.numbers.pairs[b]);
        let pair = |p, q| self.numbers.pair(p, q);
        [[pair(i, k), pair(j, l)], [pair(i, l), pair(j, k)]]
    }

    /// The four ways in which one point of each pair is joined, and a constant stands for the others.
    fn chains(&self, a: usize, b: usize) -> [usize; 4] {
        let [x, y] = self.crossings(a, b);
        [x[0], x[1], y[0], y[1]]
    }

    /// E of the third cumulant of one unit's products: closed chains through all three pairs, and open ones that end
    /// in constants.
    fn third_of_units(&self, kernel: &[f64], before: &Cumulants, of: [usize; 3]) -> f64 {
        let count = self.numbers.pairs.len();
        let (full, open) = self.weights();
        let v = |a: usize, b: usize| before.second[a][b];
        let three = |[a, b, d]: [usize; 3]| {
            before.third[(a * count + b) * count + d]
                + kernel[a] * v(b, d)
                + kernel[b] * v(a, d)
                + kernel[d] * v(a, b)
                + kernel[a] * kernel[b] * kernel[d]
        };
        let pair = |p, q| self.numbers.pair(p, q);
        let [[a, b], mid, [e, f]] = of.map(|p| self.numbers.pairs[p]);
        let mut closed = 0.0;
        for [c, d] in [mid, [mid[1], mid[0]]] {
            for [i, j] in [[a, b], [b, a]] {
                for [k, l] in [[e, f], [f, e]] {
                    closed += three([pair(i, c), pair(d, k), pair(l, j)]);
                }
            }
        }
        if open == 0.0 {
            return full.powi(3) * closed;
        }
        let mut chains = 0.0;
        for middle in 0..3 {
            let [x, y] = [(middle + 1) % 3, (middle + 2) % 3].map(|p| self.numbers.pairs[of[p]]);
            let [c, d] = self.numbers.pairs[of[middle]];
            for [c, d] in [[c, d], [d, c]] {
                for i in x {
                    for k in y {
                        let (p, q) = (pair(i, c), pair(d, k));
                        chains += v(p, q) + kernel[p] * kernel[q];
                    }
                }
            }
        }
        full.powi(3) * closed + full.powi(2) * open * chains
    }
}

/// One layer of units h(z) of degree 1, for points on one ray: all covariances are multiples of one, which the layer
/// multiplies by a random factor.
pub struct Ray<'a> {
    /// E[h^4] / E[h^2]^2 and E[h^6] / E[h^2]^3.
    pub ratios: [f64; 2],
    pub affine: Affine,
    /// Kernels before and behind the layer, by the numbers of pairs.
    pub kernels: [&'a [f64]; 2],
}

impl Ray<'_> {
    pub fn after(&self, before: &Cumulants) -> Cumulants {
        let [before_layer, behind] = self.kernels;
        let count = behind.len();
        let n = self.affine.units;
        let [four, six] = self.ratios;
        let (a, b) = ((four - 1.0) / n, (six - 3.0 * four + 2.0) / (n * n));
        let relative = |x: f64, unit: f64| if unit == 0.0 { 0.0 } else { x / unit };
        let of =
            |p: usize, q: usize| relative(before.second[p][q], before_layer[p] * before_layer[q]);
        let mut after = Cumulants {
            mean: vec![0.0; count],
            second: vec![vec![0.0; count]; count],
            third: vec![0.0; before.third.len()],
        };
        for p in 0..count {
            for q in 0..count {
                after.second[p][q] = behind[p] * behind[q] * (of(p, q) * (1.0 + a) + a);
            }
        }
        if before.third.is_empty() {
            return after;
        }
        for p in 0..count {
            for q in 0..count {
                for r in 0..count {
                    let at = (p * count + q) * count + r;
                    let unit = before_layer[p] * before_layer[q] * before_layer[r];
                    let third = relative(before.third[at], unit);
                    let factor = third * (1.0 + 3.0 * a + b) + of(p, q) * (6.0 * a + 3.0 * b) + b;
                    after.third[at] = behind[p] * behind[q] * behind[r] * factor;
                }
            }
        }
        after
    }
}
