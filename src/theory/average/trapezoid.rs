//! This module averages products of a smooth function by the trapezoidal rule, all tuples at once.

use std::f64::consts::{PI, TAU};

use rayon::prelude::*;

use super::super::cubature::{Nodes, add_up};
use super::span::span;
use super::{Moment, dot};
use crate::tensor::MomentPlan;

/// `Grid` is a uniform grid in a ball of the normals that the points' pre-activations span.
pub struct Grid {
    /// Pre-activations as linear forms of r normals, `[point][r]`, r their rank.
    forms: Vec<Vec<f64>>,
    step: f64,
}

/// Radius of the ball: beyond it is less than 1e-15 of six-point moments of small pre-activations,
/// r^6 times the weight.
const RADIUS: f64 = 9.3;
/// Error of the rule, relative to the largest value of the product.
const PRECISION: f64 = 1e-15;

impl Grid {
    /// Makes the grid for erf, which along the imaginary axis grows like exp(z^2): products of six
    /// grow at most like exp(a y^2), so that the rule with step h errs by exp(-pi^2 / (a h^2)).
    pub fn new(forms: &[Vec<f64>]) -> Self {
        let largest = forms.iter().map(|l| dot(l, l)).fold(0.0, f64::max);
        let a = 6.0 * largest + 0.5;
        Self {
            forms: span(forms),
            step: PI / (a * -PRECISION.ln()).sqrt(),
        }
    }

    fn rank(&self) -> usize {
        self.forms[0].len()
    }

    /// Estimates how long [`moments`](Self::moments) of `tuples` tuples takes one core, in seconds.
    pub fn seconds(&self, tuples: usize) -> f64 {
        let rank = self.rank() as f64;
        let ball = PI.powf(rank / 2.0) / libm::tgamma(rank / 2.0 + 1.0);
        let nodes = 0.5 * ball * (RADIUS / self.step).powf(rank);
        // The coarser rule adds a half. Nanoseconds for erf and for a product, measured.
        1.5e-9 * nodes * (15.0 * self.forms.len() as f64 + 0.4 * tuples as f64)
    }

    /// Computes E over the normals of products of `order` values of an odd or even function that
    /// erf bounds. A coarser rule is applied too: its distance bounds the error.
    pub fn moments(&self, order: usize, act: impl Fn(f64) -> f64 + Sync) -> Vec<Moment> {
        let plan = MomentPlan::new(self.forms.len(), &[order]);
        if self.rank() == 0 {
            return vec![Moment::from(act(0.0).powi(order as i32)); plan.elements().len()];
        }
        let [fine, coarse] = [1.0, 1.25].map(|factor| self.rule(factor * self.step, &plan, &act));
        let size = |index: &[usize]| -> f64 {
            let of = |i: &usize| {
                let power = plan.indices().binary_search(&vec![*i; order]);
                fine[power.expect("lexicographic by construction")].abs()
            };
            (index.iter().map(of).product::<f64>()).powf(1.0 / order as f64)
        };
        (fine.iter().zip(&coarse).zip(plan.indices()))
            .map(|((&value, coarse), index)| {
                // The coarser rule's relative error is the power 1 / 1.25^2 of the finer's.
                let (distance, size) = ((value - coarse).abs(), size(index));
                let of_rule = match size {
                    0.0 => 0.0,
                    _ => distance * (10.0 * distance / size).min(1.0).sqrt(),
                };
                Moment {
                    value,
                    error: of_rule + 1e-14 * size,
                }
            })
            .collect()
    }

    fn rule(&self, step: f64, plan: &MomentPlan, act: &(dyn Fn(f64) -> f64 + Sync)) -> Vec<f64> {
        let rank = self.rank();
        // Half the ball: products of even order do not change under g -> -g, nor does a grid of
        // half-odd multiples of the step.
        let n = (RADIUS / step).ceil() as i64;
        let axis: Vec<f64> = (-n..n).map(|k| (k as f64 + 0.5) * step).collect();
        let unit = 2.0 * (step / TAU.sqrt()).powi(rank as i32);
        let slices: Vec<f64> = axis.iter().copied().filter(|&x| x > 0.0).collect();
        let parts: Vec<Vec<f64>> = slices
            .into_par_iter()
            .map(|first| {
                let mut nodes = Nodes::new(plan);
                let mut g = vec![0.0; rank];
                g[0] = first;
                visit(&axis, RADIUS, &mut g, 1, first * first, &mut |g, r2| {
                    let weight = unit * (-r2 / 2.0).exp();
                    nodes.push(weight, |p| act(dot(&self.forms[p], g)));
                });
                nodes.take()
            })
            .collect();
        add_up(parts, plan.elements().len())
    }
}

/// Visits the grid points of a ball, from coordinate `depth` on.
pub(super) fn visit(
    axis: &[f64],
    radius: f64,
    g: &mut [f64],
    depth: usize,
    r2: f64,
    at: &mut dyn FnMut(&[f64], f64),
) {
    if depth == g.len() {
        at(g, r2);
        return;
    }
    for &x in axis {
        let r2 = r2 + x * x;
        if r2 <= radius * radius {
            g[depth] = x;
            visit(axis, radius, g, depth + 1, r2, at);
        }
    }
}
