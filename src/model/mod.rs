//! This room says what is sampled: networks, input points, ensembles.

pub mod activation;
mod builtin;
mod catalogue;
mod difference;
mod estimator;
mod inputs;
mod law;
mod memory;
mod net;
mod number;
mod per_layer;
mod spec;
mod train;

pub use activation::{Activation, Growth};
pub use builtin::Builtin;
pub use catalogue::{CatalogueEntry, FitSetting, source_nets};
pub use difference::Difference;
pub use estimator::{Estimator, Tilt};
pub use inputs::Inputs;
#[cfg(feature = "report")]
pub(crate) use inputs::open_npy;
pub use law::Law;
pub use memory::{MAX_MEMORY, Memory};
pub use net::{Layer, MAX_DEPTH, Net};
pub use number::{parse_count, parse_count_in, short};
pub use per_layer::PerLayer;
pub use spec::{EnsembleSpec, MAX_D_OUT, MAX_EXPERIMENTS, MAX_NETS, MAX_ORDER, MAX_WIDTH};
pub(crate) use train::HIGHEST;
pub use train::{
    ACROSS, Cohort, Learning, MAX_DATA, MAX_STEPS, MAX_STOPS, MAX_TARGETS, Role, TrainSpec,
    TrainingData,
};
