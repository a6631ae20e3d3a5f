//! Averages of products of any activation over many variates by a rank-1 rule.

use std::f64::consts::TAU;

use super::super::super::cubature::Nodes;
use super::super::rank_one;
use super::{Moment, Unit, dot};
use crate::model::{Activation, Law};
use crate::tensor::MomentPlan;

/// All moments.
pub fn moments(activation: &Activation, unit: &Unit, order: usize) -> Vec<Moment> {
    let plan = MomentPlan::new(unit.points(), &[order]);
    let node = |t: &[f64], weight: f64, to: &mut Nodes| {
        let (mut x, mut weight, mut density) = (Vec::with_capacity(t.len()), weight, 0.0);
        for (&law, &t) in unit.laws.iter().zip(t) {
            let (place, slope, log_density) = variate(law, t);
            x.push(place);
            weight *= slope;
            density += log_density;
        }
        // Ends of the lines carry nothing.
        if weight > 0.0 && weight.is_finite() {
            let share = (density / order as f64).exp();
            to.push(weight, |p| {
                let z = dot(&unit.forms[p], &x);
                share * activation.evaluate(z, unit.variances[p])
            });
        }
    };
    rank_one::average(unit.laws.len(), order, &plan, node)
}

/// A variate as a function of t from 0 to 1, its slope, and the logarithm of the density there. Slope
/// times density and some of its derivatives vanish at the ends, and where a law's density bends.
pub fn variate(law: Law, t: f64) -> (f64, f64, f64) {
    match law {
        Law::Gaussian => {
            let x = (t / (1.0 - t)).ln();
            (x, 1.0 / (t * (1.0 - t)), -0.5 * (x * x + TAU.ln()))
        }
        Law::Uniform | Law::Phase => {
            let end = 3f64.sqrt();
            let part = t.powi(3) * (10.0 - 15.0 * t + 6.0 * t * t);
            let slope = 60.0 * end * (t * (1.0 - t)).powi(2);
            (end * (2.0 * part - 1.0), slope, -(2.0 * end).ln())
        }
        Law::Laplace => {
            let s = (2.0 * t).fract();
            let ratio = s / (1.0 - s);
            let slope = 6.0 * (ratio / (1.0 - s)).powi(2);
            let x = ratio.powi(3);
            let log_density = -(2f64.sqrt()) * x - 0.5 * 2f64.ln();
            (if t < 0.5 { -x } else { x }, slope, log_density)
        }
        Law::Rademacher => (if t < 0.5 { -1.0 } else { 1.0 }, 1.0, 0.0),
    }
}
