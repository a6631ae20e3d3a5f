use serde::Serialize;

use crate::analysis::{Correlator, Prediction};
use crate::engine::{DeviceInfo, Engine};
use crate::model::EnsembleSpec;
use crate::theory::kernel_matrix;

/// Version of the program, written to every document.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Speed of a run; sampling and accumulation, without process start.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Timing {
    /// Seconds.
    pub wall_s: f64,
    /// Networks per second.
    pub networks_per_s: f64,
    /// Hidden units per second.
    pub neurons_per_s: f64,
}

impl Timing {
    /// Rates of a spec's networks drawn in `wall_s` seconds.
    pub fn new(spec: &EnsembleSpec, wall_s: f64) -> Self {
        let networks = spec.nets as f64 * f64::from(spec.experiments);
        let networks_per_s = networks / wall_s.max(1e-9);
        Self {
            wall_s,
            networks_per_s,
            neurons_per_s: networks_per_s * spec.width as f64,
        }
    }
}

/// `nnqft.ensemble/1`: one run of `ensemble`.
#[derive(Debug, Clone, Serialize)]
pub struct EnsembleDocument {
    schema: &'static str,
    version: &'static str,
    /// What was drawn.
    pub spec: EnsembleSpec,
    /// What drew it.
    pub device: DeviceInfo,
    /// How fast.
    pub timing: Timing,
    /// The n-point functions, one per order.
    pub correlators: Vec<Correlator>,
}

impl EnsembleDocument {
    /// Puts a run's parts together.
    pub fn new(
        spec: EnsembleSpec,
        device: DeviceInfo,
        timing: Timing,
        correlators: Vec<Correlator>,
    ) -> Self {
        Self {
            schema: "nnqft.ensemble/1",
            version: VERSION,
            spec,
            device,
            timing,
            correlators,
        }
    }
}

/// `nnqft.theory/1`: kernel, GP and exact values.
#[derive(Debug, Clone, Serialize)]
pub struct TheoryDocument {
    schema: &'static str,
    version: &'static str,
    /// The networks and points; of the sampling fields nothing is used.
    pub spec: EnsembleSpec,
    /// The processor.
    pub device: DeviceInfo,
    /// Seconds, in `wall_s`.
    pub timing: TheoryTiming,
    /// K(x_i, x_j), shape `[points][points]`.
    pub kernel: Vec<Vec<f64>>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Prediction>,
}

/// Time that theory took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TheoryTiming {
    /// Seconds.
    pub wall_s: f64,
}

impl TheoryDocument {
    /// Puts a spec's theory together.
    pub fn new(spec: EnsembleSpec, wall_s: f64, correlators: Vec<Prediction>) -> Self {
        Self {
            schema: "nnqft.theory/1",
            version: VERSION,
            kernel: kernel_matrix(&spec),
            device: crate::engine::cpu::CpuEngine::new().device(),
            timing: TheoryTiming { wall_s },
            spec,
            correlators,
        }
    }
}
