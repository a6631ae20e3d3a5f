//! This module keeps what is left to draw of a sample, and hands over what is drawn.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::BlockPlan;
use super::queue::{Pending, Work};

/// `Float` is the type of numbers that an engine computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Float {
    /// A number of 32 bits, on the GPU.
    F32,
    /// A number of 64 bits, on the CPU.
    F64,
}

impl Float {
    /// Counts the bytes of a number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Returns the name of the type, as NumPy calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `Draws` holds the outputs of consecutive networks, `[network][point][output]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Draws {
    /// Outputs from the GPU.
    F32(Vec<f32>),
    /// Outputs from the CPU.
    F64(Vec<f64>),
}

impl Draws {
    /// Returns the type of the numbers.
    pub fn float(&self) -> Float {
        match self {
            Self::F32(_) => Float::F32,
            Self::F64(_) => Float::F64,
        }
    }

    /// Returns the bytes of the numbers, as this machine has them.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::F32(all) => bytemuck::cast_slice(all),
            Self::F64(all) => bytemuck::cast_slice(all),
        }
    }
}

/// `Put` takes the number of the first network, counted from the start of the sample, and the
/// outputs from that network on.
type Put<'a> = &'a (dyn Fn(u64, Draws) -> io::Result<()> + Sync);

/// A draw queue holds the blocks of a sample: pending, taken, or handed over. Blocks are given out
/// in their order and may come back in any; once all that were given out are back, what is there
/// has no gaps.
pub struct DrawQueue<'a> {
    plan: BlockPlan,
    start: u64,
    inner: Mutex<Inner>,
    put: Put<'a>,
    progress: &'a (dyn Fn(u64) + Sync),
    stop: &'a AtomicBool,
}

struct Inner {
    pending: Pending,
    /// End of the blocks that are there without a gap.
    front: u64,
    /// Ranges beyond a gap, start and end.
    ahead: BTreeMap<u64, u64>,
    /// What has gone wrong with `put`; after it nothing is given out.
    failed: Option<io::Error>,
}

impl<'a> DrawQueue<'a> {
    /// Queues some blocks of a plan, numbered over all experiments. What is drawn goes to `put`;
    /// `progress` is told the networks since it was last called; nothing more is given out once
    /// `stop` is set.
    pub fn new(
        plan: BlockPlan,
        blocks: Range<u64>,
        put: Put<'a>,
        progress: &'a (dyn Fn(u64) + Sync),
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            plan,
            start: blocks.start,
            inner: Mutex::new(Inner {
                front: blocks.start,
                ahead: BTreeMap::new(),
                failed: None,
                pending: Pending::new(vec![blocks]),
            }),
            put,
            progress,
            stop,
        }
    }

    /// Counts the networks that are there, from the first on without a gap.
    pub fn networks(&self) -> u64 {
        self.plan.networks(self.start..self.lock().front)
    }

    /// Returns what went wrong when outputs were handed over.
    ///
    /// # Errors
    /// That error.
    pub fn into_result(self) -> io::Result<()> {
        let inner = self.inner.into_inner().unwrap_or_else(|e| e.into_inner());
        inner.failed.map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn ended(&self, inner: &Inner) -> bool {
        self.stop.load(Ordering::Relaxed) || inner.failed.is_some()
    }
}

impl Work<Draws> for DrawQueue<'_> {
    fn left(&self) -> u64 {
        let inner = self.lock();
        match self.ended(&inner) {
            true => 0,
            false => inner.pending.left(),
        }
    }

    fn take(&self, at_most: u64) -> Option<Range<u64>> {
        let mut inner = self.lock();
        match self.ended(&inner) {
            true => None,
            false => inner.pending.take(at_most),
        }
    }

    fn finish(&self, range: Range<u64>, draws: Draws) {
        let first = self.plan.networks(self.start..range.start);
        // Not under the lock: engines hand over side by side.
        if let Err(error) = (self.put)(first, draws) {
            self.lock().failed.get_or_insert(error);
            return;
        }
        let networks = self.plan.networks(range.clone());
        {
            let inner = &mut *self.lock();
            inner.ahead.insert(range.start, range.end);
            while let Some(end) = inner.ahead.remove(&inner.front) {
                inner.front = end;
            }
        }
        (self.progress)(networks);
    }

    fn give_back(&self, range: Range<u64>) {
        self.lock().pending.give_back(range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnsembleSpec;

    fn plan() -> BlockPlan {
        BlockPlan::of_outputs(&EnsembleSpec {
            nets: 100,
            experiments: 3,
            ..EnsembleSpec::preset("erf", 1).unwrap()
        })
    }

    fn none() -> Draws {
        Draws::F64(Vec::new())
    }

    #[test]
    fn what_is_there_has_no_gap() {
        let (stop, firsts) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let put = |first, _| {
            firsts.lock().unwrap().push(first);
            Ok(())
        };
        // Seven blocks an experiment, six of 16 networks and one of 4.
        let queue = DrawQueue::new(plan(), 5..16, &put, &|_| {}, &stop);
        let taken: Vec<_> = (0..4).map(|_| queue.take(3).unwrap()).collect();
        assert_eq!(taken, [5..8, 8..11, 11..14, 14..16]);
        for (k, networks) in [(2, 0), (1, 0), (0, 120), (3, 152)] {
            queue.finish(taken[k].clone(), none());
            assert_eq!(queue.networks(), networks, "{k}");
        }
        assert_eq!(*firsts.lock().unwrap(), [84, 36, 0, 120]);
        assert!(queue.take(1).is_none() && queue.into_result().is_ok());
    }

    #[test]
    fn a_stop_or_an_error_gives_out_nothing() {
        let stop = AtomicBool::new(false);
        let put = |first, _| match first {
            0 => Ok(()),
            _ => Err(io::Error::other("full")),
        };
        let queue = DrawQueue::new(plan(), 0..21, &put, &|_| {}, &stop);
        let (a, b) = (queue.take(2).unwrap(), queue.take(2).unwrap());
        queue.give_back(b);
        assert_eq!((queue.left(), queue.take(2)), (19, Some(2..4)));
        queue.finish(a, none());
        stop.store(true, Ordering::Relaxed);
        assert_eq!((queue.left(), queue.take(1)), (0, None));
        stop.store(false, Ordering::Relaxed);
        queue.finish(2..4, none());
        assert_eq!((queue.left(), queue.take(1)), (0, None));
        assert_eq!(queue.networks(), 32);
        assert_eq!(queue.into_result().unwrap_err().to_string(), "full");
    }
}
