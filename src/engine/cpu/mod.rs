//! The reference engine runs the shaders' stages in f64, one file each, written to be read.

// The stages, public for tests and benchmarks.
mod activation;
mod cumulants;
mod drawing;
mod inner;
#[cfg(not(feature = "test-hooks"))]
mod moments;
#[cfg(feature = "test-hooks")]
pub mod moments;
#[cfg(not(feature = "test-hooks"))]
mod networks;
#[cfg(feature = "test-hooks")]
pub mod networks;
mod outputs;
mod rows;
mod stages;
mod tape;
pub(super) mod train;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::cumulants::Cumulants;
use self::tape::Evaluator;
use super::queue::next_size;
use super::{BlockPlan, DeviceInfo, DeviceKind, Draws, Engine, Float, Network, Work};
use crate::model::activation::Tape;
use crate::model::{Builtin, EnsembleSpec, Estimator};
use crate::plan::{By, Drawn, Inner, Parameters, Plan, Progression, SamplePlan, TrainPlan};
use crate::stream::{GROUP, StreamLayout};
use crate::tensor::{Accumulator, Training};
use crate::{Error, Result};

/// Time that a worker's piece should take: long against handing it in, short against a stop.
const PIECE_TIME: Duration = Duration::from_millis(50);

/// `CpuEngine` is the f64 engine on all processor cores.
#[derive(Debug, Default)]
pub struct CpuEngine {}

impl CpuEngine {
    /// Makes an engine on rayon's global thread pool.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Engine for CpuEngine {
    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: DeviceKind::Cpu,
            adapter: format!("{} f64", std::env::consts::ARCH),
            driver: format!("{} threads", rayon::current_num_threads()),
        }
    }

    fn accumulate(&mut self, plan: &Plan, work: &dyn Work) -> Result<()> {
        let spec = plan.spec();
        let measurement = plan.measurement();
        let all_blocks = BlockPlan::new(spec);
        let failed = AtomicBool::new(false);
        let memory = spec.memory();
        rayon::broadcast(|worker| {
            if worker.index() >= memory.workers(worker.num_threads()) {
                return;
            }
            let networks = networks::Networks::new(plan.drawn());
            let mut blocks = moments::Blocks::new(measurement.moments(), networks);
            let mut size = 1;
            while !failed.load(Ordering::Relaxed) {
                // Small pieces at the end: no core idles while another has much to do.
                let share = work.left() / (2 * worker.num_threads() as u64);
                let Some(range) = work.take(share.clamp(1, size)) else {
                    return;
                };
                let start = Instant::now();
                let mut elements = Accumulator::new();
                for block in range.clone().map(|number| all_blocks.block(number)) {
                    let (means, heaviest) = blocks.means(&block);
                    let means = measurement.elements(means);
                    elements.add_block(block.experiment, block.index, block.networks, means);
                    elements.add_extreme(heaviest);
                }
                if elements.total().is_err() {
                    failed.store(true, Ordering::Relaxed);
                    return;
                }
                size = next_size(size, range.end - range.start, start.elapsed(), PIECE_TIME);
                work.finish(range, elements);
            }
        });
        match failed.into_inner() {
            true => Err(Error::NotFinite("an n-point function, even in f64,".into())),
            false => Ok(()),
        }
    }

    fn float(&self) -> Float {
        Float::F64
    }

    fn sample(&mut self, plan: &SamplePlan, work: &dyn Work<Draws>) -> Result<()> {
        outputs::sample(plan, work)
    }

    fn train(
        &mut self,
        plan: &TrainPlan,
        work: &dyn Work<Training>,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        train::train(plan, work, cancelled);
        Ok(())
    }
}

/// Draws the fields of networks `first..first + count` of an experiment, in f64.
pub fn draw_networks(
    spec: &EnsembleSpec,
    experiment: u32,
    first: u64,
    count: usize,
) -> Vec<Network> {
    let drawn = Drawn::at_all_points(spec).expect("a valid spec");
    let mut networks = networks::Networks::new(&drawn);
    let mut fields = vec![[0.0; networks::TILE]; networks.fields()];
    let (last, mut all) = (first + count as u64, Vec::with_capacity(count));
    for tile in first / GROUP..last.div_ceil(GROUP) {
        let weights = networks.draw(experiment, tile, &mut fields);
        for (lane, weight) in weights.into_iter().enumerate() {
            if (first..last).contains(&(tile * GROUP + lane as u64)) {
                let field = fields.iter().map(|f| f[lane]).collect();
                all.push(Network { weight, field });
            }
        }
    }
    all
}

