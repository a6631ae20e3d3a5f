//! The state of a run is a value that can be saved, resumed, split into shards and merged.
//!
//! ```
//! use nnqft_gpu::engine::{BlockPlan, Engine, Queue, cpu::CpuEngine};
//! use nnqft_gpu::model::EnsembleSpec;
//! use nnqft_gpu::plan::Plan;
//! use nnqft_gpu::state::{Shard, State, merge};
//!
//! let spec = EnsembleSpec { nets: 1000, ..EnsembleSpec::preset("relu", 1)? };
//! let plan = Plan::new(spec.clone())?;
//! let mut cpu = CpuEngine::new();
//! let mut shards = Vec::new();
//! for name in ["0/2", "1/2"] {
//!     let shard: Shard = name.parse()?;
//!     let mut state = State::new(vec![spec.clone()], Some(shard), cpu.device());
//!     let queue = Queue::resume(&spec, state.blocks(0), Default::default());
//!     cpu.accumulate(&plan, &queue)?;
//!     state.ensembles[0].elements = queue.into_elements();
//!     // What a file would hold.
//!     shards.push((name.into(), State::from_bytes(&state.to_bytes())?));
//! }
//! let whole = merge(shards)?;
//! assert!(whole.missing(0).is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod extend;
mod file;
mod format;
mod keep;
mod merge;
mod replace;
mod shard;

use std::ops::Range;

pub use file::{StateFile, read};
#[cfg(feature = "test-hooks")]
pub use format::frame;
pub use keep::keep;
pub use merge::merge;
pub use replace::{Replacement, replace};
pub use shard::Shard;

use crate::engine::{BlockPlan, DeviceInfo};
use crate::model::{Difference, EnsembleSpec};
use crate::tensor::Accumulator;

/// `State` holds everything that is known of a run: what it is and how far it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Device that computed the state.
    pub device: DeviceInfo,
    /// Part of every ensemble that this run is to draw; all of it if `None`.
    pub shard: Option<Shard>,
    /// Ensembles of the run, one per width, in its order.
    pub ensembles: Vec<EnsembleState>,
}

/// `EnsembleState` says how far one ensemble has come.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleState {
    /// Spec of what is drawn.
    pub spec: EnsembleSpec,
    /// Seconds of sampling and accumulation so far.
    pub seconds: f64,
    /// Seconds that this process has compiled shaders before; no file keeps them.
    pub compile_seconds: f64,
    /// Blocks that are in, and their elements.
    pub elements: Accumulator,
}

impl State {
    /// Makes the state of a run at its start.
    pub fn new(specs: Vec<EnsembleSpec>, shard: Option<Shard>, device: DeviceInfo) -> Self {
        let start = |spec| EnsembleState {
            spec,
            seconds: 0.0,
            compile_seconds: 0.0,
            elements: Accumulator::new(),
        };
        Self {
            device,
            shard,
            ensembles: specs.into_iter().map(start).collect(),
        }
    }

    /// Returns the blocks of ensemble `k` that this run is to draw.
    pub fn blocks(&self, k: usize) -> Range<u64> {
        let blocks = BlockPlan::new(&self.ensembles[k].spec).blocks();
        match self.shard {
            Some(shard) => shard.of(blocks),
            None => 0..blocks,
        }
    }

    /// Returns the blocks of ensemble `k` that this run has still to draw.
    pub fn missing(&self, k: usize) -> Vec<Range<u64>> {
        let ensemble = &self.ensembles[k];
        BlockPlan::new(&ensemble.spec).missing(&ensemble.elements, self.blocks(k))
    }

    /// Counts the networks that this run has drawn, and those that it is to draw in all.
    pub fn networks(&self) -> (u64, u64) {
        let done = self.ensembles.iter().map(|e| e.elements.networks()).sum();
        let all = (self.ensembles.iter().enumerate())
            .map(|(k, e)| BlockPlan::new(&e.spec).networks(self.blocks(k)))
            .sum();
        (done, all)
    }

    /// Returns the first field in which another state is of another run.
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        let specs = |state: &Self| -> Vec<EnsembleSpec> {
            state.ensembles.iter().map(|e| e.spec.clone()).collect()
        };
        let (ours, theirs) = (&self.device.backend, &other.device.backend);
        let specs = EnsembleSpec::differences(&specs(self), &specs(other));
        specs.into_iter().next().or_else(|| {
            (ours != theirs).then(|| Difference {
                field: "backend",
                ours: ours.to_string(),
                theirs: theirs.to_string(),
            })
        })
    }
}
