//! The measurements that a user asks for are functions: they draw or calculate, and return the
//! result as one value.
//!
//! All measurements that draw networks take a [`Runner`], which has the engine, tells a
//! [`Progress`] how far the run has come, and stops when it is told to.

#[cfg(feature = "gpu")]
mod adapters;
#[cfg(feature = "gpu")]
mod bench;
#[cfg(feature = "gpu")]
mod compare;
mod depth;
mod document;
mod eft;
mod engine;
mod ensemble;
mod falloff;
mod keeper;
mod moments;
mod progress;
mod rg;
mod runner;
mod sample;
mod sweep;
pub mod symmetry;
mod theory;
mod tilt;
mod train;
mod trained;

#[cfg(feature = "gpu")]
pub use adapters::devices;
#[cfg(feature = "gpu")]
pub use bench::bench;
#[cfg(feature = "gpu")]
pub use compare::compare;
pub use depth::depth;
#[cfg(feature = "report")]
pub(crate) use document::schema;
#[cfg(feature = "gpu")]
pub use document::{BenchAdapter, BenchDocument, BenchJob, DevicesDocument};
pub use document::{
    CompareDocument, CompareSpec, ComparedNet, CouplingRow, Curve, CurveStep, DepthDocument,
    EftDocument, EftPoint, EnsembleDocument, ExactEft, FalloffDocument, Head, LayerOfNet,
    LayersOfNet, Origin, Partial, RgDocument, SampleDocument, Source, SymmetryDocument,
    TheoryDocument, Timing, TrainDocument, VERSION,
};
pub use eft::{CUTOFFS, eft, fit, train_inputs};
pub use engine::{Backend, EngineChoice, Job};
pub use ensemble::{EnsembleRun, ensemble};
pub use falloff::{Ensembles, beside, falloff};
pub use keeper::Checkpoint;
pub use moments::Moments;
pub use progress::Progress;
pub use rg::rg;
pub use runner::{Runner, watch};
pub use sample::{Chunk, Sample, Sink};
pub use sweep::Sweep;
pub use theory::theory;
pub use tilt::TiltChoice;
pub use train::{TrainRun, train};
