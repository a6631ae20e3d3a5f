//! What theory says: pure functions in f64, no sampling.

mod kernel;
mod wick;

pub use kernel::{kernel, kernel_matrix};
pub use wick::{gp_correlator, pairings};
