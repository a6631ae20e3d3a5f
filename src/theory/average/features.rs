//! This module computes second moments E[h(x) h(y)] of all pairs of many points at once: averages over
//! the neurons of one rule, which are a product of matrices.

use std::f64::consts::TAU;

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::dot;
use super::laws::{Unit, variate};
use crate::model::{Activation, Law};

/// Products that a rule may take: a second or two of one core.
const PRODUCTS: f64 = 6e9;
/// Nodes of a rule.
const NODES_WITHIN: (f64, f64) = (8192.0, 131_072.0);
/// Nodes of one product of matrices.
const CHUNK: usize = 1024;
/// Points of one thread's share.
const SHARE: usize = 64;

/// Returns E[h(x) h(y)] of all pairs of a unit's points.
///
/// The nodes are the multiples of a vector modulo 1, whose components are powers of the root of
/// x^(d + 1) = x + 1: few of them leave large gaps. They move by `shift`, so that two rules tell their
/// error. With g = log(t / (1 - t)) what is averaged is periodic in t, and with weights that rise and
/// fall along the nodes the error falls like 1 / nodes^2.
pub fn second_moments(activation: &Activation, unit: &Unit, shift: f64) -> DMatrix<f64> {
    let (forms, variances) = (unit.forms(), unit.variances());
    let (points, rank) = (forms.len(), unit.laws().len());
    let count = (PRODUCTS / (points as f64).powi(2)).clamp(NODES_WITHIN.0, NODES_WITHIN.1) as usize;
    let steps = steps(rank);
    // h times the root of the node's weight, `[point][node]`.
    let features = |first: usize| -> DMatrix<f64> {
        let columns: Vec<f64> = (first..(first + CHUNK).min(count))
            .into_par_iter()
            .flat_map_iter(|node| {
                let (g, weight) = place(node, count, unit.laws(), &steps, shift);
                let at = |point: usize| {
                    let z = dot(&forms[point], &g);
                    weight * activation.evaluate(z, variances[point])
                };
                (0..points).map(at).collect::<Vec<_>>()
            })
            .collect();
        DMatrix::from_vec(points, columns.len() / points, columns)
    };
    // Columns of the result, each with the number of its first.
    let mut blocks: Vec<(usize, DMatrix<f64>)> = (0..points)
        .step_by(SHARE)
        .map(|first| (first, DMatrix::zeros(points, SHARE.min(points - first))))
        .collect();
    for first in (0..count).step_by(CHUNK) {
        let features = features(first);
        blocks.par_iter_mut().for_each(|(first, block)| {
            let rows = features.rows(*first, block.ncols()).transpose();
            block.gemm(1.0, &features, &rows, 1.0);
        });
    }
    let columns = blocks.iter().flat_map(|(_, block)| block.column_iter());
    DMatrix::from_columns(&columns.collect::<Vec<_>>())
}

/// Returns the powers of 1 / x with x^(d + 1) = x + 1.
fn steps(rank: usize) -> Vec<f64> {
    let root = (0..64).fold(1.5f64, |x, _| (x + 1.0).powf(1.0 / (rank + 1) as f64));
    (1..=rank).map(|k| root.powi(-(k as i32))).collect()
}

/// Returns the variates of a node and the root of its weight.
fn place(node: usize, count: usize, laws: &[Law], steps: &[f64], shift: f64) -> (Vec<f64>, f64) {
    let along = (node as f64 + 0.5) / count as f64;
    let mut weight = 4.0 * along.min(1.0 - along) / count as f64;
    // Twice the exponent of the densities, less what weights have of them.
    let mut square = 0.0;
    let g: Vec<f64> = (steps.iter().zip(laws))
        .map(|(step, &law)| {
            let t = (step * (node as f64 + 0.5) + shift).fract();
            if law.is_gaussian() {
                let g = (t / (1.0 - t)).ln();
                weight /= TAU.sqrt() * t * (1.0 - t);
                square += g * g;
                return g;
            }
            let (x, slope, log_density) = variate(law, t);
            weight *= slope;
            square -= 2.0 * log_density;
            x
        })
        .collect();
    match weight.is_finite() {
        true => (g, weight.sqrt() * (-0.25 * square).exp()),
        // t = 0 itself carries nothing.
        false => (vec![0.0; steps.len()], 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Net;

    #[test]
    fn matrices_agree_with_the_closed_form_of_the_angle() {
        // erf of forms: (2 / pi) asin(2 s_xy / sqrt((1 + 2 s_xx) (1 + 2 s_yy))).
        let activation: Activation = "erf(z)".parse().unwrap();
        let net = Net::new(activation.clone(), 1);
        let points: Vec<[f64; 1]> = (0..150).map(|k| [1.07f64.powi(k - 75) * 0.4]).collect();
        let forms: Vec<Vec<f64>> = points.iter().map(|x| net.linear_form(x)).collect();
        let unit = Unit::new(&net, points.iter().map(|x| &x[..]));
        let [a, b] = [0.1, 0.7].map(|shift| second_moments(&activation, &unit, shift));
        let mut most: f64 = 0.0;
        for (i, x) in forms.iter().enumerate() {
            for (j, y) in forms.iter().enumerate() {
                let norm = (1.0 + 2.0 * dot(x, x)) * (1.0 + 2.0 * dot(y, y));
                let want = (2.0 * dot(x, y) / norm.sqrt()).asin() / std::f64::consts::FRAC_PI_2;
                let error = (a[(i, j)] - want).abs();
                most = most.max(error);
                let told = (a[(i, j)] - b[(i, j)]).abs();
                assert!(error < 1e-4 + 10.0 * told, "{i} {j}: {error:e} {told:e}");
            }
        }
        assert!(most < 2e-4, "{most:e}");
    }
    #[test]
    fn matrices_of_other_laws_agree_with_closed_forms() {
        // cos of w x + b: (cos(x - y) + cos(x + y)) / 2 averages to products of characteristic functions.
        let activation: Activation = "cos(z)".parse().unwrap();
        let sinc = |t: f64| {
            let t = 3f64.sqrt() * t;
            if t == 0.0 { 1.0 } else { t.sin() / t }
        };
        let laplace = |t: f64| 1.0 / (1.0 + 0.5 * t * t);
        let net = Net::new(activation.clone(), 1)
            .with_law_w(vec![Law::Uniform, Law::Gaussian])
            .unwrap()
            .with_law_b(vec![Law::Laplace, Law::Gaussian])
            .unwrap();
        let points: Vec<[f64; 1]> = (0..60).map(|k| [0.1 * f64::from(k) - 3.0]).collect();
        let unit = Unit::new(&net, points.iter().map(|x| &x[..]));
        let [a, b] = [0.1, 0.7].map(|shift| second_moments(&activation, &unit, shift));
        for (i, x) in points.iter().enumerate() {
            for (j, y) in points.iter().enumerate() {
                let want = 0.5 * (sinc(x[0] - y[0]) + sinc(x[0] + y[0]) * laplace(2.0));
                let (error, told) = ((a[(i, j)] - want).abs(), (a[(i, j)] - b[(i, j)]).abs());
                assert!(error < 1e-4 + 10.0 * told, "{i} {j}: {error:e} {told:e}");
                assert!(error < 1e-3, "{i} {j}: {error:e}");
            }
        }
    }
}
