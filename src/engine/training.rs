//! This module keeps what is left to train of an ensemble, and what is measured.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::BlockPlan;
use super::queue::{Pending, Work};
use crate::model::EnsembleSpec;
use crate::tensor::Training;

/// A train queue holds the blocks of networks to be trained: pending, taken, or measured.
pub struct TrainQueue<'a> {
    plan: BlockPlan,
    inner: Mutex<Inner>,
    progress: &'a (dyn Fn(u64) + Sync),
    stop: &'a AtomicBool,
}

struct Inner {
    pending: Pending,
    training: Training,
    networks: u64,
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
        let plan = BlockPlan::new(spec);
        let all = 0..plan.blocks();
        Self {
            inner: Mutex::new(Inner {
                pending: Pending::new(vec![all]),
                training: Training::new(stops),
                networks: 0,
            }),
            plan,
            progress,
            stop,
        }
    }

    /// Returns what was measured, and of how many networks, when the engine is through.
    pub fn into_training(self) -> (Training, u64) {
        let inner = self.inner.into_inner().unwrap_or_else(|e| e.into_inner());
        (inner.training, inner.networks)
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
        let networks = self.plan.networks(range);
        {
            let inner = &mut *self.lock();
            inner.training.merge(training);
            inner.networks += networks;
        }
        (self.progress)(networks);
    }

    fn give_back(&self, range: Range<u64>) {
        self.lock().pending.give_back(range);
    }
}
