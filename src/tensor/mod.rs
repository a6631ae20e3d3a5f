//! This room holds symmetric n-point tensors: unique elements, sums of moments, mergeable
//! accumulators.
//!
//! The room knows the fields of a network, not the network.

mod accumulator;
mod connected;
#[cfg(feature = "gpu")]
mod eight;
mod extremes;
mod further;
mod index;
mod measurement;
mod moments;
mod pairings;
mod plan;
mod training;
mod tuple;

pub use crate::count::multiset_count;
pub use crate::simd::ROW;
pub use accumulator::{Accumulator, Statistics};
pub use connected::MeanOfD;
#[cfg(feature = "gpu")]
pub(crate) use eight::{Eight, PLACES, SIDE_BY_SIDE};
pub use extremes::Extreme;
pub(crate) use extremes::Extremes;
#[cfg(feature = "gpu")]
pub(crate) use extremes::keep_heaviest;
pub use further::connected_fields;
pub use index::multisets;
pub use measurement::{Drawn, Measurement};
pub use moments::{MomentSums, Row};
pub use pairings::pairings;
pub use plan::{Element, MomentPlan, Product, Rectangle};
pub use training::{Stop, Training};
pub(crate) use tuple::OwnedTuple;
pub use tuple::{Tuple, Tuples};
