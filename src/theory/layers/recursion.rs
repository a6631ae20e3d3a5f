//! What one hidden layer makes of the cumulants of the covariance before it, to first order in 1/n.
//!
//! Over the networks, the covariance C of a layer's pre-activations has the mean K + g, the covariance v and the third
//! cumulant u between pairs of points, with K the kernel at infinite width, g and v of order 1/n and u of order
//! 1/n^2. Given C, units are independent, and the next covariance is sigma_b^2 + (sigma_w^2 / n) sum_j h_j h_j:
//!
//! ```text
//! g' = J g + H : v / 2
//! v' = c2 / n + J v J
//! u' = c3 / n^2 + (1 / n) sum_3 (d c2 / dK) v J + J J J u + sum_3 H (v J) (v J)
//! ```
//!
//! with c2, c3 the cumulants of sigma_w^2 h h of one unit, J and H the first and second derivatives of
//! K' = sigma_b^2 + sigma_w^2 E[h h] (Yaida 2020; Roberts, Yaida, Hanin 2022, chapter 4). By parts, derivatives with
//! respect to K are averages with Hermite polynomials in the normals of a pair, so that h itself need have none.

use super::averages::{Fourth, PairAverage};
use crate::tensor::multisets;

/// Numbers of pairs, and of the quadruples and sextuples that they make.
#[derive(Debug, Clone)]
pub struct Numbers {
    pub pairs: Vec<[usize; 2]>,
    points: usize,
    four: Vec<usize>,
    six: Vec<usize>,
}

impl Numbers {
    /// Those of so many points, up to an order.
    pub fn new(points: usize, order: usize) -> Self {
        let pairs: Vec<[usize; 2]> = multisets(points, 2).iter().map(|p| [p[0], p[1]]).collect();
        let number = |all: &[Vec<usize>], pairs: &[[usize; 2]]| {
            let mut tuple = pairs.concat();
            tuple.sort_unstable();
            all.binary_search(&tuple).expect("all multisets are there")
        };
        let (mut four, mut six) = (Vec::new(), Vec::new());
        if order >= 4 {
            let all = multisets(points, 4);
            for a in &pairs {
                four.extend(pairs.iter().map(|b| number(&all, &[*a, *b])));
            }
        }
        if order >= 6 {
            let all = multisets(points, 6);
            for a in &pairs {
                for b in &pairs {
                    six.extend(pairs.iter().map(|d| number(&all, &[*a, *b, *d])));
                }
            }
        }
        Self {
            pairs,
            points,
            four,
            six,
        }
    }

    /// The number of a pair of points.
    pub fn pair(&self, a: usize, b: usize) -> usize {
        let (low, high) = (a.min(b), a.max(b));
        low * self.points - low * low.saturating_sub(1) / 2 - low + high
    }

    /// The number of the quadruple that two pairs make.
    pub fn four(&self, a: usize, b: usize) -> usize {
        self.four[a * self.pairs.len() + b]
    }

    /// The number of the sextuple that three pairs make.
    pub fn six(&self, a: usize, b: usize, d: usize) -> usize {
        self.six[(a * self.pairs.len() + b) * self.pairs.len() + d]
    }
}

/// Cumulants of a layer's covariance, of pairs by their numbers.
#[derive(Debug, Clone)]
pub struct Cumulants {
    /// Its mean less the kernel.
    pub mean: Vec<f64>,
    /// `[pair][pair]`; empty where nobody asked.
    pub second: Vec<Vec<f64>>,
    /// `[(pair pairs + pair) pairs + pair]`; empty where nobody asked.
    pub third: Vec<f64>,
}

/// What a hidden layer's averages over one unit are.
#[derive(Debug, Clone)]
pub struct LayerAverages {
    /// Averages of pairs that say how those of products change; empty in the first layer, where the
    /// covariance is the same in all networks.
    pub pairs: Vec<PairAverage>,
    /// E[h h] of each pair.
    pub second: Vec<f64>,
    pub fourth: Fourth,
    /// Empty where nobody asked.
    pub sixth: Vec<f64>,
}

/// One layer: its averages, the units that it has, and the weights behind and before it.
pub struct Step<'a> {
    pub numbers: &'a Numbers,
    pub averages: &'a LayerAverages,
    /// Units of the layer.
    pub units: f64,
    /// sigma_w^2 of the weights that add the units up.
    pub vw: f64,
    /// Fourth cumulants of the pre-activations, given the covariance, by the numbers of quadruples: those of weights
    /// that are not normal.
    pub beyond: Option<&'a [f64]>,
}

