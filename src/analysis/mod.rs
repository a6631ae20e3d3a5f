//! Measured tensors are held against theory.

mod average;
mod breaking;
mod chi_squared;
mod compare;
mod connected;
pub mod convergence;
mod correlator;
mod correlators;
mod couplings;
mod cross_check;
mod depth;
mod element_mean;
mod elements;
mod falloff;
mod flow;
mod function_fit;
mod interactions;
mod jackknife;
mod judge;
mod least_squares;
mod measured;
mod output_couplings;
mod predictions;
mod range;
mod reference;
mod rotation;
mod six_point;
mod symmetry;
pub mod trained;
mod unconverged;
mod verdict;

pub use breaking::{Breaking, symmetry_breaking};
pub use chi_squared::ChiSquared;
pub use connected::Connected;
pub use correlator::Correlator;
pub use correlators::{correlators, correlators_beside};
pub use couplings::{Coupling, Naturalness};
pub use cross_check::{CrossCheck, Fit, Stage, check_stages, check_training, cross_check};
pub use depth::{DEPTHS, Depth, DepthFit, DepthPoint, DepthSweep, VertexPoint};
pub use falloff::{
    ConnectedPoint, Falloff, FalloffFit, FalloffPoint, FalloffWidth, WIDTHS, connected_spec,
};
pub use flow::{ErrorOf, FixedPoint, Flow, FlowPoint, SlopeFit, check_flow, flow};
pub use function_fit::{FitSet, FunctionFit, MODELS, Misses, Term, fit_function};
pub use interactions::{Interactions, Samples};
pub use jackknife::three_sigma;
pub use jackknife::within_three_errors;
pub use least_squares::LogFit;
pub use output_couplings::{OutputCoupling, output_couplings};
pub use predictions::{Prediction, predictions};
pub use range::{check_interacting, check_one_hidden_layer, check_range};
pub use reference::{Agreement, Known, Reference};
pub use six_point::{Misfit, SixPoint};
pub use symmetry::{
    ROTATIONS, SymmetryCheck, TEST_FIELDS, check_experiments, symmetry_checks, test_points,
};
pub use unconverged::Unconverged;
pub use verdict::Verdict;
