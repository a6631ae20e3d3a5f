//! This room says what theory predicts: it holds pure functions in f64, and samples nothing.

mod average;
mod bump;
mod cubature;
mod deviation;
mod exact;
mod existence;
mod far;
mod kernel;
mod layers;
mod one_loop;
mod range;
mod rare;
mod readout;
mod tilt;
mod trained;
mod values;
mod vertex;
mod wick;

pub(crate) use average::neuron_moments;
pub use deviation::{MIN_MEAN_UNIT, deviation_unit, field_size, mean_unit};
pub use exact::Exact;
pub(crate) use existence::{Divergence, divergence, product_decades};
pub(crate) use far::{Far, line_growth};
pub use kernel::{kernel, kernel_between, kernel_diagonal, kernel_matrix};
pub(crate) use kernel::{second_moment_decades, second_moments};
pub use layers::{Critical, CriticalClass, DeepTheory, LayerTheory, Layers, critical};
pub use one_loop::{LoopIntegrals, check_loop_cutoff, loop_integrals};
pub use rare::RareNeurons;
pub use tilt::tilt;
pub(crate) use trained::learnt;
pub use trained::{Filter, Places, Tangent};
pub use values::Values;
pub(crate) use vertex::vertex_nodes;
pub use vertex::{Vertex, VertexIntegrals, check_cutoffs, vertex_integrals};
pub use wick::{gp_correlator, gp_rounding};
