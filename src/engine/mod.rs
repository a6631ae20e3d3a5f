//! Engines: spec and range of networks -> accumulator.
//!
//! [`cpu`] is the reference in f64; [`gpu`] runs the WGSL shaders in f32. Both draw the
//! same random words, so a network has the same weights on either up to rounding.

mod blocks;
pub mod cpu;
pub mod gpu;
mod stream;

use std::ops::Range;

use serde::Serialize;

pub use blocks::{Block, BlockPlan};
pub use stream::{GROUP, Layer, StreamLayout, key};

use crate::Result;
use crate::model::EnsembleSpec;
use crate::tensor::{Accumulator, MomentPlan};

/// What computed a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// `gpu` or `cpu`.
    pub backend: &'static str,
    /// Adapter or processor.
    pub adapter: String,
    /// Driver of the adapter, or the number of threads.
    pub driver: String,
}

/// Draws networks and accumulates their moments.
pub trait Engine {
    /// What this engine runs on.
    fn device(&self) -> DeviceInfo;

    /// Moments of the networks in `blocks` (numbered over all experiments, see
    /// [`BlockPlan`]). `progress` is told the networks done since it was last called.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if the spec does not fit the engine's numbers,
    /// [`crate::Error::Device`] if the device fails.
    fn accumulate(
        &mut self,
        spec: &EnsembleSpec,
        blocks: Range<u64>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Accumulator>;
}

/// Runs all networks of a spec.
///
/// # Errors
/// Those of [`Engine::accumulate`].
pub fn run(
    engine: &mut dyn Engine,
    spec: &EnsembleSpec,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Accumulator> {
    let blocks = BlockPlan::new(spec).blocks();
    engine.accumulate(spec, 0..blocks, progress)
}

/// The moments that a spec asks for.
pub fn moment_plan(spec: &EnsembleSpec) -> MomentPlan {
    MomentPlan::new(spec.inputs.len(), &spec.orders)
}

/// The network as both engines compute it, with every constant folded:
/// z_j(p) = sum_c n_cj `weights[p][c]` + n_bj `bias` - `offset[p]` for standard normals n,
/// f(p) = `readout` sum_j n_j act(z_j(p)) + `readout_bias` n_b1.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// sigma_w / sqrt(d_in) x_c, shape `[points][d_in]`.
    pub weights: Vec<Vec<f64>>,
    /// sigma_b.
    pub bias: f64,
    /// Gauss-net's normalisation sigma_b^2 + sigma_w^2 x.x / d_in, else 0; shape `[points]`.
    pub offset: Vec<f64>,
    /// sigma_w / sqrt(N).
    pub readout: f64,
    /// sigma_b.
    pub readout_bias: f64,
}

impl Parameters {
    /// Folds the spec's constants.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let scale = spec.sigma_w / (spec.d_in as f64).sqrt();
        let weights: Vec<Vec<f64>> = spec
            .inputs
            .points()
            .iter()
            .map(|x| x.iter().map(|x| scale * x).collect())
            .collect();
        let offset = weights
            .iter()
            .map(|w| match spec.arch {
                crate::model::Architecture::Gauss => {
                    spec.sigma_b * spec.sigma_b + w.iter().map(|x| x * x).sum::<f64>()
                }
                _ => 0.0,
            })
            .collect();
        Self {
            weights,
            bias: spec.sigma_b,
            offset,
            readout: spec.sigma_w / (spec.width as f64).sqrt(),
            readout_bias: spec.sigma_b,
        }
    }
}
