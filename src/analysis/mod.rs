//! Measured tensors held against theory.

mod correlators;

pub use correlators::{Correlator, Verdict, correlators, gp_predictions};
