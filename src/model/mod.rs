//! What is sampled: architectures, hyper-parameters, input points, ensembles.

pub mod activation;
mod architecture;
mod estimator;
mod inputs;
mod memory;
mod number;
mod rays;
mod spec;

pub use architecture::{Architecture, Growth};
pub use estimator::{Estimator, Tilt};
pub use inputs::Inputs;
pub(crate) use inputs::open_npy;
pub use memory::{MAX_MEMORY, Memory};
pub use number::{parse_count, parse_count_in, short};
pub use rays::Rays;
pub use spec::{
    Difference, EnsembleSpec, MAX_D_OUT, MAX_EXPERIMENTS, MAX_NETS, MAX_ORDER, MAX_WIDTH,
};
