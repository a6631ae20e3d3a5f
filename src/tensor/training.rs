use serde::{Deserialize, Serialize};

use super::Accumulator;

/// `Training` holds what was made of some blocks of trained networks, one [`Stop`] for each of the plan's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Training {
    /// Measurements, in the order of the plan's stops.
    pub stops: Vec<Stop>,
}

/// A stop is a number of steps after which networks are looked at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stop {
    /// Moments of the fields over the networks that have not diverged. Groups of consecutive blocks stand where an
    /// ensemble has experiments.
    pub elements: Accumulator,
    /// Networks that have diverged.
    pub diverged: u64,
}

impl Training {
    /// Starts with nothing seen.
    pub fn new(stops: usize) -> Self {
        Self {
            stops: vec![Stop::default(); stops],
        }
    }

    /// Adds everything that was made of other blocks.
    ///
    /// # Panics
    /// If a block is in both.
    pub fn merge(&mut self, other: Self) {
        for (stop, other) in self.stops.iter_mut().zip(other.stops) {
            stop.elements.merge(other.elements);
            stop.diverged += other.diverged;
        }
    }
}
