//! This module has the coupling against the number of outputs.

use serde::{Deserialize, Serialize};

use super::Samples;
use super::average::average;
use super::couplings::Coupling;
use crate::model::short;
use crate::tensor::multisets;
use crate::theory::{LoopIntegrals, VertexIntegrals};
use crate::{Error, Result};

/// `OutputCoupling` is the coupling of S = S_GP + lambda int (f.f)^2 for one number of outputs. Where
/// O(d_out) is broken, the tree-level one is that of the connected iiii function, of f_i^4.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutputCoupling {
    /// Number of outputs.
    pub d_out: usize,
    /// Tree-level coupling -dG^(4) / (24 I1), averaged over 4-tuples: the same for every d_out.
    pub lambda_tree: f64,
    /// Statistical error of `lambda_tree`; 0 for exact moments, `None` with one experiment.
    pub lambda_tree_std_err: Option<f64>,
    /// Whether `lambda_tree` is not zero within three errors: else there is no root to look for.
    pub measured: bool,
    /// Root of dG^(4) = -24 lambda I1 + 32 (d_out + 8) lambda^2 sum I2 that tends to the
    /// tree's as I2 -> 0, averaged over 4-tuples; `None` if no tuple has one, or the tree's was
    /// not measured.
    pub lambda_one_loop: Option<f64>,
    /// Error of `lambda_one_loop`: statistical (delete-one jackknife), and that of the integrals.
    pub lambda_one_loop_std_err: Option<f64>,
    /// Quadratic over linear term at the root, averaged: above 1 the expansion in lambda
    /// does not hold.
    pub loop_over_tree: Option<f64>,
    /// Statistical error of `loop_over_tree`.
    pub loop_over_tree_std_err: Option<f64>,
    /// Number of 4-tuples without a coupling: I1 vanishes, or the root is not real.
    pub undefined: usize,
}

/// Returns lambda_one_loop of one 4-tuple, and its quadratic over its linear term:
/// 2 c / (-b -+ sqrt(b^2 - 4 a c)) without cancellation.
fn root(connected: f64, i1: f64, i2: f64, d_out: usize) -> Option<(f64, f64)> {
    let (tree, discriminant) = discriminant(connected, i1, i2, d_out);
    (discriminant >= 0.0).then(|| root_at(tree, discriminant))
}

/// Returns the tree's coupling and the discriminant of the root in its units.
fn discriminant(connected: f64, i1: f64, i2: f64, d_out: usize) -> (f64, f64) {
    // The O(N) model's factor (Peskin and Schroeder, section 11.2). The vertex is
    // 8 lambda (d_ab d_cd + d_ac d_bd + d_ad d_bc); with all four outputs a, every channel has
    // 1/2 64 lambda^2 sum_ef (d_ef + 2 d_ae d_af)^2 = 32 lambda^2 (d_out + 8).
    let a = 32.0 * (d_out as f64 + 8.0) * i2;
    // In units of the tree's coupling, so that nothing underflows.
    let tree = -connected / (24.0 * i1);
    let x = a * tree / (24.0 * i1);
    // a tree^2 u^2 - 24 I1 tree u = connected becomes u - x u^2 = 1.
    (tree, 1.0 - 4.0 * x)
}

fn root_at(tree: f64, discriminant: f64) -> (f64, f64) {
    let tree_over_root = (1.0 + discriminant.sqrt()) / 2.0;
    (tree / tree_over_root, tree_over_root - 1.0)
}

/// `Loops` holds the integrals of a 4-tuple that has a coupling: I1, the sum of I2 over channels,
/// its error.
type Loops = (f64, f64, f64);

