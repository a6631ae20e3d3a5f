//! This module treats kernels with a Gaussian bump, whose vertex integrals are error functions.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::Vertex;
use super::cubature::{BoxIntegrals, legendre};
use crate::model::{Builtin, EnsembleSpec, Net};
use crate::tensor::MomentPlan;

/// A bump is the kernel sigma_b^2 + sigma_w^2 exp(-rate |x - y|^2), which is translation invariant.
pub(super) struct Bump {
    /// The height sigma_w^2 of the bump; sigma_w is the readout's.
    pub height: f64,
    /// The rate, in inverse squares of the inputs' unit.
    pub rate: f64,
}

impl Bump {
    /// Returns the kernel of a net as a bump, if the kernel has that form.
    pub fn of(net: &Net) -> Option<Self> {
        match net.builtin().filter(|_| net.has_gaussian_units()) {
            Some(Builtin::ExpNormalised) => Some(Self {
                height: net.readout().sigma_w.powi(2),
                rate: net.first().sigma_w.powi(2) / (2.0 * net.d_in() as f64),
            }),
            Some(Builtin::Erf | Builtin::Relu) | None => None,
        }
    }
}

/// Integrates a kernel with a Gaussian bump in closed form: prod (c + sigma_w^2 e^(-a |x_i -
/// y|^2)), c the constant part of k, expands over subsets, and each term factorises over
/// coordinates.
pub(super) fn of_bump(
    spec: &EnsembleSpec,
    bump: &Bump,
    vertex: Vertex,
    plan: &MomentPlan,
    cutoff: f64,
) -> BoxIntegrals {
    let constant = vertex.constant_left(&spec.net);
    let (vw, a) = (bump.height, bump.rate);
    let points = spec.inputs.points();
    let of = |index: &Vec<usize>| -> [f64; 3] {
        let n = index.len();
        let mut sums = [0.0; 3];
        for subset in 0..1u32 << n {
            let inside: Vec<usize> = (0..n)
                .filter(|k| subset >> k & 1 == 1)
                .map(|k| index[k])
                .collect();
            let bumps = inside.len();
            if constant == 0.0 && bumps < n {
                continue;
            }
            let factor = constant.powi((n - bumps) as i32) * vw.powi(bumps as i32);
            let lines: Vec<[f64; 3]> = (0..spec.net.d_in())
                .map(|c| {
                    let x: Vec<f64> = inside.iter().map(|&i| points[i][c]).collect();
                    line(a, &x, cutoff)
                })
                .collect();
            let product = |which: &dyn Fn(usize) -> f64| -> f64 {
                (0..spec.net.d_in()).map(which).product::<f64>() * factor
            };
            sums[0] += product(&|c| lines[c][0]);
            for chosen in 0..spec.net.d_in() {
                for k in [1, 2] {
                    sums[k] += product(&|c| lines[c][if c == chosen { k } else { 0 }]);
                }
            }
        }
        sums
    };
    let all: Vec<[f64; 3]> = plan.indices().iter().map(of).collect();
    let (_, fours) = &plan.orders()[1];
    BoxIntegrals {
        moments: all.iter().map(|s| s[0]).collect(),
        derivatives: all.iter().map(|s| s[1]).collect(),
        quadratic: all[fours.clone()].iter().map(|s| s[2]).collect(),
        errors: all.iter().map(|s| 1e-14 * s[0].abs()).collect(),
        derivative_errors: all.iter().map(|s| 1e-14 * s[1].abs()).collect(),
    }
}

/// Computes int e^(-a sum_i (x_i - y)^2) over |y| < L, its d / d log L, and the integral with y^2.
pub(super) fn line(a: f64, x: &[f64], cutoff: f64) -> [f64; 3] {
    let n = x.len() as f64;
    let flat = a * n;
    if flat == 0.0 {
        return [2.0 * cutoff, 2.0 * cutoff, 2.0 / 3.0 * cutoff.powi(3)];
    }
    let mean = x.iter().sum::<f64>() / n;
    let spread: f64 = x.iter().map(|x| (x - mean) * (x - mean)).sum();
    let height = (-a * spread).exp();
    let s = flat.sqrt();
    if s * cutoff < 0.5 {
        return short_line(flat, mean, height, cutoff);
    }
    let (right, left) = (s * (cutoff - mean), s * (cutoff + mean));
    // erf(right) + erf(left) without cancellation where the bump is outside the box.
    let within = if left < 0.0 {
        libm::erfc(-left) - libm::erfc(right)
    } else if right < 0.0 {
        libm::erfc(-right) - libm::erfc(left)
    } else {
        libm::erf(right) + libm::erf(left)
    };
    let integral = height * (PI / flat).sqrt() / 2.0 * within;
    if cutoff.is_infinite() {
        return [integral, 0.0, integral * (mean * mean + 0.5 / flat)];
    }
    let (at_right, at_left) = ((-right * right).exp(), (-left * left).exp());
    let boundary = (cutoff + mean) * at_right + (cutoff - mean) * at_left;
    [
        integral,
        height * cutoff * (at_right + at_left),
        integral * (mean * mean + 0.5 / flat) - height * boundary * 0.5 / flat,
    ]
}

/// Computes [`line`] through a box so small beside the bump that the error functions cancel: the
/// bump is smooth there, and 16 nodes are good to rounding.
fn short_line(flat: f64, mean: f64, height: f64, cutoff: f64) -> [f64; 3] {
    static NODES: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
    let at = |y: f64| height * (-flat * (y - mean).powi(2)).exp();
    let (mut integral, mut quadratic) = (0.0, 0.0);
    for (t, w) in NODES.get_or_init(|| legendre(16)) {
        let y = cutoff * t;
        integral += cutoff * w * at(y);
        quadratic += cutoff * w * at(y) * y * y;
    }
    [integral, cutoff * (at(cutoff) + at(-cutoff)), quadratic]
}
