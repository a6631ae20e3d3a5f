//! This module keeps what is left to do of a run, and what is done.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::BlockPlan;
use crate::model::EnsembleSpec;
use crate::tensor::Accumulator;

/// `Work` is where an engine gets its blocks and leaves what it makes of them: their elements, or
/// their outputs.
///
/// Engines pull: each takes what it can do in a short while, so that fast ones do more and
/// a stop is a `None`.
pub trait Work<T = Accumulator>: Sync {
    /// Counts the blocks that can still be taken.
    fn left(&self) -> u64;

    /// Takes up to `at_most` blocks in a row; `None` if there is nothing to take.
    fn take(&self, at_most: u64) -> Option<Range<u64>>;

    /// Hands in what was made of all blocks of a range that was taken.
    fn finish(&self, range: Range<u64>, result: T);

    /// Gives back a range that was taken and will not be finished.
    fn give_back(&self, range: Range<u64>);
}

/// A queue holds the blocks of one ensemble: pending, taken, or in the accumulator.
pub struct Queue<'a> {
    inner: Mutex<Inner>,
    progress: &'a (dyn Fn(u64) + Sync),
    stop: Option<&'a AtomicBool>,
}

struct Inner {
    pending: Pending,
    elements: Accumulator,
}

/// `Pending` holds the blocks that can be taken, in their order.
pub(super) struct Pending(VecDeque<Range<u64>>);

impl Pending {
    pub fn new(ranges: Vec<Range<u64>>) -> Self {
        Self(ranges.into())
    }

    pub fn left(&self) -> u64 {
        self.0.iter().map(|r| r.end - r.start).sum()
    }

    pub fn take(&mut self, at_most: u64) -> Option<Range<u64>> {
        let first = self.0.front_mut()?;
        let taken = first.start..first.end.min(first.start.saturating_add(at_most.max(1)));
        first.start = taken.end;
        if first.is_empty() {
            self.0.pop_front();
        }
        Some(taken)
    }

    pub fn give_back(&mut self, range: Range<u64>) {
        self.0.push_front(range);
    }
}

impl<'a> Queue<'a> {
    /// Queues all blocks of a spec.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let blocks = 0..BlockPlan::new(spec).blocks();
        Self::resume(spec, blocks, Accumulator::new())
    }

    /// Queues those of some blocks (numbered over all experiments) that `elements` does not hold.
    pub fn resume(spec: &EnsembleSpec, blocks: Range<u64>, elements: Accumulator) -> Self {
        let pending = Pending::new(BlockPlan::new(spec).missing(&elements, blocks));
        Self {
            inner: Mutex::new(Inner { pending, elements }),
            progress: &|_| {},
            stop: None,
        }
    }

    /// Tells `progress` the networks done since it was last called.
    pub fn with_progress(mut self, progress: &'a (dyn Fn(u64) + Sync)) -> Self {
        self.progress = progress;
        self
    }

    /// Gives out nothing more once `stop` is set.
    pub fn until(mut self, stop: &'a AtomicBool) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Returns the elements so far.
    pub fn elements(&self) -> Accumulator {
        self.lock().elements.clone()
    }

    /// Returns the elements, when all engines are through.
    pub fn into_elements(self) -> Accumulator {
        let inner = self.inner.into_inner();
        inner.unwrap_or_else(|e| e.into_inner()).elements
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

impl Work for Queue<'_> {
    fn left(&self) -> u64 {
        match self.stopped() {
            true => 0,
            false => self.lock().pending.left(),
        }
    }

    fn take(&self, at_most: u64) -> Option<Range<u64>> {
        match self.stopped() {
            true => None,
            false => self.lock().pending.take(at_most),
        }
    }

    fn finish(&self, _: Range<u64>, elements: Accumulator) {
        let networks = elements.networks();
        self.lock().elements.merge(elements);
        (self.progress)(networks);
    }

    fn give_back(&self, range: Range<u64>) {
        self.lock().pending.give_back(range);
    }
}

/// Sizes the blocks to take next so that they last for `goal`, after `blocks` took `took`: at most
/// four times `last`, the size before, so that one short measurement does no harm.
pub(super) fn next_size(last: u64, blocks: u64, took: Duration, goal: Duration) -> u64 {
    let want = blocks as f64 * goal.as_secs_f64() / took.as_secs_f64().max(1e-4);
    (want as u64).clamp(1, last.saturating_mul(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> EnsembleSpec {
        EnsembleSpec {
            nets: 2560,
            experiments: 3,
            ..EnsembleSpec::preset("erf", 1).unwrap()
        }
    }

    fn done(plan: &BlockPlan, range: Range<u64>) -> Accumulator {
        let mut elements = Accumulator::new();
        for number in range {
            let b = plan.block(number);
            elements.add_block(b.experiment, b.index, b.networks, vec![number as f64]);
        }
        elements
    }

    #[test]
    fn every_block_is_given_out_once_whatever_comes_back() {
        let (spec, plan) = (spec(), BlockPlan::new(&spec()));
        let told = std::sync::atomic::AtomicU64::new(0);
        let progress = |n| _ = told.fetch_add(n, Ordering::Relaxed);
        let queue = Queue::new(&spec).with_progress(&progress);
        let mut turn = 0;
        while let Some(range) = queue.take(1 + turn % 7) {
            assert!(range.end - range.start <= 1 + turn % 7);
            // Every third range is lost at first.
            match turn % 3 {
                0 => queue.give_back(range),
                _ => queue.finish(range.clone(), done(&plan, range)),
            }
            turn += 1;
        }
        assert_eq!(queue.left(), 0);
        assert_eq!(told.load(Ordering::Relaxed), 3 * 2560);
        assert_eq!(queue.into_elements(), done(&plan, 0..plan.blocks()));
    }

    #[test]
    fn a_queue_goes_on_where_the_moments_end() {
        let (spec, plan) = (spec(), BlockPlan::new(&spec()));
        let (n, all) = (plan.per_experiment, plan.blocks());
        let mut elements = done(&plan, 3..5);
        elements.merge(done(&plan, n - 1..n + 2));
        let queue = Queue::resume(&spec, 1..all - 1, elements);
        let mut taken = Vec::new();
        while let Some(range) = queue.take(u64::MAX) {
            taken.push(range);
        }
        assert_eq!(taken, [1..3, 5..n - 1, n + 2..all - 1]);
    }

    #[test]
    fn a_stop_gives_out_nothing() {
        let stop = AtomicBool::new(false);
        let spec = spec();
        let queue = Queue::new(&spec).until(&stop);
        assert!(queue.take(1).is_some());
        stop.store(true, Ordering::Relaxed);
        assert!(queue.take(1).is_none() && queue.left() == 0);
    }

    #[test]
    fn sizes_follow_the_clock_with_restraint() {
        let ms = Duration::from_millis;
        assert_eq!(next_size(100, 100, ms(50), ms(100)), 200);
        assert_eq!(next_size(100, 10, ms(1), ms(100)), 400);
        assert_eq!(next_size(100, 1, ms(5000), ms(100)), 1);
        assert_eq!(next_size(u64::MAX, 1, ms(100), ms(100)), 1);
    }
}