/// Measures couplings from the connected iiii function at each number of outputs. The function does
/// not depend on d_out; what it says about lambda does. Unless the net `is_symmetric` under
/// O(d_out) there is a second coupling in the loop, that of sum_a f_a^4, and several outputs have
/// theirs at tree level only.
pub fn output_couplings(
    points: usize,
    four: &Samples,
    vertex: &VertexIntegrals,
    loops: &LoopIntegrals,
    d_out: &[usize],
    is_symmetric: bool,
) -> Result<Vec<OutputCoupling>> {
    let tuples = multisets(points, 4);
    let tree = Coupling::measure(points, four, vertex).ok_or_else(|| {
        let reason = "every vertex integral vanishes at this cutoff";
        Error::invalid("cutoffs", short(vertex.cutoff), reason)
    })?;
    let integrals: Vec<Option<Loops>> = (tuples.iter())
        .map(|i| Some((vertex.present(i)?, loops.channels(i), loops.error(i))))
        .collect();
    let without = four.leave_one_out();
    Ok((d_out.iter())
        .map(|&d| {
            let tree = OutputCoupling {
                d_out: d,
                lambda_tree: tree.mean,
                lambda_tree_std_err: tree.std_err,
                measured: tree.measured,
                lambda_one_loop: None,
                lambda_one_loop_std_err: None,
                loop_over_tree: None,
                loop_over_tree_std_err: None,
                undefined: tree.undefined,
            };
            match tree.measured && (d == 1 || is_symmetric) {
                true => with_loop(tree, four, &without, &integrals),
                false => tree,
            }
        })
        .collect())
}

/// Sets the root at one loop beside the tree's coupling.
fn with_loop(
    tree: OutputCoupling,
    four: &Samples,
    without: &[Vec<f64>],
    integrals: &[Option<Loops>],
) -> OutputCoupling {
    let d = tree.d_out;
    // Tuples that have a root.
    let kept: Vec<(usize, Loops)> = (four.mean.iter().zip(integrals).enumerate())
        .filter_map(|(m, (c, integrals))| {
            let (i1, i2, error) = (*integrals)?;
            root(*c, i1, i2, d).map(|_| (m, (i1, i2, error)))
        })
        .collect();
    let mean_of = |of: &dyn Fn(usize, Loops) -> f64| {
        average(&kept.iter().map(|&(m, i)| of(m, i)).collect::<Vec<_>>())
    };
    // With an experiment left out a root may turn complex: the vertex is nearest.
    let roots = |four: &[f64]| -> Option<(f64, f64)> {
        let at = |m: usize, (i1, i2, _): Loops| {
            let (tree, discriminant) = discriminant(four[m], i1, i2, d);
            root_at(tree, discriminant.max(0.0))
        };
        Some((mean_of(&|m, i| at(m, i).0)?, mean_of(&|m, i| at(m, i).1)?))
    };
    let Some((one_loop, ratio)) = roots(&four.mean) else {
        return OutputCoupling {
            undefined: integrals.len(),
            ..tree
        };
    };
    let each: Vec<(f64, f64)> = without.iter().filter_map(|four| roots(four)).collect();
    let error = |of: fn(&(f64, f64)) -> f64| four.error(&each.iter().map(of).collect::<Vec<_>>());
    let shift = mean_of(&|m, (i1, i2, error)| {
        let at = |i2: f64| root(four.mean[m], i1, i2, d).map(|r| r.0);
        at(i2 + error)
            .zip(at(i2))
            .map_or(0.0, |(a, b)| (a - b).abs())
    });
    OutputCoupling {
        lambda_one_loop: Some(one_loop),
        lambda_one_loop_std_err: error(|r| r.0).zip(shift).map(|(s, q)| s.hypot(q)),
        // 24 lambda I1 over 24 tree I1 is 1 + (quadratic / linear).
        loop_over_tree: Some(ratio.abs()),
        loop_over_tree_std_err: error(|r| r.1),
        undefined: integrals.len() - kept.len(),
        ..tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_solves_its_equation() {
        for (c, i1, i2, d) in [
            (0.3, 2.0, 5.0, 4),
            (-0.01, 2.0, 5.0, 1),
            (0.3, -2.0, 5.0, 16),
        ] {
            let (l, ratio) = root(c, i1, i2, d).unwrap();
            let got = -24.0 * l * i1 + 32.0 * (d as f64 + 8.0) * l * l * i2;
            assert!((got / c - 1.0).abs() < 1e-12);
            let quadratic = 32.0 * (d as f64 + 8.0) * l * l * i2;
            assert!((ratio / (quadratic / (-24.0 * l * i1)) - 1.0).abs() < 1e-12);
        }
        // The tree's coupling as the loop vanishes, and no real root beyond the vertex.
        assert!((root(0.3, 2.0, 1e-12, 1).unwrap().0 / -0.00625 - 1.0).abs() < 1e-9);
        assert_eq!(root(-100.0, 2.0, 5.0, 1), None);
    }
}
