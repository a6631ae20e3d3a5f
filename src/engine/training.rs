//! This module keeps what is left to train of an ensemble, and what is measured.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use super::BlockPlan;
use super::blocks::gaps;
use super::queue::{Pending, Work};
use crate::model::EnsembleSpec;
use crate::tensor::Training;

/// `Trained` says how far the training of an ensemble has come.
///
/// The blocks are listed, since averages do not tell: those of a block whose networks have all diverged are empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trained {
    /// Blocks that are in, numbered over all experiments, as ascending ranges that do not touch.
    blocks: Vec<Range<u64>>,
    /// What was made of them.
    training: Training,
}

impl Trained {
    /// Starts with no network, to be measured at so many stops.
    pub fn new(stops: usize) -> Self {
        Self {
            blocks: Vec::new(),
            training: Training::new(stops),
        }
    }

    /// Returns what was measured.
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// Lists the blocks that are in, as ascending ranges that do not touch.
    pub fn blocks(&self) -> &[Range<u64>] {
        &self.blocks
    }

    /// Lists the blocks of `wanted` that are not in, as ascending ranges.
    pub fn missing(&self, wanted: Range<u64>) -> Vec<Range<u64>> {
        gaps(&self.blocks, wanted)
    }

    /// Adds everything that was made of other blocks of the same training.
    ///
    /// # Panics
    /// If a block is in both.
    pub fn merge(&mut self, other: Self) {
        self.training.merge(other.training);
        for range in other.blocks {
            self.cover(range);
        }
    }

    /// Adds what was made of a range of blocks.
    fn add(&mut self, range: Range<u64>, training: Training) {
        self.training.merge(training);
        self.cover(range);
    }

    fn cover(&mut self, range: Range<u64>) {
        let at = self.blocks.partition_point(|r| r.start < range.start);
        let is_new = (self.blocks[..at].last()).is_none_or(|before| before.end <= range.start)
            && (self.blocks.get(at)).is_none_or(|after| range.end <= after.start);
        assert!(is_new, "blocks {range:?} counted twice");
        self.blocks.insert(at, range);
        self.blocks.dedup_by(|after, before| {
            let touch = before.end == after.start;
            if touch {
                before.end = after.end;
            }
            touch
        });
    }
}

/// A train queue holds the blocks of networks to be trained: pending, taken, or measured.
pub struct TrainQueue<'a> {
    plan: BlockPlan,
    inner: Mutex<Inner>,
    progress: &'a (dyn Fn(u64) + Sync),
    stop: &'a AtomicBool,
}

struct Inner {
    pending: Pending,
    trained: Trained,
}

impl<'a> TrainQueue<'a> {
    /// Queues all blocks of an ensemble, measured at so many stops. `progress` is told the networks done since it
    /// was last called; nothing more is given out once `stop` is set.
    pub fn new(
        spec: &EnsembleSpec,
        stops: usize,
        progress: &'a (dyn Fn(u64) + Sync),
        stop: &'a AtomicBool,
    ) -> Self {
        let all = 0..BlockPlan::new(spec).blocks();
        Self::resume(spec, all, Trained::new(stops), progress, stop)
    }

    /// Queues those of some blocks (numbered over all experiments) that are not in `trained`.
    pub fn resume(
        spec: &EnsembleSpec,
        blocks: Range<u64>,
        trained: Trained,
        progress: &'a (dyn Fn(u64) + Sync),
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            inner: Mutex::new(Inner {
                pending: Pending::new(trained.missing(blocks)),
                trained,
            }),
            plan: BlockPlan::new(spec),
            progress,
            stop,
        }
    }

    /// Returns how far the training has come.
    pub fn trained(&self) -> Trained {
        self.lock().trained.clone()
    }

    /// Returns what was measured, and of how many networks, when the engine is through.
    pub fn into_training(self) -> (Training, u64) {
        let inner = self.inner.into_inner().unwrap_or_else(|e| e.into_inner());
        let blocks = inner.trained.blocks.into_iter();
        let networks = blocks.map(|range| self.plan.networks(range)).sum();
        (inner.trained.training, networks)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Work<Training> for TrainQueue<'_> {
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

    fn finish(&self, range: Range<u64>, training: Training) {
        let networks = self.plan.networks(range.clone());
        self.lock().trained.add(range, training);
        (self.progress)(networks);
    }

    fn give_back(&self, range: Range<u64>) {
        self.lock().pending.give_back(range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_known_in_whatever_order_they_come() {
        let mut trained = Trained::new(1);
        for range in [4..6, 0..1, 8..9, 1..4, 12..13] {
            trained.add(range, Training::new(1));
        }
        assert_eq!(trained.blocks(), [0..6, 8..9, 12..13]);
        assert_eq!(trained.missing(2..14), [6..8, 9..12, 13..14]);
        let mut other = Trained::new(1);
        other.add(6..8, Training::new(1));
        other.merge(trained);
        assert_eq!(other.blocks(), [0..9, 12..13]);
    }

    #[test]
    #[should_panic(expected = "counted twice")]
    fn a_block_counts_once() {
        let mut trained = Trained::new(1);
        trained.add(4..6, Training::new(1));
        trained.add(3..5, Training::new(1));
    }
}
