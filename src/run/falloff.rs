//! A sweep goes over widths.

use std::time::Instant;

use super::Runner;
use super::{FalloffDocument, Head, Source, Timing};
use crate::analysis::{
    Correlator, Falloff, FalloffWidth, check_interacting, check_range, connected_spec,
};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::{Error, Result};

/// `Ensembles` has the ensemble of one width, and the connected one beside it.
pub type Ensembles = (EnsembleSpec, Option<EnsembleSpec>);

/// Puts the connected ensemble beside each spec, tilted where the net needs it if it `may_tilt`.
///
/// # Errors
/// [`Error::Invalid`] if a spec is out of the range of f64 or has no interaction.
pub fn beside(specs: Vec<EnsembleSpec>, may_tilt: bool) -> Result<Vec<Ensembles>> {
    (specs.into_iter())
        .map(|spec| {
            let connected = connected_spec(&spec, may_tilt)?;
            Ok((spec, connected))
        })
        .collect()
}

/// Draws a sweep over widths and fits how the n-point functions fall off to those of the GP.
///
/// # Errors
/// Those of [`Runner::measure`]; [`Error::Invalid`] without a width, or if a spec is out of the
/// range of f64 or has no interaction.
pub fn falloff(runner: &mut Runner, sweep: &[Ensembles]) -> Result<FalloffDocument> {
    let Some((first, second)) = sweep.first() else {
        return Err(Error::invalid("width", "''", "give at least one width"));
    };
    for (spec, _) in sweep {
        check_range(spec)?;
        check_interacting(spec)?;
    }
    let start = Instant::now();
    let mut compile_s = 0.0;
    // Neither the width nor the estimator changes them.
    let plan = Plan::new(first.clone())?;
    let values = plan.values();
    let total = (sweep.iter().flat_map(|(a, b)| b.iter().chain([a])))
        .map(EnsembleSpec::networks)
        .sum();
    let widths = runner.drawing(total, |runner| {
        let mut draw = |spec: &EnsembleSpec| -> Result<Vec<Correlator>> {
            let (correlators, timing) = runner.measure(&plan.beside(spec.clone())?, &values)?;
            compile_s += timing.compile_s.unwrap_or(0.0);
            Ok(correlators)
        };
        (sweep.iter())
            .map(|(spec, second)| {
                let measured = draw(spec)?;
                let connected = second.as_ref().map(&mut draw).transpose()?;
                Ok(FalloffWidth::new(
                    (spec, &measured),
                    second.as_ref().zip(connected.as_deref()),
                ))
            })
            .collect::<Result<_>>()
    })?;
    let falloff = Falloff::new(widths);
    let source = Source::sampled(falloff.unconverged());
    // Rates would mix the widths.
    let timing = Timing::theory(start.elapsed().as_secs_f64() - compile_s).after(compile_s);
    Ok(FalloffDocument {
        head: Head::new(
            FalloffDocument::COMMAND,
            first.clone(),
            runner.device(),
            timing,
            source,
        ),
        connected_spec: second.clone(),
        falloff,
    })
}
