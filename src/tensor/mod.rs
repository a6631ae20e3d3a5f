//! Symmetric n-point tensors: unique elements, moment sums, mergeable accumulators.

mod accumulator;
mod index;
mod moments;
mod plan;

pub use accumulator::{Accumulator, Statistics};
pub use index::multisets;
pub use moments::{LANES, Lanes, MomentSums};
pub use plan::{Element, MomentPlan, Product};
