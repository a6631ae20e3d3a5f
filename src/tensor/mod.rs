//! Symmetric n-point tensors: unique elements, moment sums, mergeable accumulators.

mod accumulator;
mod extremes;
mod index;
mod measurement;
mod moments;
mod pairings;
mod plan;
mod tuple;

pub use accumulator::{Accumulator, Statistics};
pub use extremes::{Extreme, Extremes, MAX_EXTREMES};
pub use index::multisets;
pub use measurement::Measurement;
pub use moments::{LANES, Lanes, MomentSums};
pub use pairings::pairings;
pub use plan::{Element, MomentPlan, Product, Run};
pub use tuple::{Tuple, Tuples};
