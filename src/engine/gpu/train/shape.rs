//! This module settles how the training of a plan is cut for a device: points that a thread takes together,
//! chunks of units, constants, and bytes.

use super::super::layout::to_f32;
use super::super::setup::Setup;
use crate::engine::AdapterClass;
use crate::model::{ACROSS, Estimator, Learning, MAX_DATA, MAX_TARGETS};
use crate::plan::TrainPlan;
use crate::sentence::sentence;
use crate::{Error, Result};

/// Components of a hidden unit, and outputs, that shaders have straight-line code for.
const MAX_COMPONENTS: u64 = 17;
/// Sums over units that a thread keeps: points that it takes together, times outputs.
const SUMS: usize = 8;
/// Points that a thread takes together where it does not take all of the data.
const TOGETHER: usize = 4;
/// Statements, about, that an evaluation of the activation and its derivative may take for all data to be in one
/// piece of straight-line code, times the number of those: compilers take more than linear time.
const STATEMENTS: usize = 400;
/// Chunks of a network's units at most: what a thread has to add up.
const CHUNKS: u64 = 64;
/// Units of a chunk at least: on a software adapter, whose cores a few threads fill, and on a GPU. The rounding of a
/// sum of 256 terms in f32 is below 10^-6.
const SOFTWARE_CHUNK: u64 = 256;
const CHUNK: u64 = 16;

/// Places of the constants of a run, in its buffer: `at` in the texts.
pub const READOUT: usize = 0;
pub const READOUT_BIAS: usize = 1;
pub const STEP: usize = 2;
pub const STEP_BIAS: usize = 3;
pub const RATE: usize = 4;
pub const UNIT: usize = 5;
/// Targets start here, `[data][output]`, and points, which no number of targets moves: the texts do not depend on it.
pub const TARGETS: usize = 8;
pub const POINTS: usize = TARGETS + MAX_DATA * (MAX_TARGETS + ACROSS);

/// `Shape` is a training as the shaders and their buffers see it.
pub struct Shape<'a> {
    pub plan: &'a TrainPlan,
    pub setup: Setup,
    pub learning: Learning,
    pub data: usize,
    pub points: usize,
    pub outputs: usize,
    /// Components of a hidden unit that are drawn.
    pub drawn: usize,
    /// Points that a thread takes together, and whether these are all of the data, so that one stage moves
    /// units and adds up what they yield.
    pub tile: usize,
    pub is_fused: bool,
    /// Units of a chunk, and chunks.
    pub chunk: u64,
    pub chunks: u64,
}

impl<'a> Shape<'a> {
    /// Cuts a training; `length` is that of the code of an activation with its derivative.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what the shaders cannot do.
    pub fn new(plan: &'a TrainPlan, length: usize, class: AdapterClass) -> Result<Self> {
        let estimator = plan.untrained().estimator;
        if estimator != Estimator::Direct {
            let reason = sentence!(
                "readouts are averaged given the hidden layers by the f64 engine; use direct, or `backend` cpu"
            );
            return Err(Error::invalid("estimator", estimator, reason));
        }
        let setup = Setup::new(plan.drawn());
        setup.check_counters()?;
        if setup.stream.drawn_components > MAX_COMPONENTS {
            let reason = sentence!(
                "shaders train networks of up to {} inputs; use `backend` cpu",
                (MAX_COMPONENTS - 1).to_string()
            );
            return Err(Error::invalid("d_in", setup.d_in, reason));
        }
        let (data, outputs) = (plan.spec().data.len(), plan.untrained().net.d_out());
        // Readouts have no step over hidden units that could be fused with what these yield.
        let is_fused = plan.spec().train == Learning::All
            && data * outputs <= SUMS
            && data * length <= STATEMENTS;
        let tile = match is_fused {
            true => data,
            false => (SUMS / outputs).clamp(1, TOGETHER),
        };
        let least = match class {
            AdapterClass::Software => SOFTWARE_CHUNK,
            AdapterClass::Discrete | AdapterClass::Integrated => CHUNK,
        };
        let chunk = setup.width.div_ceil(CHUNKS).max(least);
        Ok(Self {
            learning: plan.spec().train,
            data,
            points: setup.points,
            outputs,
            drawn: setup.stream.drawn_components as usize,
            tile,
            is_fused,
            chunk,
            chunks: setup.width.div_ceil(chunk),
            setup,
            plan,
        })
    }

