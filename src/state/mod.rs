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
//!     let mut state: State = State::new(vec![spec.clone()], Some(shard), cpu.device());
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

mod ensemble;
mod extend;
mod file;
mod format;
mod keep;
mod merge;
mod replace;
mod saved;
mod shard;
mod train;

use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use ensemble::EnsembleState;
pub use file::{StateFile, read};
#[cfg(feature = "test-hooks")]
pub use format::frame;
pub use keep::keep;
pub use merge::merge;
pub use replace::{Replacement, replace};
pub use saved::Saved;
pub use shard::Shard;
pub use train::TrainState;

use crate::engine::{BlockPlan, DeviceInfo, gaps};
use crate::model::{Difference, EnsembleSpec};

/// `State` holds everything that is known of a run: what it is and how far it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct State<E: Ensemble = EnsembleState> {
    /// Device that computed the state.
    pub device: DeviceInfo,
    /// Part of every ensemble that this run is to draw; all of it if `None`.
    pub shard: Option<Shard>,
    /// Ensembles of the run, one per width, in its order.
    pub ensembles: Vec<E>,
}

/// An ensemble of a run is networks of one width, as far as they were drawn, and what was made of them.
pub trait Ensemble: Clone + PartialEq + std::fmt::Debug + Send + Sync {
    /// Type that says what is asked for.
    type Spec: Clone + Serialize + DeserializeOwned;
    /// Type of what is made of networks.
    type Elements: Serialize + DeserializeOwned;
    /// Command whose runs have such ensembles.
    const COMMAND: &'static str;

    /// Starts without any network.
    fn new(spec: Self::Spec) -> Self;

    /// Puts together what a file claims, if an ensemble can be like that.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    fn claimed(spec: Self::Spec, seconds: f64, elements: Self::Elements) -> Result<Self, String>;

    /// Returns what is asked for.
    fn spec(&self) -> &Self::Spec;

    /// Returns the networks that are asked for.
    fn networks(&self) -> &EnsembleSpec;

    /// Returns the seconds of drawing so far.
    fn seconds(&self) -> f64;

    /// Returns what was made of the networks.
    fn elements(&self) -> &Self::Elements;

    /// Lists which blocks are in of what is drawn: of the networks that are asked for, then of others.
    fn parts(&self) -> Vec<Part>;

    /// Adds what another run has drawn of the same ensemble.
    ///
    /// # Panics
    /// If a block is in both.
    fn join(&mut self, other: Self);

    /// Lists the fields in which what is asked for differs, for two lists with a spec per width.
    fn differences(ours: &[Self::Spec], theirs: &[Self::Spec]) -> Vec<Difference>;
}

/// A part of an ensemble is networks that have blocks of their own.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// What the networks are for, if that is not what is asked for.
    pub role: Option<String>,
    /// Plan of the blocks.
    pub plan: BlockPlan,
    /// Blocks that are in, as ascending ranges.
    pub covered: Vec<Range<u64>>,
}

impl Part {
    /// Describes the networks of a range of blocks in words.
    fn describe(&self, blocks: Range<u64>) -> Vec<String> {
        let all = self.plan.describe(blocks).into_iter();
        match &self.role {
            None => all.collect(),
            Some(role) => all.map(|text| format!("{role}, {text}")).collect(),
        }
    }

    /// Lists the blocks of `wanted` that are not in.
    fn missing(&self, wanted: Range<u64>) -> Vec<Range<u64>> {
        gaps(&self.covered, wanted)
    }
}

impl<E: Ensemble> State<E> {
    /// Makes the state of a run at its start.
    pub fn new(specs: Vec<E::Spec>, shard: Option<Shard>, device: DeviceInfo) -> Self {
        Self {
            device,
            shard,
            ensembles: specs.into_iter().map(E::new).collect(),
        }
    }

    /// Returns those of a plan's blocks that this run is to draw.
    pub fn share(&self, plan: &BlockPlan) -> Range<u64> {
        match self.shard {
            Some(shard) => shard.of(plan.blocks()),
            None => 0..plan.blocks(),
        }
    }

    /// Lists the specs of the run, one per width.
    pub fn specs(&self) -> Vec<E::Spec> {
        self.ensembles.iter().map(|e| e.spec().clone()).collect()
    }

    /// Counts the networks that this run has drawn, and those that it is to draw in all.
    pub fn networks(&self) -> (u64, u64) {
        let (mut done, mut all) = (0, 0);
        for part in self.ensembles.iter().flat_map(E::parts) {
            all += part.plan.networks(self.share(&part.plan));
            let covered = part.covered.into_iter();
            done += covered.map(|range| part.plan.networks(range)).sum::<u64>();
        }
        (done, all)
    }

    /// Lists in words the networks that this run has still to draw.
    pub fn lacks(&self) -> Vec<String> {
        let mut all = Vec::new();
        for ensemble in &self.ensembles {
            let width = ensemble.networks().net.width();
            for part in ensemble.parts() {
                let missing = part.missing(self.share(&part.plan)).into_iter();
                let described = missing.flat_map(|range| part.describe(range));
                all.extend(described.map(|networks| format!("width {width}, {networks}")));
            }
        }
        all
    }

    /// Returns the first field in which another state is of another run.
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        let (ours, theirs) = (&self.device.backend, &other.device.backend);
        let specs = E::differences(&self.specs(), &other.specs());
        specs.into_iter().next().or_else(|| {
            (ours != theirs).then(|| Difference {
                field: "backend",
                ours: ours.to_string(),
                theirs: theirs.to_string(),
            })
        })
    }
}
