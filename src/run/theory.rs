//! This module has theory alone: kernel, GP and exact n-point functions.

use std::time::Instant;

use super::TheoryDocument;
use crate::Result;
use crate::analysis::predictions;
use crate::model::EnsembleSpec;
use crate::theory::Values;

/// Calculates the n-point functions of a net at some inputs, at several widths.
///
/// # Errors
/// Those of [`predictions`].
pub fn theory(specs: Vec<EnsembleSpec>) -> Result<Vec<TheoryDocument>> {
    let Some(first) = specs.first() else {
        return Ok(Vec::new());
    };
    let start = Instant::now();
    // Averages over units are those of every width.
    let mut values = Values::new(first);
    (specs.into_iter())
        .map(|spec| {
            values = (values.at_widths_of(&spec.net)).unwrap_or_else(|| Values::new(&spec));
            let predictions = predictions(&spec, &values)?;
            let seconds = start.elapsed().as_secs_f64();
            Ok(TheoryDocument::new(
                spec,
                seconds,
                values.kernel().to_vec(),
                predictions,
            ))
        })
        .collect()
}
