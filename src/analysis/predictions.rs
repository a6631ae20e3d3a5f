//! This module has n-point functions as theory has them, without sampling.

use serde::Serialize;

use super::check_range;
use super::elements::Elements;
use super::reference::Reference;
use crate::Result;
use crate::model::EnsembleSpec;
use crate::theory::Values;

/// `Prediction` is one n-point function as theory has it, without sampling; its fields are those of
/// [`Correlator`](super::Correlator).
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Prediction {
    /// Order n of the function.
    pub order: usize,
    /// Points of each element, i_1 <= .. <= i_n among those of one output.
    pub indices: Vec<Vec<usize>>,
    /// Outputs of each element, beside the points; empty if there is one output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Vec<usize>>,
    /// Wick's G_GP^(n).
    pub gp: Vec<f64>,
    /// What is known beyond the GP.
    #[serde(flatten, serialize_with = "Reference::serialize_alone")]
    pub reference: Reference,
    /// Number of elements left out of the mean of m_n, as in [`Correlator`](super::Correlator).
    pub left_out: usize,
}

/// Predicts the GP's values and those at finite width, one entry per order of the spec.
///
/// # Errors
/// Those of [`check_range`].
pub fn predictions(spec: &EnsembleSpec, values: &Values) -> Result<Vec<Prediction>> {
    check_range(spec)?;
    Ok((spec.orders.iter())
        .map(|&order| {
            let elements = Elements::new(spec, values.kernel(), order);
            Prediction {
                order,
                reference: Reference::of(values, &elements),
                left_out: elements.left_out(),
                indices: elements.tuples.points,
                outputs: elements.tuples.outputs,
                gp: elements.gp,
            }
        })
        .collect())
}
