//! This room holds symmetric n-point tensors: unique elements, sums of moments, mergeable
//! accumulators.
//!
//! The room knows the fields of a network, not the network.

mod accumulator;
mod connected;
mod extremes;
mod index;
mod measurement;
mod moments;
mod pairings;
mod plan;
mod tuple;

pub use crate::count::multiset_count;
pub use accumulator::{Accumulator, Statistics};
pub use extremes::Extreme;
#[doc(hidden)]
pub use extremes::{Extremes, MAX_EXTREMES};
pub use index::multisets;
// The sums of the engines and their layout, public for tests and benchmarks.
#[doc(hidden)]
pub use crate::simd::ROW;
#[doc(hidden)]
pub use connected::MeanOfD;
#[doc(hidden)]
pub use measurement::{Drawn, Measurement};
#[doc(hidden)]
pub use moments::{MomentSums, Row};
pub use pairings::pairings;
#[doc(hidden)]
pub use plan::{Element, MomentPlan, Product, Rectangle};
pub use tuple::{Tuple, Tuples};
