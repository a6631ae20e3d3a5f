//! This module loops over the batches of a run, some of which are in flight.

use std::cell::RefCell;
use std::iter::from_fn;
use std::ops::Range;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};

use super::IN_FLIGHT;
use super::device::Device;
use crate::engine::Work;
use crate::engine::queue::next_size;
use crate::{Error, Result};

/// Time that a batch should take: long against a submission (well under a millisecond),
/// short against the watchdogs of desktops (about two seconds).
const BATCH_TIME: Duration = Duration::from_millis(100);

/// `Batches` are what ranges of blocks become on the device: their elements, or their outputs.
pub trait Batches<T> {
    /// Returns the device that batches are submitted to.
    fn device(&self) -> &Device;

    /// Returns the largest number of blocks in a batch.
    fn capacity(&self) -> u64;

    /// Submits a batch, whose numbers go to buffer number `slot`.
    fn submit(&self, slot: usize, range: &Range<u64>) -> wgpu::SubmissionIndex;

    /// Returns the buffer that the numbers of a batch are read from, and how many bytes they are.
    fn staging(&self, slot: usize, range: &Range<u64>) -> (&wgpu::Buffer, u64);

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
    let first = fixed.unwrap_or(first).min(run.capacity());
    let pace = RefCell::new(Pace::new(first, run.capacity(), Instant::now()));
    let batches = stream::iter(from_fn(|| work.take(pace.borrow().size)).enumerate())
        .map(|(number, range)| {
            let (slot, submitted) = (number % IN_FLIGHT, Instant::now());
            let submission = run.submit(slot, &range);
            async move {
                let (staging, bytes) = run.staging(slot, &range);
                let result = |numbers: &[f32]| run.result(&range, numbers);
                let read = run.device().read_with(submission, staging, bytes, result);
                let (done, result) = read.await?;
                Ok::<_, Error>((range, submitted, done, result?))
            }
        })
        .buffered(IN_FLIGHT);
    let mut batches = pin!(batches);
    while let Some(batch) = batches.next().await {
        let (range, submitted, done, result) = batch?;
        if fixed.is_none() {
            let blocks = range.end - range.start;
            pace.borrow_mut().done(blocks, submitted, done);
        }
        work.finish(range, result);
    }
    Ok(())
}

/// `Pace` sizes batches by the clock.
struct Pace {
    /// Number of blocks of the next batch.
    size: u64,
    capacity: u64,
    last_done: Instant,
    /// Blocks and time of the last batch.
    last: (u64, Duration),
}

impl Pace {
    fn new(first: u64, capacity: u64, start: Instant) -> Self {
        Self {
            size: first,
            capacity,
            last_done: start,
            last: (0, Duration::ZERO),
        }
    }

    /// Notes that a batch of so many blocks is done, and sizes the next.
    fn done(&mut self, blocks: u64, submitted: Instant, done: Instant) {
        // Batches in flight wait for those before.
        let begun = submitted.max(self.last_done);
        let last = (blocks, done.saturating_duration_since(begun));
        // A host that is late to see the end of one batch takes the next for a short one: two have their sum.
        let both = (last.0 + self.last.0, last.1 + self.last.1);
        self.size = next_size(self.size, both.0, both.1, BATCH_TIME).min(self.capacity);
        (self.last_done, self.last) = (done, last);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Draws on a device whose batches of so many blocks take some milliseconds, beside a host that sees their ends late
    /// and takes a while for each; returns blocks and milliseconds of every batch that was sized by the clock.
    fn simulate(
        first: u64,
        batches: usize,
        takes: impl Fn(usize, u64) -> f64,
        late: impl Fn(usize) -> f64,
    ) -> Vec<(u64, f64)> {
        let start = Instant::now();
        let at = |ms: f64| start + Duration::from_secs_f64(ms / 1e3);
        let mut pace = Pace::new(first, 1 << 20, start);
        let (mut now, mut free, mut seen) = (0f64, 0f64, 0f64);
        let (mut flight, mut all) = (VecDeque::new(), Vec::new());
        for number in 0..batches {
            let (blocks, time) = (pace.size, takes(number, pace.size));
            free = free.max(now) + time;
            flight.push_back((blocks, now, free));
            if number >= IN_FLIGHT {
                all.push((blocks, time));
            }
            if flight.len() == IN_FLIGHT {
                let (blocks, submitted, done) = flight.pop_front().unwrap();
                seen = seen.max(done) + late(number);
                pace.done(blocks, at(submitted), at(seen));
                now = now.max(seen) + 5.0;
            }
        }
        all
    }

    #[test]
    fn batches_take_a_tenth_of_a_second_and_never_half_of_one() {
        for per_block in [1e-3, 0.02, 0.3, 5.0, 60.0] {
            for first in [1, 16, 256] {
                for overhead in [0.0, 0.2, 20.0] {
                    // No first batch is longer than an adapter of the slowest kind takes for it.
                    if per_block * first as f64 > 200.0 {
                        continue;
                    }
                    let takes = |_: usize, blocks: u64| overhead + per_block * blocks as f64;
                    let all = simulate(first, 60, takes, |_| 0.0);
                    let typical = &all[30..];
                    assert!(
                        all.iter().all(|(_, ms)| *ms < 130.0),
                        "{per_block} {first} {all:?}"
                    );
                    assert!(
                        typical.iter().all(|(_, ms)| *ms > 50.0),
                        "{per_block} {typical:?}"
                    );
                    // Hosts with much else to do, and a card that slows down to a quarter.
                    let late = |number: usize| [0.0, 0.0, 90.0, 0.0, 40.0][number % 5];
                    let all = simulate(first, 60, takes, late);
                    assert!(
                        all.iter().all(|(_, ms)| *ms < 500.0),
                        "{per_block} {first} {all:?}"
                    );
                    let slows = |number, blocks| {
                        takes(number, blocks) * [1.0, 4.0][usize::from(number > 30)]
                    };
                    let all = simulate(first, 60, slows, |_| 0.0);
                    assert!(
                        all.iter().all(|(_, ms)| *ms < 500.0),
                        "{per_block} {first} {all:?}"
                    );
                    // A batch has a block.
                    let block = 4.0 * (overhead + per_block);
                    let longest = block.max(130.0) + 1.0;
                    assert!(
                        all[50..].iter().all(|(_, ms)| *ms < longest),
                        "{per_block} {first}"
                    );
                }
            }
        }
    }
}
