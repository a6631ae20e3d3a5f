//! O(d_out) is broken by readouts that are not Gaussian, which is measured here.

use serde::{Deserialize, Serialize};

use super::chi_squared::ChiSquared;
use super::symmetry::{Placements, check_experiments};
use crate::Result;
use crate::plan::Plan;
use crate::tensor::Accumulator;
use crate::theory::{Exact, field_size, gp_correlator};

/// `Breaking` is the size by which O(d_out) is broken: the connected iiii function less the sum of
/// its three placements of iijj, (mu_4 - 3) sigma_w^4 E[h h h h] / N of the weights and
/// (mu_4 - 3) sigma_b^4 of the biases, which a Gaussian law has not. Permutations and signs of
/// outputs are left as symmetries.
///
/// All values are averages over 4-tuples of points and outputs i, j, each in units of the product of
/// the standard deviations of its outputs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Breaking {
    /// Number of outputs of the ensemble.
    pub d_out: usize,
    /// Size as measured.
    pub measured: f64,
    /// Standard error of `measured`, from the scatter of experiments.
    pub std_err: f64,
    /// Size that theory predicts.
    pub predicted: f64,
    /// Bound of the error of `predicted`.
    pub predicted_error: f64,
    /// Whether O(d_out) is seen to be broken: a p-value below 1e-4.
    pub found: bool,
    /// The test that the placements add up, which has that p-value.
    #[serde(flatten)]
    pub test: ChiSquared,
}

impl Breaking {
    /// Returns the distance of measured and predicted size, over the errors of both.
    pub fn pull(&self) -> Option<f64> {
        let error = self.std_err.hypot(self.predicted_error);
        (error > 0.0).then(|| (self.measured - self.predicted) / error)
    }
}

/// Measures by how much O(d_out) is broken in a direct ensemble of orders 2 and 4; `None` if
/// nothing can break it: with one output, or where outputs are Gaussian given the hidden layer.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) with too few experiments;
/// [`Error::NotFinite`](crate::Error::NotFinite).
pub fn symmetry_breaking(
    plan: &Plan,
    exact: &Exact,
    run: &Accumulator,
) -> Result<Option<Breaking>> {
    let (spec, kernel) = (plan.spec(), plan.kernel());
    if spec.net.d_out() == 1 || spec.net.has_gaussian_readout() {
        return Ok(None);
    }
    run.total()?;
    check_experiments(spec)?;
    let tuples = plan.measurement().tuples();
    let of_elements =
        |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..tuples.len()).map(of).collect() };
    let expected =
        of_elements(&|e| gp_correlator(kernel, tuples.get(e)) + exact.deviation(tuples.get(e)));
    let errors = of_elements(&|e| exact.error(tuples.get(e)));
    let placements = Placements::new(spec, tuples);
    let sizes = placements.sizes(&of_elements(&|e| field_size(kernel, tuples.get(e))));
    let average = |values: &[f64]| -> f64 {
        let used = values.iter().zip(&sizes).filter(|(_, size)| **size > 0.0);
        let count = used.clone().count() as f64;
        used.map(|(value, size)| value / size).sum::<f64>() / count
    };
    let samples: Vec<Vec<f64>> = (run.experiments().iter())
        .map(|experiment| placements.violations(&experiment.mean))
        .collect();
    let each: Vec<f64> = samples.iter().map(|sample| -average(sample)).collect();
    let count = each.len() as f64;
    let measured = each.iter().sum::<f64>() / count;
    let scatter = each.iter().map(|x| (x - measured).powi(2)).sum::<f64>() / (count - 1.0);
    Ok(ChiSquared::new(&samples, &sizes).map(|test| Breaking {
        d_out: spec.net.d_out(),
        measured,
        std_err: (scatter / count).sqrt(),
        predicted: -average(&placements.violations(&expected)),
        predicted_error: average(&placements.errors(&errors)),
        found: !test.pass(),
        test,
    }))
}