/// `Setup` holds what the stages share: constants and places in the stream.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub code: Code,
    pub estimator: Estimator,
    /// Width of the last hidden layer.
    pub width: f64,
    /// Widths of the hidden layers.
    pub hidden: Vec<u64>,
    /// The layers above the first, if there are several hidden ones.
    pub inner: Vec<Inner>,
    pub layout: StreamLayout,
    pub parameters: Parameters,
    /// What the variates of a hidden unit are multiplied by, `[point][component]`: weights,
    /// then the bias if it is drawn.
    pub linear: Vec<Vec<f64>>,
    /// The points as a progression, if f64 holds every power on it.
    pub progression: Option<Progression>,
    /// Typical size of each field.
    pub scales: Vec<f64>,
    /// E[h h] of every pair of points (connected estimator, else empty).
    pub centre: Vec<f64>,
    /// What the connected estimator sums where outputs are not Gaussian given the hidden layer.
    pub cumulants: Option<Cumulants>,
    pub tilt: Option<Mixture>,
    pub seed: u64,
}

/// What evaluates the activation.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// Loops of its own.
    Builtin(Builtin),
    /// The operations of a tape, with Var z at every point.
    Tape {
        evaluator: Evaluator,
        variances: Vec<f64>,
    },
}

impl Code {
    /// That of a tape, where pre-activations are linear forms of variates of unit variance.
    pub fn of_tape(tape: &Tape, linear: &[Vec<f64>]) -> Self {
        let square = |form: &Vec<f64>| form.iter().map(|x| x * x).sum();
        Self::Tape {
            evaluator: Evaluator::new(tape),
            variances: linear.iter().map(square).collect(),
        }
    }
}

/// `Mixture` holds the constants of the importance sampling.
#[derive(Debug, Clone)]
pub(crate) struct Mixture {
    pub probability: f64,
    pub shifts: Vec<Vec<f64>>,
    /// ln(p / N) - t.t / 2 of each shift.
    pub logarithms: Vec<f64>,
}

impl Setup {
    pub fn new(drawn: &Drawn) -> Self {
        let spec = drawn.spec();
        let (layout, parameters) = (*drawn.layout(), drawn.parameters().clone());
        let bias = layout.has_bias().then_some(parameters.bias);
        let linear: Vec<Vec<f64>> = (parameters.weights.iter())
            .map(|x| x.iter().copied().chain(bias).collect())
            .collect();
        Self {
            code: match spec.net.builtin() {
                Some(builtin) => Code::Builtin(builtin),
                None => Code::of_tape(spec.net.activation().tape(), &linear),
            },
            linear,
            estimator: spec.estimator,
            width: spec.net.width() as f64,
            hidden: spec.net.hidden(),
            inner: drawn.inner().to_vec(),
            layout,
            progression: drawn.progression(600.0).cloned(),
            parameters,
            scales: drawn.scales().to_vec(),
            centre: drawn.centre().to_vec(),
            cumulants: Cumulants::new(drawn),
            tilt: spec.tilt.as_ref().map(|tilt| Mixture {
                probability: tilt.probability(),
                shifts: tilt.shifts.clone(),
                logarithms: tilt.logarithms(spec.net.width()),
            }),
            seed: spec.seed,
        }
    }

    pub fn fields(&self) -> usize {
        self.scales.len()
    }

    /// Tells whether units of the first layer are summed to outputs, not to products.
    pub fn sums_outputs(&self) -> bool {
        self.estimator == Estimator::Direct && self.hidden.len() == 1
    }

    /// Tells whether outputs are drawn as a layer above the first.
    pub fn draws_inner_outputs(&self) -> bool {
        self.estimator == Estimator::Direct && self.hidden.len() > 1
    }

    /// Tells whether layer number `k` of those above the first is the outputs.
    pub fn is_output(&self, k: usize) -> bool {
        k + 1 == self.hidden.len()
    }

    /// Tells whether layer number `k` of those above the first takes hidden values one by one,
    /// rather than the covariance of the layer below.
    pub fn takes_values(&self, k: usize) -> bool {
        (self.inner.get(k)).is_some_and(|inner| matches!(inner.by, By::Weights(_)))
    }

    /// Returns the width of the layer below one.
    pub fn width_below(&self, inner: &Inner) -> u64 {
        self.hidden[inner.layout.layer as usize - 1]
    }

    /// Counts the sums over the units of a layer.
    pub fn sums(&self) -> usize {
        match (self.inner.is_empty(), self.estimator) {
            (true, _) | (false, Estimator::Connected) => self.fields(),
            (false, Estimator::Direct) => self.linear.len() * (self.linear.len() + 1) / 2,
        }
    }
}