    /// Counts the numbers of a point in the buffer of constants.
    pub fn stride(&self) -> usize {
        self.drawn + usize::from(self.uses_variance())
    }

    fn uses_variance(&self) -> bool {
        let net = &self.plan.untrained().net;
        net.activation().tape().uses_variance()
    }

    /// Returns the constants of a run.
    ///
    /// # Errors
    /// Those of [`to_f32`].
    pub fn constants(&self) -> Result<Vec<f32>> {
        let (p, rate) = (&self.setup.parameters, self.plan.rate());
        let mut all = vec![0.0; POINTS];
        all[READOUT] = p.readout;
        all[READOUT_BIAS] = p.readout_bias;
        all[STEP] = -rate * p.readout;
        all[STEP_BIAS] = -rate * p.readout_bias;
        all[RATE] = rate;
        all[UNIT] = self.plan.bound().sqrt().recip();
        let targets = self.plan.spec().data.targets().iter().flatten();
        debug_assert!(targets.clone().count() <= POINTS - TARGETS);
        for (place, y) in all[TARGETS..].iter_mut().zip(targets) {
            *place = *y;
        }
        let bias = self.setup.stream.has_bias().then_some(p.bias);
        for weights in &p.weights {
            let form = weights.iter().copied().chain(bias);
            all.extend(form.clone());
            if self.uses_variance() {
                all.push(form.map(|x| x * x).sum());
            }
        }
        to_f32(&all)
    }

    /// Counts the threads that a stage has for each quad of networks, at so many points.
    pub fn threads(&self, stage: Stage, points: usize) -> u64 {
        let tiles = |points: usize| points.div_ceil(self.tile) as u64;
        match stage {
            Stage::Forward => tiles(points) * self.chunks,
            Stage::Outputs => (points * self.outputs) as u64,
            Stage::Errors => 1,
            Stage::Step => self.chunks,
            Stage::Covariance => tiles(points) * tiles(self.data),
            Stage::Advance => points as u64,
        }
    }

    /// Counts the bytes of 16 networks in each buffer.
    pub fn bytes(&self) -> Bytes {
        let numbers = |count: usize| 64 * count as u64;
        let rows = (self.drawn + self.outputs) as u64;
        let covariance = match self.learning {
            Learning::All => 0,
            Learning::Readout => numbers(self.points * self.data),
        };
        Bytes {
            theta: 64 * rows * (self.setup.width + 1),
            sums: numbers(self.points * self.outputs) * self.chunks,
            outputs: numbers(self.points * self.outputs),
            errors: numbers(self.data * self.outputs),
            diverged: numbers(1),
            covariance,
            tiles: 8,
        }
    }
}

/// `Stage` is one of the texts that a quad of networks goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Forward,
    Outputs,
    Errors,
    Step,
    Covariance,
    Advance,
}

/// `Bytes` are those of 16 networks in each buffer.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    pub theta: u64,
    pub sums: u64,
    pub outputs: u64,
    pub errors: u64,
    pub diverged: u64,
    pub covariance: u64,
    pub tiles: u64,
}

impl Bytes {
    fn each(&self) -> [u64; 7] {
        [
            self.theta,
            self.sums,
            self.outputs,
            self.errors,
            self.diverged,
            self.covariance,
            self.tiles,
        ]
    }

    pub fn total(&self) -> u64 {
        self.each().iter().sum()
    }

    pub fn largest(&self) -> u64 {
        self.each().into_iter().fold(0, u64::max)
    }
}
