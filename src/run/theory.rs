//! This module has theory alone: kernel, GP and exact n-point functions.

use std::time::Instant;

use super::TheoryDocument;
use crate::Result;
use crate::analysis::predictions;
use crate::model::EnsembleSpec;
use crate::theory::Exact;

/// Calculates the n-point functions of a net at some inputs, at several widths.
///
/// # Errors
/// Those of [`predictions`].
pub fn theory(specs: Vec<EnsembleSpec>) -> Result<Vec<TheoryDocument>> {
    let Some(first) = specs.first() else {
        return Ok(Vec::new());
    };
    let start = Instant::now();
    // The neuron moments are those of every width.
    let exact = Exact::new(first);
    (specs.into_iter())
        .map(|spec| {
            let predictions = predictions(&spec, &exact.at_width(spec.net.width()))?;
            let seconds = start.elapsed().as_secs_f64();
            Ok(TheoryDocument::new(
                spec,
                seconds,
                exact.kernel().to_vec(),
                predictions,
            ))
        })
        .collect()
}
