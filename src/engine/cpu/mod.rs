//! The reference engine: the shaders' stages in f64, one file each, written to be read.

// The stages, public for tests and benchmarks.
#[doc(hidden)]
pub mod activation;
#[doc(hidden)]
pub mod moments;
#[doc(hidden)]
pub mod networks;
#[doc(hidden)]
pub mod normals;
mod stages;
#[doc(hidden)]
pub mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::queue::next_size;
use super::{
    BlockPlan, DeviceInfo, Engine, GROUP, Lattice, Network, Parameters, StreamLayout, Work,
    lattice, measurement,
};
use crate::model::{EnsembleSpec, Estimator};
use crate::tensor::Accumulator;
use crate::{Error, Result};

/// Time that a worker's piece should take: long against handing it in, short against a stop.
const PIECE_TIME: Duration = Duration::from_millis(50);

/// f64 engine on all processor cores.
#[derive(Debug, Default)]
pub struct CpuEngine {}

impl CpuEngine {
    /// An engine on rayon's global thread pool.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Engine for CpuEngine {
    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: "cpu".into(),
            adapter: format!("{} f64", std::env::consts::ARCH),
            driver: format!("{} threads", rayon::current_num_threads()),
        }
    }

    fn accumulate(&mut self, spec: &EnsembleSpec, work: &dyn Work) -> Result<()> {
        let plan = BlockPlan::new(spec);
        let measurement = measurement(spec);
        let drawn = spec.on_rays();
        let failed = AtomicBool::new(false);
        let memory = spec.memory();
        rayon::broadcast(|worker| {
            if worker.index() >= memory.workers(worker.num_threads()) {
                return;
            }
            let networks = networks::Networks::new(&drawn);
            let mut blocks = moments::Blocks::new(measurement.moments(), networks);
            let mut size = 1;
            while !failed.load(Ordering::Relaxed) {
                // Small pieces at the end: no core idles while another has much to do.
                let share = work.left() / (2 * worker.num_threads() as u64);
                let Some(range) = work.take(share.clamp(1, size)) else {
                    return;
                };
                let start = Instant::now();
                let mut moments = Accumulator::new();
                for block in range.clone().map(|number| plan.block(number)) {
                    let (means, heaviest) = blocks.means(&block);
                    let means = measurement.elements(means);
                    moments.add_block(block.experiment, block.index, block.networks, means);
                    moments.add_extreme(heaviest);
                }
                if moments.total().is_err() {
                    failed.store(true, Ordering::Relaxed);
                    return;
                }
                size = next_size(size, range.end - range.start, start.elapsed(), PIECE_TIME);
                work.finish(range, moments);
            }
        });
        match failed.into_inner() {
            true => Err(Error::NotFinite("an n-point function, even in f64,".into())),
            false => Ok(()),
        }
    }
}

/// Fields of networks `first..first + count` of an experiment, in f64.
pub fn draw_networks(
    spec: &EnsembleSpec,
    experiment: u32,
    first: u64,
    count: usize,
) -> Vec<Network> {
    let mut networks = networks::Networks::new(spec);
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

/// What the stages share: constants and places in the stream.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub arch: crate::model::Architecture,
    pub estimator: Estimator,
    pub width: f64,
    pub layout: StreamLayout,
    pub parameters: Parameters,
    /// What the normals of a hidden unit are multiplied by, `[point][component]`: weights,
    /// then the bias if it is drawn.
    pub linear: Vec<Vec<f64>>,
    /// Gauss-net's points as a lattice, if f64 holds every power on it.
    pub lattice: Option<Lattice>,
    /// Typical size of each field.
    pub scales: Vec<f64>,
    /// E[h h] of every pair of points (connected estimator, else empty).
    pub centre: Vec<f64>,
    pub tilt: Option<Mixture>,
    pub seed: u64,
}

/// Constants of the importance sampling.
#[derive(Debug, Clone)]
pub(crate) struct Mixture {
    pub probability: f64,
    pub shifts: Vec<Vec<f64>>,
    /// ln(p / N) - t.t / 2 of each shift.
    pub logarithms: Vec<f64>,
}

impl Setup {
    pub fn new(spec: &EnsembleSpec) -> Self {
        let (layout, parameters) = (StreamLayout::new(spec), Parameters::new(spec));
        let bias = layout.has_bias().then_some(parameters.bias);
        let linear = (parameters.weights.iter())
            .map(|x| x.iter().copied().chain(bias).collect())
            .collect();
        Self {
            arch: spec.arch,
            linear,
            estimator: spec.estimator,
            width: spec.width as f64,
            layout,
            lattice: lattice(spec, 600.0),
            parameters,
            scales: super::field_scales(spec),
            centre: match spec.estimator {
                Estimator::Direct => Vec::new(),
                Estimator::Connected => super::centre(spec),
            },
            tilt: spec.tilt.as_ref().map(|tilt| Mixture {
                probability: tilt.probability(),
                shifts: tilt.shifts.clone(),
                logarithms: tilt.logarithms(spec.width),
            }),
            seed: spec.seed,
        }
    }

    pub fn fields(&self) -> usize {
        self.scales.len()
    }
}
