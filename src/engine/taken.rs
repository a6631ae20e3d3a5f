//! What an engine has taken and not finished is left to others, and to the engine itself once its device works again.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::Work;

/// `Taken` is work of which what is not finished is given back at the end.
pub(super) struct Taken<'a, T> {
    work: &'a dyn Work<T>,
    taken: Mutex<Vec<Range<u64>>>,
    /// Number of networks of a range, and of all that was finished.
    networks: &'a (dyn Fn(Range<u64>) -> u64 + Sync),
    finished: AtomicU64,
}

impl<'a, T> Taken<'a, T> {
    /// Takes care of some work, ranges of which have so many networks.
    pub fn new(work: &'a dyn Work<T>, networks: &'a (dyn Fn(Range<u64>) -> u64 + Sync)) -> Self {
        Self {
            work,
            taken: Mutex::default(),
            networks,
            finished: AtomicU64::new(0),
        }
    }

    /// Counts the networks that were finished.
    #[cfg(feature = "gpu")]
    pub fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    /// Gives back all that was taken and is not finished.
    pub fn give_all_back(&self) {
        // The first block is the next again.
        for range in std::mem::take(&mut *self.taken()).into_iter().rev() {
            self.work.give_back(range);
        }
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Range<u64>>> {
        self.taken.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn forget(&self, range: &Range<u64>) {
        self.taken().retain(|taken| taken != range);
    }
}

impl<T> Work<T> for Taken<'_, T> {
    fn left(&self) -> u64 {
        self.work.left()
    }

    fn take(&self, at_most: u64) -> Option<Range<u64>> {
        let range = self.work.take(at_most)?;
        self.taken().push(range.clone());
        Some(range)
    }

    fn finish(&self, range: Range<u64>, result: T) {
        self.forget(&range);
        let networks = (self.networks)(range.clone());
        self.finished.fetch_add(networks, Ordering::Relaxed);
        self.work.finish(range, result);
    }

    fn give_back(&self, range: Range<u64>) {
        self.forget(&range);
        self.work.give_back(range);
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        self.give_all_back();
    }
}
