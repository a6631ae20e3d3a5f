//! A sweep goes over depths.

use std::time::Instant;

use super::Runner;
use super::{DepthDocument, Head, Source, Timing};
use crate::analysis::{Depth, DepthSweep, check_interacting, check_range};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::theory::Values;
use crate::{Error, Result};

/// Draws a sweep over depths, one spec each, and fits how the n-point functions grow with depth.
///
/// # Errors
/// Those of [`Runner::measure`]; [`Error::Invalid`] without a depth, if hidden layers have different
/// widths, or if a spec is out of the range of f64 or has no interaction.
pub fn depth(runner: &mut Runner, sweep: &[EnsembleSpec]) -> Result<DepthDocument> {
    let Some(first) = sweep.first() else {
        return Err(Error::invalid("depth", "''", "give at least one depth"));
    };
    for spec in sweep {
        check_range(spec)?;
        check_interacting(spec)?;
        let hidden = spec.net.hidden();
        if hidden.iter().any(|width| *width != hidden[0]) {
            let reason = "a sweep over depths has hidden layers of one width";
            return Err(Error::invalid("hidden", format!("{hidden:?}"), reason));
        }
    }
    let start = Instant::now();
    let mut compile_s = 0.0;
    let mut values: Option<Values> = None;
    let total = sweep.iter().map(EnsembleSpec::networks).sum();
    let depths = runner.drawing(total, |runner| {
        (sweep.iter())
            .map(|spec| {
                let plan = Plan::new(spec.clone())?;
                let known = (values.take()).and_then(|v| v.at_widths_of(&spec.net));
                let known = values.insert(known.unwrap_or_else(|| plan.values()));
                let (measured, timing) = runner.measure(&plan, known)?;
                compile_s += timing.compile_s.unwrap_or(0.0);
                Ok(Depth::new(plan.spec(), &measured, known))
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let sweep = DepthSweep::new(depths);
    // Rates would mix the depths.
    let timing = Timing::theory(start.elapsed().as_secs_f64() - compile_s).after(compile_s);
    Ok(DepthDocument {
        head: Head::new(
            DepthDocument::COMMAND,
            first.clone(),
            runner.device(),
            timing,
            Source::sampled(sweep.unconverged()),
        ),
        sweep,
    })
}
