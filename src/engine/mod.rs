//! Engines turn a spec and a range of networks into an accumulator.
//!
//! [`cpu`] is the reference in f64; [`gpu`] runs the WGSL shaders in f32. Both draw the
//! same random words, so a network has the same weights on either up to rounding.

mod blocks;
mod class;
pub mod cpu;
mod draws;
mod fleet;
#[cfg(feature = "gpu")]
pub mod gpu;
mod queue;
mod stages;
mod taken;
mod training;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::model::EnsembleSpec;
use crate::plan::{Plan, SamplePlan, TrainPlan};
use crate::tensor::{Accumulator, Training};
pub(crate) use blocks::gaps;
pub use blocks::{Block, BlockPlan};
pub use class::AdapterClass;
pub use draws::{DrawQueue, Draws, Float};
pub use fleet::Fleet;
pub use queue::{Queue, Work};
pub use stages::{Descended, Form, Stages};
pub use training::{TrainQueue, Trained};

/// A device kind says how numbers are rounded: devices of one kind draw networks that agree to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeviceKind {
    /// Shaders in f32, on a GPU or a software adapter.
    Gpu,
    /// The reference in f64.
    Cpu,
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        })
    }
}

/// `DeviceInfo` names what computed a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Kind of the engine.
    pub backend: DeviceKind,
    /// Name of the adapter or processor.
    pub adapter: String,
    /// Driver of the adapter, or the number of threads.
    pub driver: String,
}

impl DeviceInfo {
    /// Joins several devices of one backend into one, with each name once; `None` without any.
    pub fn joined(all: &[Self]) -> Option<Self> {
        let list = |of: fn(&Self) -> &str| {
            let mut names: Vec<&str> = Vec::new();
            // A device may be a list itself.
            for name in all.iter().flat_map(|device| of(device).split(" + ")) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names.join(" + ")
        };
        Some(Self {
            backend: all.first()?.backend,
            adapter: list(|d| &d.adapter),
            driver: list(|d| &d.driver),
        })
    }
}

/// An engine draws networks and accumulates the elements of their measurement.
pub trait Engine {
    /// Names what this engine runs on.
    fn device(&self) -> DeviceInfo;

    /// Compiles what a plan needs, so that [`accumulate`](Self::accumulate) starts at once; that
    /// call compiles by itself what was not prepared. Returns soon after `cancelled` says so, ready
    /// or not.
    ///
    /// # Errors
    /// Those of [`accumulate`](Self::accumulate).
    fn prepare(&mut self, _plan: &Plan, _cancelled: &(dyn Fn() -> bool + Sync)) -> Result<()> {
        Ok(())
    }

    /// Takes blocks of networks (numbered over all experiments, see [`BlockPlan`]) until
    /// there are no more, and hands in their elements.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if the spec does not fit the engine's numbers,
    /// [`crate::Error::Device`] if the device fails; what was handed in before stays.
    fn accumulate(&mut self, plan: &Plan, work: &dyn Work) -> Result<()>;

    /// Returns the type of the outputs that [`sample`](Self::sample) hands in.
    fn float(&self) -> Float;

    /// Compiles what [`sample`](Self::sample) needs, as [`prepare`](Self::prepare) does for
    /// averages.
    ///
    /// # Errors
    /// Those of [`sample`](Self::sample).
    fn prepare_sample(
        &mut self,
        _plan: &SamplePlan,
        _cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        Ok(())
    }

    /// Takes blocks of networks (numbered over all experiments, see [`BlockPlan::of_outputs`]) until
    /// there are no more, and hands in the outputs of their networks.
    ///
    /// # Errors
    /// Those of [`accumulate`](Self::accumulate); [`crate::Error::NotFinite`].
    fn sample(&mut self, plan: &SamplePlan, work: &dyn Work<Draws>) -> Result<()>;

    /// Refuses a training that the engine has no room for, before any network is trained.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`], [`crate::Error::Overflow`].
    fn check_training(&self, _plan: &TrainPlan) -> Result<()> {
        Ok(())
    }

    /// Takes blocks of networks (numbered over all experiments, see [`BlockPlan`]) until there are no more, trains
    /// every network, and hands in what is measured. A block that is long in training is given back soon after
    /// `cancelled` says so.
    ///
    /// # Errors
    /// Those of [`accumulate`](Self::accumulate); [`crate::Error::Invalid`] for networks that the engine cannot train.
    fn train(
        &mut self,
        plan: &TrainPlan,
        work: &dyn Work<Training>,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()>;
}

/// Runs all networks of a spec; `progress` is told the networks done since it was last called.
///
/// # Errors
/// Those of [`Plan::new`] and [`Engine::accumulate`].
///
/// ```
/// use nnqft_gpu::engine::{self, cpu::CpuEngine};
/// use nnqft_gpu::model::EnsembleSpec;
///
/// let mut spec = EnsembleSpec::preset("erf", 1)?;
/// spec = spec.with_width(5);
/// spec.nets = 100;
/// let elements = engine::run(&mut CpuEngine::new(), &spec, &|_| {})?;
/// assert_eq!(elements.networks(), 1000); // in ten experiments
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn run(
    engine: &mut dyn Engine,
    spec: &EnsembleSpec,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Accumulator> {
    let plan = Plan::new(spec.clone())?;
    let queue = Queue::new(plan.spec()).with_progress(progress);
    engine.accumulate(&plan, &queue)?;
    Ok(queue.into_elements())
}

/// A network holds the fields and the weight with which one network enters the moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Statistical weight; 1 without importance sampling.
    pub weight: f64,
    /// f_a(x_p), output after output, or D(x_p, x_q) = C - K for p <= q, in the order of the measurement.
    pub field: Vec<f64>,
}
