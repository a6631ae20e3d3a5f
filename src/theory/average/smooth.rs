//! Averages of products of a smooth activation by the trapezoidal rule, all tuples at once.

use std::f64::consts::{PI, TAU};

use rayon::prelude::*;

use super::super::cubature::{Nodes, add_up};
use super::Moment;
use super::general::sizes;
use super::rule::Neuron;
use super::trapezoid::visit;

/// A rule that takes one core longer is not tried.
const SECONDS: f64 = 4.0;
/// The longest step, in units of pre-activations, whose errors the distance of two rules shows.
const RESOLVED: f64 = 1.5;
/// The largest number of nodes on half an axis.
const LONGEST: f64 = 2e6;
/// The largest number of parts whose sums are kept: of one rank a slice is a node.
const PARTS: usize = 1 << 14;

/// All moments of a neuron. An activation that is analytic within the distance d of the real line
/// leaves an error of exp(-2 pi d / h) with the step h: it falls until two rules agree.
///
/// The mean over a grid and the same moved by half a step along each axis is that over a body-centred
/// grid. What is left has a step shorter by sqrt 2 for twice the nodes, in any number of dimensions.
pub fn moments(neuron: &Neuron) -> Vec<Moment> {
    let precision = match neuron.rank() {
        ..=2 => 1e-12,
        3 => 1e-10,
        _ => 1e-7,
    };
    // The step of the longest rule.
    let of_one = neuron.seconds(2.0 * nodes(neuron, 1.0));
    let shortest = (of_one / SECONDS).powf(1.0 / neuron.rank() as f64);
    let shortest = shortest.max(neuron.radius() / LONGEST);
    let first = (0.7 / neuron.largest()).min(0.9).max(shortest);
    let cubic = sum(neuron, first, 0.5);
    let rule = |level: i32| {
        if level == 0 {
            return Some(cubic.clone());
        }
        let step = first * 0.5f64.powf(0.5 * f64::from(level - 1));
        let is_short = level == 1 || step >= shortest;
        is_short.then(|| match level {
            1 => mean(&cubic, &sum(neuron, step, 0.0)),
            _ => mean(&sum(neuron, step, 0.5), &sum(neuron, step, 0.0)),
        })
    };
    let moments = neuron.refined(precision, |level| rule(level as i32));
    let moments = moments.expect("two rules are always tried");
    unresolved(neuron, shortest, moments)
}

/// Adds to errors what a step leaves that is too long for the activation. Such rules may agree by chance: where units
/// saturate from one node to the next, each is off by up to a step along the line between.
fn unresolved(neuron: &Neuron, shortest: f64, mut moments: Vec<Moment>) -> Vec<Moment> {
    let step = shortest * neuron.largest();
    if step > RESOLVED {
        // In units of pre-activations the poles of a hyperbolic tangent are pi/2 away.
        let left = shortest * (-PI * PI / step).exp();
        let sizes = sizes(neuron.forms.len(), neuron.order, &moments);
        for (moment, size) in moments.iter_mut().zip(sizes) {
            moment.error = moment.error.max(left * size);
        }
    }
    moments
}

fn mean(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| 0.5 * (a + b)).collect()
}

fn nodes(neuron: &Neuron, step: f64) -> f64 {
    let rank = neuron.rank() as f64;
    let ball = PI.powf(rank / 2.0) / libm::tgamma(rank / 2.0 + 1.0);
    let half = if neuron.is_symmetric() { 0.5 } else { 1.0 };
    half * ball * (neuron.radius() / step).powf(rank)
}

/// The sum over a cubic grid that is moved by a part of the step, 0 or 1/2.
fn sum(neuron: &Neuron, step: f64, moved: f64) -> Vec<f64> {
    let (rank, radius) = (neuron.rank(), neuron.radius());
    let n = (radius / step).ceil() as i64;
    let axis: Vec<f64> = (-n..=n).map(|k| (k as f64 + moved) * step).collect();
    let unit = (step / TAU.sqrt()).powi(rank as i32);
    // The grid is its own mirror image.
    let is_half = neuron.is_symmetric();
    let slices = axis.iter().copied().filter(|&x| x >= 0.0 || !is_half);
    let slices: Vec<f64> = slices.collect();
    let parts: Vec<Vec<f64>> = slices
        .par_chunks(slices.len().div_ceil(PARTS))
        .map(|slices| {
            let mut nodes = Nodes::new(&neuron.plan);
            let mut g = vec![0.0; rank];
            for &first in slices {
                let unit = unit * if is_half && first > 0.0 { 2.0 } else { 1.0 };
                g[0] = first;
                visit(&axis, radius, &mut g, 1, first * first, &mut |g, r2| {
                    let share = neuron.share(r2);
                    nodes.push(unit, |p| share * neuron.value(p, g));
                });
            }
            nodes.take()
        })
        .collect();
    add_up(parts, neuron.plan.elements().len())
}
