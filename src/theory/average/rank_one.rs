//! Averages of products of any activation by a rank-1 rule, all tuples at once.
//!
//! The nodes are the multiples j z / N of one integer vector z modulo 1 (Korobov: powers of one
//! number), moved by a random shift. A smooth periodic function whose Fourier coefficient m is f_m is
//! averaged with an error of sum f_m over the m with m . z = 0 mod N, which falls faster than the error
//! of a grid with as many nodes from about five dimensions on. With g = log(t / (1 - t)) the normals'
//! density and all of its derivatives vanish at t = 0 and 1: periodic, whatever is averaged.

use std::f64::consts::TAU;
use std::ops::Range;

use rayon::prelude::*;

use super::super::cubature::{Nodes, add_up};
use super::Moment;
use super::general::sizes;
use super::rule::Neuron;
use crate::tensor::MomentPlan;

/// Nodes of a rule, a prime number.
pub const NODES: u64 = 131_071;
/// Its generator: the best of some 200 in eight dimensions by the merit that
/// `scripts/fit/korobov.py` measures, 0.0581; the median is above 0.065.
const GENERATOR: u64 = 8238;
/// Rules with shifts of their own, whose scatter is the error.
const SHIFTS: u64 = 8;
/// Standard errors of the mean over the shifts that the error is stated as: Student's t of seven
/// degrees of freedom exceeds it in one case of 500.
const ERRORS: f64 = 4.8;
/// Parts that a rule is cut into, in the order of its nodes.
const PARTS: u64 = 32;

/// All moments of a neuron.
pub fn moments(neuron: &Neuron) -> Vec<Moment> {
    let node = |t: &[f64], weight: f64, to: &mut Nodes| {
        let (mut r2, mut unit) = (0.0, weight);
        let mut g = Vec::with_capacity(t.len());
        for t in t {
            let normal = (t / (1.0 - t)).ln();
            r2 += normal * normal;
            unit /= TAU.sqrt() * t * (1.0 - t);
            g.push(normal);
        }
        // t = 0 itself carries nothing.
        if unit.is_finite() {
            let share = neuron.share(r2);
            to.push(unit, |p| share * neuron.value(p, &g));
        }
    };
    average(neuron.rank(), neuron.order, &neuron.plan, node)
}

/// The averages of a plan's products over the unit cube, of what `node` pushes at the points of the
/// rules with their weight.
pub fn average(
    dimension: usize,
    order: usize,
    plan: &MomentPlan,
    node: impl Fn(&[f64], f64, &mut Nodes) + Sync,
) -> Vec<Moment> {
    let rule = |number| sum(dimension, plan, number, &node);
    let rules: Vec<Vec<f64>> = (0..SHIFTS).map(rule).collect();
    let count = SHIFTS as f64;
    let mut moments: Vec<Moment> = (0..plan.elements().len())
        .map(|e| {
            let mean = rules.iter().map(|rule| rule[e]).sum::<f64>() / count;
            let square: f64 = rules.iter().map(|rule| (rule[e] - mean).powi(2)).sum();
            Moment {
                value: mean,
                error: ERRORS * (square / (count * (count - 1.0))).sqrt(),
            }
        })
        .collect();
    let sizes = sizes(plan.fields(), order, &moments);
    (moments.iter_mut().zip(sizes)).for_each(|(m, size)| m.error += 1e-13 * size);
    moments
}

/// The rule with a shift.
fn sum(
    dimension: usize,
    plan: &MomentPlan,
    shift: u64,
    node: &(impl Fn(&[f64], f64, &mut Nodes) + Sync),
) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = (0..PARTS)
        .into_par_iter()
        .map(|part| {
            let mut nodes = Nodes::new(plan);
            let range = (part * NODES / PARTS)..((part + 1) * NODES / PARTS);
            visit(dimension, shift, range, &mut |at| {
                node(at, 1.0 / NODES as f64, &mut nodes);
            });
            nodes.take()
        })
        .collect();
    add_up(parts, plan.elements().len())
}

/// Visits nodes of the rule with a shift, points of the unit cube.
pub fn visit(dimension: usize, shift: u64, nodes: Range<u64>, to: &mut dyn FnMut(&[f64])) {
    let mut generator = vec![1u64];
    while generator.len() < dimension {
        generator.push(generator[generator.len() - 1] * GENERATOR % NODES);
    }
    let shifts: Vec<f64> = (0..dimension as u64)
        .map(|k| uniform(shift * dimension as u64 + k))
        .collect();
    let mut at = vec![0.0; dimension];
    for j in nodes {
        for ((t, z), shift) in at.iter_mut().zip(&generator).zip(&shifts) {
            *t = ((j * z % NODES) as f64 / NODES as f64 + shift).fract();
        }
        to(&at);
    }
}

/// A number between 0 and 1 that looks random (splitmix64).
fn uniform(number: u64) -> f64 {
    let mut x = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as f64 / 2f64.powi(64)
}
