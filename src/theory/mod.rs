//! What theory says: pure functions in f64, no sampling.

mod exact;
mod kernel;
mod neuron;
mod tilt;
mod wick;

pub use exact::Exact;
pub use kernel::{kernel, kernel_matrix};
pub use neuron::{NeuronMoments, neuron_moments};
pub use tilt::tilt;
pub use wick::gp_correlator;
