//! This module has the elements of one n-point function and what the GP has of them.

use super::average::average;
use crate::model::{EnsembleSpec, Estimator};
use crate::tensor::Tuples;
use crate::theory::{deviation_unit, gp_correlator, gp_rounding, mean_unit};

/// `Elements` lists the elements of one n-point function with their GP values and the units of
/// their m_n.
#[derive(Debug, Clone)]
pub(crate) struct Elements {
    /// Order n of the function.
    pub order: usize,
    pub tuples: Tuples,
    /// Wick's G_GP^(n).
    pub gp: Vec<f64>,
    /// What f64 rounds off the GP values.
    pub rounding: Vec<f64>,
    /// Unit of each m_n; `None` where it has none.
    units: Vec<Option<f64>>,
    /// Elements that enter the mean of m_n, with their units: [`mean_unit`].
    pub members: Vec<(usize, f64)>,
}

impl Elements {
    /// Lists the elements of order n that a spec's run measures.
    pub fn new(spec: &EnsembleSpec, kernel: &[Vec<f64>], order: usize) -> Self {
        let tuples = match spec.estimator {
            Estimator::Direct => Tuples::all(kernel.len(), spec.net.d_out(), order),
            Estimator::Connected => Tuples::paired(kernel.len(), spec.net.d_out(), order),
        };
        let gp: Vec<f64> = tuples.iter().map(|t| gp_correlator(kernel, t)).collect();
        let with_gp = || tuples.iter().zip(&gp);
        Self {
            order,
            rounding: tuples.iter().map(|t| gp_rounding(kernel, t)).collect(),
            units: (with_gp().map(|(t, &gp)| deviation_unit(kernel, t, gp))).collect(),
            members: (with_gp().enumerate())
                .filter_map(|(e, (t, &gp))| Some((e, mean_unit(kernel, t, gp)?)))
                .collect(),
            gp,
            tuples,
        }
    }

    /// Counts the elements that the mean of m_n leaves out.
    pub fn left_out(&self) -> usize {
        self.gp.len() - self.members.len()
    }

    /// Returns m_n of each element from its G - G_GP.
    pub fn deviations(&self, delta: &[f64]) -> Vec<Option<f64>> {
        (delta.iter().zip(&self.units))
            .map(|(d, unit)| unit.map(|u| d / u))
            .collect()
    }

    /// Returns m_n of each element that enters the mean.
    pub fn member_deviations(&self, delta: &[f64]) -> Vec<f64> {
        let members = self.members.iter();
        members.map(|&(e, unit)| delta[e] / unit).collect()
    }

    /// Averages m_n; `None` if no element enters it.
    pub fn mean_deviation(&self, delta: &[f64]) -> Option<f64> {
        average(&self.member_deviations(delta))
    }
}
