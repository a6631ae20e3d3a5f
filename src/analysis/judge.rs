//! This module judges whether the elements of a run, and their means, have converged.

use rayon::prelude::*;

use super::compare::Comparison;
use super::convergence::{Convergence, Failure, Sum};
use super::elements::Elements;
use super::measured::Run;
use crate::model::{EnsembleSpec, Estimator};
use crate::plan::Plan;
use crate::theory::{RareNeurons, tilt};

/// A reason says why averages cannot be believed, and what to do about it.
pub(super) struct Reason {
    pub why: String,
    pub advice: String,
}

/// `Judge` has the heaviest networks of a run, and what is known to be missing from it.
pub(super) struct Judge<'a> {
    run: &'a Run<'a>,
    rare: Option<RareNeurons>,
    /// Whether the heaviest networks are those with the largest contributions.
    has_tail: bool,
}

impl<'a> Judge<'a> {
    pub fn new(plan: &Plan, run: &'a Run<'a>) -> Self {
        let spec = plan.spec();
        Self {
            rare: RareNeurons::new(spec, plan.kernel(), run.total.networks),
            // Outputs are independent given the hidden layer: networks that are heavy in one are
            // not the heaviest in the others.
            has_tail: spec.net.d_out() == 1 || run.plan.is_connected(),
            run,
        }
    }

    /// Judges the elements of the k-th order and their mean.
    pub fn order(&self, k: usize, elements: &Elements, compared: &Comparison) -> Judged {
        let plan = &self.run.plan;
        let start = plan.orders()[k].1.start;
        let missed: Option<Vec<f64>> = (self.rare.as_ref())
            .map(|rare| elements.tuples.iter().map(|t| rare.missed(t)).collect());
        let each = (0..elements.gp.len())
            .into_par_iter()
            .map(|e| {
                let pull = compared.pulls.as_ref().and_then(|all| all[e]);
                let missed = missed.as_ref().map_or(0.0, |m| m[e]);
                self.element(start + e, pull, missed)
            })
            .collect();
        let missed_of_mean = missed.as_ref().map_or(0.0, |missed| {
            let weights = plan.mean_weights(k).iter();
            weights.map(|&(e, w)| (w * missed[e - start]).abs()).sum()
        });
        Judged {
            each,
            mean: self.element(self.run.mean_at(k), compared.mean_pull, missed_of_mean),
        }
    }

    /// Judges one element or mean over elements by what has been drawn of it, and what has not.
    fn element(&self, at: usize, pull: Option<f64>, missed: f64) -> Convergence {
        let total = &self.run.total;
        let sum = Sum {
            value: total.mean[at] * total.networks,
            std_err: self.run.std_err[at] * total.networks,
            missed: missed * total.networks,
        };
        Convergence::new(&self.run.contributions(at), sum, pull, self.has_tail)
    }
}

/// `Judged` holds what is known about the convergence of one n-point function.
pub(super) struct Judged {
    each: Vec<Convergence>,
    mean: Convergence,
}

impl Judged {
    pub fn largest_shares(&self) -> Vec<f64> {
        self.each.iter().map(|c| c.largest_share).collect()
    }

    pub fn tail_indices(&self) -> Vec<Option<f64>> {
        let indices = self.each.iter().map(|c| c.tail_index);
        indices.map(|index| index.map(|k| k.value)).collect()
    }

    pub fn converged(&self) -> Vec<bool> {
        self.each.iter().map(|c| c.failure().is_none()).collect()
    }

    /// Returns the worst failure among the elements, or of their mean, and the way out.
    pub fn reason(&self, spec: &EnsembleSpec, is_exact: bool) -> Option<Reason> {
        let failures: Vec<Failure> = self.each.iter().filter_map(Convergence::failure).collect();
        let (what, gravest) = match (
            failures.iter().copied().reduce(Failure::worse),
            self.mean.failure(),
        ) {
            (Some(gravest), _) => {
                let what = format!("{} of {} elements have", failures.len(), self.each.len());
                (what, gravest)
            }
            (None, Some(of_mean)) => ("the mean over elements has".to_string(), of_mean),
            (None, None) => return None,
        };
        const TRUST: &str = "trust the exact value";
        let advice = match (tilt(spec).is_some(), spec.estimator, &spec.tilt) {
            (true, Estimator::Direct, _) => [
                "use the connected estimator with importance sampling",
                TRUST,
            ],
            (true, Estimator::Connected, None) => ["add importance sampling", TRUST],
            (_, Estimator::Direct, _) => ["draw more networks", "use the connected estimator"],
            _ => ["draw more networks", TRUST],
        };
        let advice: Vec<&str> = (advice.into_iter())
            .filter(|&way| is_exact || way != TRUST)
            .collect();
        let advice = advice.join(", or ");
        Some(Reason {
            why: format!("{what} not converged: {gravest}"),
            advice,
        })
    }
}
