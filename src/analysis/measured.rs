//! This module has what a run holds of its n-point functions.

use super::elements::Elements;
use crate::plan::Plan;
use crate::tensor::{Accumulator, Drawn, Measurement, Statistics};
use crate::{Error, Result};

/// `Run` holds the elements of a run over all experiments and in each, with their errors and the
/// heaviest networks.
pub(super) struct Run<'a> {
    pub plan: &'a Measurement,
    pub total: Statistics,
    /// Standard errors of all elements, and of the means over them.
    pub std_err: Vec<f64>,
    pub experiments: Vec<Statistics>,
    heaviest: Vec<Drawn>,
}

impl<'a> Run<'a> {
    pub fn new(plan: &'a Plan, elements: &Accumulator) -> Result<Self> {
        let plan = plan.measurement();
        let total = elements.total()?;
        let std_err = total.std_err().ok_or_else(|| {
            Error::NotFinite("a standard error from one block of networks".into())
        })?;
        Ok(Self {
            experiments: elements.experiments(),
            heaviest: (elements.extremes().iter())
                .map(|network| plan.drawn(network))
                .collect(),
            plan,
            total,
            std_err,
        })
    }

    /// Returns the index of the mean over the elements of the k-th order.
    pub fn mean_at(&self, k: usize) -> usize {
        self.plan.means().start + k
    }

    /// Returns what each of the heaviest networks adds to the sum of one element, or of a mean.
    pub fn contributions(&self, at: usize) -> Vec<f64> {
        let networks = self.heaviest.iter();
        networks.map(|n| self.plan.contribution(at, n)).collect()
    }

    /// Returns the skewness of an average: the third cumulant of the sum over networks, as far as
    /// the heaviest carry it, in units of the sum's error.
    pub fn skewness(&self, at: usize) -> f64 {
        let error = self.std_err[at] * self.total.networks;
        match error > 0.0 {
            true => (self.contributions(at).into_iter())
                .map(|c| ((c - self.total.mean[at]) / error).powi(3))
                .sum(),
            false => 0.0,
        }
    }
}

/// `Measured` is one n-point function as a run has it.
pub(super) struct Measured {
    /// G^(n) over all experiments.
    pub mean: Vec<f64>,
    /// G^(n) - G_GP^(n) over all experiments.
    pub delta: Vec<f64>,
    /// Standard error of both `mean` and `delta`.
    pub std_err: Vec<f64>,
    /// G^(n) in each experiment, `[experiment][element]`.
    pub experiments: Vec<Vec<f64>>,
    /// G^(n) - G_GP^(n) in each experiment, `[experiment][element]`.
    pub delta_experiments: Vec<Vec<f64>>,
    /// Rounding of the sums relative to the GP's value, where nothing else fluctuates.
    pub rounding: f64,
}

impl Measured {
    /// Takes the k-th order of a run: its elements are G or G - G_GP, and both are wanted.
    pub fn new(run: &Run, k: usize, elements: &Elements) -> Self {
        let range = run.plan.orders()[k].1.clone();
        let is_delta = run.plan.is_connected();
        let cut = |all: &[f64]| all[range.clone()].to_vec();
        let moved = |all: &[f64], sign: f64| -> Vec<f64> {
            let own = all[range.clone()].iter().zip(&elements.gp);
            own.map(|(x, gp)| x + sign * gp).collect()
        };
        let full = |all: &[f64]| if is_delta { moved(all, 1.0) } else { cut(all) };
        let delta = |all: &[f64]| if is_delta { cut(all) } else { moved(all, -1.0) };
        let experiments = &run.experiments;
        Self {
            mean: full(&run.total.mean),
            delta: delta(&run.total.mean),
            std_err: cut(&run.std_err),
            experiments: experiments.iter().map(|s| full(&s.mean)).collect(),
            delta_experiments: experiments.iter().map(|s| delta(&s.mean)).collect(),
            rounding: if is_delta { 0.0 } else { 1e-13 },
        }
    }
}
