//! Measured tensors held against theory.

pub mod convergence;
mod correlators;

pub use correlators::{
    Connected, Correlator, Prediction, Verdict, correlators, gp_predictions, predictions,
};
