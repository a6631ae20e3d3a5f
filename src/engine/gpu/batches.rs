//! This module loops over the batches of a run, some of which are in flight.

use std::cell::Cell;
use std::iter::from_fn;
use std::ops::Range;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};

use super::IN_FLIGHT;
use crate::Result;
use crate::engine::Work;
use crate::engine::queue::next_size;

/// Time that a batch should take: long against a submission (well under a millisecond),
/// short against the watchdogs of desktops (about two seconds).
const BATCH_TIME: Duration = Duration::from_millis(100);

/// `Batches` are what ranges of blocks become on the device: their elements, or their outputs.
pub trait Batches<T> {
    /// Returns the largest number of blocks in a batch.
    fn capacity(&self) -> u64;

    /// Submits a batch, whose numbers go to buffer number `slot`.
    fn submit(&self, slot: usize, range: &Range<u64>) -> wgpu::SubmissionIndex;

    /// Reads the numbers of a batch, once the batch is done.
    ///
    /// # Errors
    /// [`Error::Device`].
    fn read(
        &self,
        slot: usize,
        range: &Range<u64>,
        submission: wgpu::SubmissionIndex,
    ) -> impl Future<Output = Result<Vec<f32>>>;

    /// Forms what is handed in of the numbers of a range of blocks.
    ///
    /// # Errors
    /// [`Error::Overflow`] of a number that is not finite.
    fn result(&self, range: &Range<u64>, numbers: &[f32]) -> Result<T>;
}

/// Does the blocks of `work`, `first` of them in the first batch and later what fits the clock, or
/// always `fixed` of them if that is given. The host adds one batch while the device works on the
/// next.
///
/// # Errors
/// [`Error::Overflow`], [`Error::Device`]; what was finished before stays.
pub async fn draw<T>(
    run: &impl Batches<T>,
    work: &dyn Work<T>,
    first: u64,
    fixed: Option<u64>,
) -> Result<()> {
    let size = Cell::new(fixed.unwrap_or(first).min(run.capacity()));
    let batches = stream::iter(from_fn(|| work.take(size.get())).enumerate())
        .map(|(number, range)| {
            let (slot, submitted) = (number % IN_FLIGHT, Instant::now());
            let submission = run.submit(slot, &range);
            async move {
                let numbers = run.read(slot, &range, submission).await;
                (range, submitted, numbers)
            }
        })
        .buffered(IN_FLIGHT);
    let mut batches = pin!(batches);
    let mut last_done = Instant::now();
    while let Some((range, submitted, numbers)) = batches.next().await {
        let numbers = numbers?;
        let done = Instant::now();
        if fixed.is_none() {
            let took = done - submitted.max(last_done);
            let blocks = range.end - range.start;
            size.set(next_size(size.get(), blocks, took, BATCH_TIME).min(run.capacity()));
        }
        last_done = done;
        let result = run.result(&range, &numbers)?;
        work.finish(range, result);
    }
    Ok(())
}
