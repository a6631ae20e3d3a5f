use serde::Serialize;

use super::{Head, Timing};
use crate::analysis::Prediction;
use crate::engine::{Engine, cpu::CpuEngine};
use crate::model::EnsembleSpec;

/// `TheoryDocument` holds kernel, GP and exact values.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TheoryDocument {
    /// Head with schema, version, spec (of which the sampling is not used), device and timing.
    #[serde(flatten)]
    pub head: Head<EnsembleSpec, ()>,
    /// Kernel K(x_i, x_j) at the points, shape `[points][points]`.
    pub kernel: Vec<Vec<f64>>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Prediction>,
}

impl TheoryDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "theory";

    /// Puts a spec's theory together.
    pub fn new(
        spec: EnsembleSpec,
        wall_s: f64,
        kernel: Vec<Vec<f64>>,
        correlators: Vec<Prediction>,
    ) -> Self {
        Self {
            kernel,
            head: Head::new(
                Self::COMMAND,
                spec,
                CpuEngine::new().device(),
                Timing::theory(wall_s),
                (),
            ),
            correlators,
        }
    }
}