impl Step<'_> {
    /// The change of E[h h] of a pair with that of the covariance.
    fn slope(&self, pair: &PairAverage, change: &[f64]) -> f64 {
        let m = pair.frame.whitened(|p, q| change[self.numbers.pair(p, q)]);
        let rank = pair.frame.rank();
        let mut sum = 0.0;
        for (second, m) in pair.second.iter().zip(&m).take(rank) {
            for (second, m) in second.iter().zip(m).take(rank) {
                sum += 0.5 * second * m;
            }
        }
        sum
    }

    /// J x, with the layer's sigma_w^2: the change of the next kernel.
    fn passed(&self, change: &[f64]) -> Vec<f64> {
        let of = |pair: &PairAverage| self.vw * self.slope(pair, change);
        self.averages.pairs.iter().map(of).collect()
    }

    /// E[h h He_4] against a symmetric tensor of four indices.
    fn curvature(pair: &PairAverage, of: impl Fn([usize; 4]) -> f64) -> f64 {
        let rank = pair.frame.rank();
        let mut sum = 0.0;
        for k in 0..rank.pow(4) {
            let index = [k, k / rank, k / rank.pow(2), k / rank.pow(3)].map(|k| k % rank);
            sum += pair.fourth[index.iter().sum::<usize>()] * of(index);
        }
        sum
    }

    /// The cumulants behind the layer, from those before it.
    pub fn after(&self, before: &Cumulants) -> Cumulants {
        let averages = self.averages;
        let count = self.numbers.pairs.len();
        let (m2, m4, m6) = (&averages.second, &averages.fourth.values, &averages.sixth);
        let of_units = |a: usize, b: usize| {
            let cumulant = m4[self.numbers.four(a, b)] - m2[a] * m2[b];
            self.vw.powi(2) * cumulant / self.units
        };
        let third_of_units = |a: usize, b: usize, d: usize| {
            let four = |a: usize, b: usize| m4[self.numbers.four(a, b)];
            let cumulant = m6[self.numbers.six(a, b, d)]
                - (four(a, b) * m2[d] + four(a, d) * m2[b] + four(b, d) * m2[a])
                + 2.0 * m2[a] * m2[b] * m2[d];
            self.vw.powi(3) * cumulant / self.units.powi(2)
        };
        let units_alone = averages.pairs.is_empty();
        if m4.is_empty() {
            return before.clone();
        }
        let mut after = Cumulants {
            mean: vec![0.0; count],
            second: (0..count)
                .map(|a| (0..count).map(|b| of_units(a, b)).collect())
                .collect(),
            third: Vec::new(),
        };
        let with_third = !m6.is_empty();
        if with_third {
            after.third = vec![0.0; count.pow(3)];
            self.each_triple(third_of_units, &mut after.third);
        }
        if units_alone {
            return after;
        }
        after.mean = self.passed(&before.mean);
        let v = &before.second;
        for (mean, pair) in after.mean.iter_mut().zip(&averages.pairs) {
            *mean += self.vw * self.bent(pair, v);
        }
        // v J, `[pair behind][pair before]`.
        let carried: Vec<Vec<f64>> =
            transposed(&v.iter().map(|row| self.passed(row)).collect::<Vec<_>>());
        let through: Vec<Vec<f64>> = carried.iter().map(|row| self.passed(row)).collect();
        for (row, passed) in after.second.iter_mut().zip(&through) {
            row.iter_mut()
                .zip(passed)
                .for_each(|(x, passed)| *x += passed);
        }
        if with_third {
            self.add_third(before, &carried, &mut after.third);
        }
        after
    }

    /// What fluctuations of the covariance, and weights that are not normal, add to the mean of h h.
    fn bent(&self, pair: &PairAverage, v: &[Vec<f64>]) -> f64 {
        let number = |p: usize, q: usize| self.numbers.pair(p, q);
        let fluctuations = pair
            .frame
            .whitened_four(|[a, b, c, d]| v[number(a, b)][number(c, d)]);
        let mut sum = Self::curvature(pair, |[i, j, k, l]| fluctuations[i][j][k][l]) / 8.0;
        if let Some(beyond) = self.beyond {
            let fourth = pair.frame.whitened_four(|[a, b, c, d]| {
                beyond[self.numbers.four(number(a, b), number(c, d))]
            });
            sum += Self::curvature(pair, |[i, j, k, l]| fourth[i][j][k][l]) / 24.0;
        }
        sum
    }

    fn each_triple(&self, of: impl Fn(usize, usize, usize) -> f64, to: &mut [f64]) {
        let count = self.numbers.pairs.len();
        for a in 0..count {
            for b in a..count {
                for d in b..count {
                    let value = of(a, b, d);
                    for [a, b, d] in [
                        [a, b, d],
                        [a, d, b],
                        [b, a, d],
                        [b, d, a],
                        [d, a, b],
                        [d, b, a],
                    ] {
                        to[(a * count + b) * count + d] = value;
                    }
                }
            }
        }
    }

    /// How fourth moments change with the covariance along v J: `[pair behind][quadruple]`.
    pub fn fourth_along(&self, carried: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let fourth = &self.averages.fourth;
        (carried.iter())
            .map(|change| {
                let mut all = vec![0.0; fourth.values.len()];
                for slopes in &fourth.slopes {
                    let m = (slopes.frame).whitened(|p, q| change[self.numbers.pair(p, q)]);
                    for (number, weights) in &slopes.of {
                        let terms = m.iter().flatten().zip(weights);
                        all[*number] = 0.5 * terms.map(|(m, w)| m * w).sum::<f64>();
                    }
                }
                all
            })
            .collect()
    }

    /// v J: the covariance of what is before with the kernel behind, `[pair behind][pair before]`; empty in the first
    /// layer.
    pub fn carried(&self, before: &Cumulants) -> Vec<Vec<f64>> {
        match self.averages.pairs.is_empty() {
            true => Vec::new(),
            false => transposed(
                &before
                    .second
                    .iter()
                    .map(|row| self.passed(row))
                    .collect::<Vec<_>>(),
            ),
        }
    }

    fn add_third(&self, before: &Cumulants, carried: &[Vec<f64>], third: &mut [f64]) {
        let count = self.numbers.pairs.len();
        let averages = self.averages;
        // J J J u, one index at a time.
        let mut passed = before.third.clone();
        for _ in 0..3 {
            let mut next = vec![0.0; passed.len()];
            for (k, row) in passed.chunks(count).enumerate() {
                // The last index goes first, so that three times bring all back.
                for (d, value) in self.passed(row).into_iter().enumerate() {
                    next[d * count * count + k] = value;
                }
            }
            passed = next;
        }
        let along = self.fourth_along(carried);
        // d E[h h] along v J, `[pair behind][pair]`.
        let second_along: Vec<Vec<f64>> = (carried.iter())
            .map(|change| {
                averages
                    .pairs
                    .iter()
                    .map(|pair| self.slope(pair, change))
                    .collect()
            })
            .collect();
        let m2 = &averages.second;
        let of_units = |a: usize, b: usize, d: usize| {
            let change = along[d][self.numbers.four(a, b)]
                - second_along[d][a] * m2[b]
                - m2[a] * second_along[d][b];
            self.vw.powi(2) * change / self.units
        };
        // H (v J) (v J), `[pair][pair behind][pair behind]`.
        let curved: Vec<Vec<Vec<f64>>> = (averages.pairs.iter())
            .map(|pair| {
                let changes: Vec<Vec<Vec<f64>>> = (carried.iter())
                    .map(|change| pair.frame.whitened(|p, q| change[self.numbers.pair(p, q)]))
                    .collect();
                let of = |a: &Vec<Vec<f64>>, b: &Vec<Vec<f64>>| {
                    0.25 * self.vw * Self::curvature(pair, |[i, j, k, l]| a[i][j] * b[k][l])
                };
                (changes.iter())
                    .map(|a| changes.iter().map(|b| of(a, b)).collect())
                    .collect()
            })
            .collect();
        let mut rest = vec![0.0; third.len()];
        self.each_triple(
            |a, b, d| {
                passed[(a * count + b) * count + d]
                    + of_units(a, b, d)
                    + of_units(a, d, b)
                    + of_units(b, d, a)
                    + curved[a][b][d]
                    + curved[b][a][d]
                    + curved[d][a][b]
            },
            &mut rest,
        );
        third.iter_mut().zip(rest).for_each(|(x, rest)| *x += rest);
    }
}

fn transposed(m: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let columns = m.first().map_or(0, Vec::len);
    (0..columns)
        .map(|j| m.iter().map(|row| row[j]).collect())
        .collect()
}
