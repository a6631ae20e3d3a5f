//! Measured n-point functions are held against those of theory.

use super::element_mean::ElementMean;
use super::elements::Elements;
use super::measured::Measured;
use super::reference::{Agreement, Known, Reference};

/// A comparison says how a measured n-point function compares with what is known of it.
pub(super) struct Comparison {
    /// Pull of each element; `None` where no exact value is known.
    pub pulls: Option<Vec<Option<f64>>>,
    /// Pull of the mean over elements.
    pub mean_pull: Option<f64>,
    /// Verdict on the mean over elements, where a first order is known.
    pub first_order: Option<Agreement>,
}

impl Comparison {
    pub fn new(
        reference: &Reference,
        elements: &Elements,
        measured: &Measured,
        mean: &ElementMean,
        blocks: u64,
    ) -> Self {
        let exact = reference.exact();
        Self {
            pulls: exact.map(|exact| pulls(exact, elements, measured)),
            mean_pull: exact.and_then(|exact| {
                let value = exact.deviation_mean?;
                let error = mean.std_err?.hypot(exact.deviation_mean_error?);
                let scale = value.abs().max(1.0);
                pull(mean.mean? - value, error, measured.rounding, scale)
            }),
            first_order: reference.first_order().and_then(|known| {
                let difference = mean.mean? - known.deviation_mean?;
                let neglected = known.deviation_mean_error?;
                Some(Agreement::of(difference, neglected, mean.std_err?, blocks))
            }),
        }
    }
}

fn pulls(exact: &Known, elements: &Elements, measured: &Measured) -> Vec<Option<f64>> {
    (0..exact.delta.len())
        .map(|e| {
            let gp = elements.gp[e].abs();
            // Of the difference; G has the rounding of the GP on top.
            let error = measured.std_err[e].hypot(exact.delta_error[e]);
            let scale = gp.max(exact.delta[e].abs());
            let rounding = measured.rounding * gp;
            pull(measured.delta[e] - exact.delta[e], error, rounding, scale)
        })
        .collect()
}

/// Returns (measured - exact) / error. What does not fluctuate by more than `rounding` has none,
/// unless it is wrong on the scale of the values: rare networks were not drawn.
fn pull(difference: f64, error: f64, rounding: f64, scale: f64) -> Option<f64> {
    if error > rounding {
        return Some(difference / error);
    }
    (difference.abs() > 1e-9 * scale).then(|| difference / (1e-13 * scale.max(difference.abs())))
}
