//! This module loops over the batches of a run, some of which are in flight.

use std::cell::Cell;
use std::iter::from_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};

use super::IN_FLIGHT;
use super::run::Run;
use crate::engine::Work;
use crate::engine::queue::next_size;
use crate::{Error, Result};

/// Time that a batch should take: long against a submission (well under a millisecond),
/// short against the watchdogs of desktops (about two seconds).
const BATCH_TIME: Duration = Duration::from_millis(100);

/// Does the blocks of `work`, `first` of them in the first batch and later what fits the clock, or
/// always `fixed` of them if that is given. The host adds one batch while the device works on the
/// next.
///
/// # Errors
/// [`Error::Overflow`], [`Error::Device`]; what was finished before stays.
pub async fn draw(run: &Run<'_>, work: &dyn Work, first: u64, fixed: Option<u64>) -> Result<()> {
    let size = Cell::new(fixed.unwrap_or(first).min(run.capacity));
    let batches = stream::iter(from_fn(|| work.take(size.get())).enumerate())
        .map(|(number, range)| {
            let (slot, submitted) = (number % IN_FLIGHT, Instant::now());
            let submission = run.submit(slot, &range);
            async move {
                let sums = run.read(slot, &range, submission).await;
                (range, submitted, sums)
            }
        })
        .buffered(IN_FLIGHT);
    let mut batches = pin!(batches);
    let (mut networks, mut last_done) = (0, Instant::now());
    while let Some((range, submitted, sums)) = batches.next().await {
        let sums = sums.map_err(|e| match e {
            Error::Device(what) => {
                Error::Device(format!("{what}; {networks} networks had been finished"))
            }
            other => other,
        })?;
        let done = Instant::now();
        if fixed.is_none() {
            let took = done - submitted.max(last_done);
            let blocks = range.end - range.start;
            size.set(next_size(size.get(), blocks, took, BATCH_TIME).min(run.capacity));
        }
        last_done = done;
        let elements = run.elements(&range, &sums)?;
        networks += elements.networks();
        work.finish(range, elements);
    }
    Ok(())
}
