//! Measured tensors held against theory.

mod chi_squared;
pub mod convergence;
mod correlators;
mod couplings;
mod cross_check;
mod element_mean;
mod falloff;
mod flow;
mod function_fit;
mod log_fit;
mod symmetry;
mod verdict;

pub use chi_squared::ChiSquared;
pub use correlators::{
    Connected, Correlator, Prediction, correlators, gp_predictions, predictions,
};
pub use couplings::{Coupling, Interactions, Misfit, Naturalness, Samples, SixPoint};
pub use cross_check::{CrossCheck, Fit, Stage, check_stages, cross_check};
pub use falloff::{
    ConnectedPoint, Falloff, FalloffFit, FalloffPoint, FalloffWidth, WIDTHS, connected_spec,
};
pub use flow::{FixedPoint, Flow, FlowPoint, SlopeFit, check_flow, flow};
pub use function_fit::{FunctionFit, MODELS, Misses, Term, Tuples, fit_function};
pub use log_fit::LogFit;
pub use symmetry::{
    OutputCoupling, ROTATIONS, SymmetryCheck, TEST_FIELDS, check_experiments, output_couplings,
    symmetry_checks, test_points,
};
pub use verdict::Verdict;
