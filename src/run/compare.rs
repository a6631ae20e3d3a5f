//! The GPU is compared with the f64 CPU engine.

use std::time::Instant;

use super::Runner;
use super::{CompareDocument, CompareSpec, Timing};
use crate::Result;
use crate::analysis::cross_check;
use crate::engine::gpu::GpuEngine;
use crate::model::Net;

/// Compares every stage and all fits, of one net or of the source's; `thorough` draws some twenty
/// times as many networks.
///
/// # Errors
/// [`crate::Error::Device`] if the adapter fails.
pub fn compare(
    runner: &mut Runner<GpuEngine>,
    net: Option<&Net>,
    thorough: bool,
) -> Result<CompareDocument> {
    let start = Instant::now();
    let (engine, progress, _) = runner.parts();
    let check = cross_check(engine, net, thorough, &|what| progress.at(what));
    progress.end();
    let check = check?;
    let timing = Timing::theory(start.elapsed().as_secs_f64());
    Ok(CompareDocument::new(
        CompareSpec::new(net, thorough),
        runner.device(),
        timing,
        check,
    ))
}
