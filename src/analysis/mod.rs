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
mod jackknife;
mod log_fit;
mod output_couplings;
mod range;
mod six_point;
mod symmetry;
mod unconverged;
mod verdict;

pub use chi_squared::ChiSquared;
pub use correlators::{
    Connected, Correlator, Prediction, correlators, correlators_beside, gp_predictions, predictions,
};
pub use couplings::{Coupling, Interactions, Naturalness, Samples};
pub use cross_check::{CrossCheck, Fit, Stage, check_stages, cross_check};
pub use falloff::{
    ConnectedPoint, Falloff, FalloffFit, FalloffPoint, FalloffWidth, WIDTHS, connected_spec,
};
pub use flow::{ErrorOf, FixedPoint, Flow, FlowPoint, SlopeFit, check_flow, flow};
pub use function_fit::{FunctionFit, MODELS, Misses, Term, Tuples, fit_function};
pub use jackknife::three_sigma;
pub(crate) use jackknife::within_three_errors;
pub use log_fit::LogFit;
pub use output_couplings::{OutputCoupling, output_couplings};
pub use range::{check_interacting, check_range};
pub use six_point::{Misfit, SixPoint};
pub use symmetry::{
    ROTATIONS, SymmetryCheck, TEST_FIELDS, check_experiments, symmetry_checks, test_points,
};
pub use unconverged::Unconverged;
pub use verdict::Verdict;
