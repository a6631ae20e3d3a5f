//! The layers of a deep network are drawn here in plain loops, each from the hidden values below it, with
//! bounds of what rounding to f32 can do.
//!
//! A factor R of a covariance that is nearly singular has errors far above those of the covariance: a
//! pivot of 10^-6 of the variance, off by 10^-7 of it, moves paths by 10^-4 along a direction that is
//! all but absent. Nothing that is averaged sees it, since R R^T is the covariance to its rounding, but
//! networks do: their bounds follow the factorisation step by step.

use super::bounds::{EPSILON, SUM, VARIATE};
use crate::model::Law;
use crate::plan::{By, Inner};
use crate::stream::{GROUP, InnerLayout, Words, variates};

/// Pivots below this part of the variance are zero in f64 (`src/engine/cpu/inner.rs`).
const SMALLEST: f64 = 8.0 * f64::EPSILON;
/// Factorisation in f32 leaves what is less than this part of a variance, and rotates rows with as many
/// roundings for each point (`shaders/deep/factorise.wgsl`).
const FACTOR: f64 = 4.0 * EPSILON;
/// Roundings of a quotient, of a root and of the product with it.
const STEP: f64 = 4.0 * EPSILON;

/// `Bounded` holds numbers of units at points, `[unit][point]`, and bounds of their errors in f32.
pub(super) struct Bounded {
    pub values: Vec<Vec<f64>>,
    pub errors: Vec<Vec<f64>>,
}

/// `Place` is a network's in the random stream.
pub(super) struct Place {
    pub seed: u64,
    pub experiment: u32,
    pub network: u64,
}

impl Place {
    /// Computes the pre-activations of a layer from hidden values below it that have errors.
    pub fn above(&self, inner: &Inner, below: &Bounded) -> Bounded {
        let points = below.values.first().map_or(0, Vec::len);
        let units = inner.layout.units as usize;
        let mut all = Bounded {
            values: vec![vec![0.0; points]; units],
            errors: vec![vec![0.0; points]; units],
        };
        let weights = match inner.by {
            By::Covariance { bias } => {
                let factor = Factor::new(inner, bias, below);
                for c in 0..points {
                    let normals = self.component(&inner.layout, c, Law::Gaussian);
                    let most = VARIATE * Law::Gaussian.reach();
                    for (unit, n) in normals.into_iter().enumerate() {
                        for p in c..points {
                            let (r, error) = (factor.values[p][c], factor.errors[p][c]);
                            all.values[unit][p] += r * n;
                            all.errors[unit][p] +=
                                (error + STEP * r.abs()) * n.abs() + most * r.abs();
                        }
                    }
                }
                points
            }
            By::Weights(law) => {
                let most = VARIATE * law.reach();
                for (j, (h, e)) in below.values.iter().zip(&below.errors).enumerate() {
                    for (unit, w) in self
                        .component(&inner.layout, j, law)
                        .into_iter()
                        .enumerate()
                    {
                        for p in 0..points {
                            let error = (e[p] + SUM * h[p].abs()) * w.abs() + most * h[p].abs();
                            all.values[unit][p] += inner.scale * w * h[p];
                            all.errors[unit][p] += inner.scale * error;
                        }
                    }
                }
                below.values.len()
            }
        };
        if inner.bias != 0.0 {
            let most = VARIATE * inner.law_b.reach() * inner.bias;
            let biases = self.component(&inner.layout, weights, inner.law_b);
            for (unit, b) in biases.into_iter().enumerate() {
                for p in 0..points {
                    all.values[unit][p] += inner.bias * b;
                    all.errors[unit][p] += most;
                }
            }
        }
        all
    }

    /// Draws component c of all units of a layer.
    fn component(&self, layout: &InnerLayout, c: usize, law: Law) -> Vec<f64> {
        let c = c as u64;
        let block = |stream: u64, block: u64| {
            let (mut words, mut all) = ([0; GROUP as usize], [0.0; GROUP as usize]);
            Words::new(self.seed, stream, block).fill(&mut words);
            variates(law, &words, &mut all);
            all
        };
        let full = (0..layout.full_groups()).flat_map(|group| {
            let first = self.network * layout.blocks() + group * layout.components;
            block(layout.stream(self.experiment), first + c)
        });
        let rest = (0..layout.remainder()).map(|u| {
            let first = self.network / GROUP * layout.remainder_blocks();
            let stream = layout.remainder_stream(self.experiment);
            block(stream, first + c * layout.remainder() + u)[(self.network % GROUP) as usize]
        });
        full.chain(rest).collect()
    }
}

/// `Factor` is the lower triangle R of a covariance R R^T, with bounds of its errors in f32.
struct Factor {
    values: Vec<Vec<f64>>,
    errors: Vec<Vec<f64>>,
}

impl Factor {
    fn new(inner: &Inner, bias: f64, below: &Bounded) -> Self {
        let points = below.values.first().map_or(0, Vec::len);
        let square = inner.scale * inner.scale;
        // A covariance, and its error: of hidden values, and of the sum.
        let covariance = |p: usize, q: usize| {
            let (mut sum, mut error) = (0.0, 0.0);
            for (h, e) in below.values.iter().zip(&below.errors) {
                sum += h[p] * h[q];
                let size = (h[p].abs() + e[p]) * (h[q].abs() + e[q]);
                error += size - (h[p] * h[q]).abs() + SUM * size;
            }
            let value = square * sum + bias;
            (value, square * error + STEP * value.abs())
        };
        let roots: Vec<f64> = (0..points).map(|p| covariance(p, p).0.sqrt()).collect();
        let of_factor = FACTOR * (1.0 + points as f64);
        let mut r = vec![vec![0.0; points]; points];
        let mut d = r.clone();
        for p in 0..points {
            let (variance, of_variance) = covariance(p, p);
            // What columns so far leave of the variance of p.
            let (mut left, mut of_left) = (variance, of_variance);
            for c in 0..=p {
                let (mut rest, mut error) = covariance(c, p);
                error += of_factor * roots[c] * roots[p];
                for k in 0..c {
                    rest -= r[p][k] * r[c][k];
                    error += r[p][k].abs() * d[c][k] + (r[c][k].abs() + d[c][k]) * d[p][k];
                    error += STEP * (r[p][k] * r[c][k]).abs();
                }
                if c == p {
                    let is_zero = rest <= SMALLEST * variance;
                    let root = if is_zero { 0.0 } else { rest.sqrt() };
                    let high = (rest + error).max(0.0).sqrt();
                    let low = (rest - error).max(0.0).sqrt();
                    r[c][c] = root;
                    d[c][c] = (high - root).max(root - low) + STEP * root;
                    continue;
                }
                let (root, of_root) = (r[c][c], d[c][c]);
                let value = if root > 0.0 { rest / root } else { 0.0 };
                // Of a column whose pivot may be zero no more is known than what is left.
                let unknown = value.abs() + (left + of_left).max(0.0).sqrt();
                let known = match root > of_root {
                    true => (error + value.abs() * of_root) / (root - of_root),
                    false => f64::INFINITY,
                };
                r[p][c] = value;
                d[p][c] = known.min(unknown) + STEP * value.abs();
                left -= value * value;
                of_left += (2.0 * value.abs() + d[p][c]) * d[p][c];
            }
        }
        Self {
            values: r,
            errors: d,
        }
    }
}
