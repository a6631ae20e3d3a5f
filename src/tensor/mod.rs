//! This room holds symmetric n-point tensors: unique elements, sums of moments, mergeable
//! accumulators.
//!
//! The room knows the fields of a network, not the network.

mod accumulator;
mod connected;
mod extremes;
mod further;
mod index;
mod measurement;
mod moments;
mod pairings;
mod plan;
mod tuple;

pub use accumulator::{Accumulator, Statistics};
pub use extremes::Extreme;
#[doc(hidden)]
pub use extremes::{Extremes, MAX_EXTREMES};
pub use index::{multiset_count, multisets};
// The sums of the engines and their layout, public for tests and benchmarks.
#[doc(hidden)]
pub use connected::MeanOfD;
#[doc(hidden)]
pub use further::connected_fields;
#[doc(hidden)]
pub use measurement::{Drawn, Measurement};
#[doc(hidden)]
pub use moments::{MomentSums, ROW, Row};
pub use pairings::pairings;
#[doc(hidden)]
pub use plan::{Element, MomentPlan, Product, Rectangle};
pub(crate) use tuple::OwnedTuple;
pub use tuple::{Tuple, Tuples};
