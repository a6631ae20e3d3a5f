//! The reference engine: the shaders' stages in f64, one file each, written to be read.

pub mod activation;
pub mod moments;
pub mod normals;
pub mod outputs;
pub mod words;

use std::ops::Range;

use rayon::prelude::*;

use super::{BlockPlan, DeviceInfo, Engine, Parameters, StreamLayout, moment_plan};
use crate::model::EnsembleSpec;
use crate::tensor::Accumulator;
use crate::{Error, Result};

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
            backend: "cpu",
            adapter: format!("{} f64", std::env::consts::ARCH),
            driver: format!("{} threads", rayon::current_num_threads()),
        }
    }

    fn accumulate(
        &mut self,
        spec: &EnsembleSpec,
        blocks: Range<u64>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Accumulator> {
        let plan = BlockPlan::new(spec);
        let moments = moment_plan(spec);
        let accumulator = blocks
            .into_par_iter()
            .map_init(
                || outputs::Outputs::new(spec),
                |outputs, number| {
                    let block = plan.block(number);
                    let mean = moments::block_means(&moments, outputs, &block);
                    progress(block.networks);
                    (block, mean)
                },
            )
            .fold(Accumulator::new, |mut acc, (block, mean)| {
                acc.add_block(block.experiment, block.index, block.networks, mean);
                acc
            })
            .reduce(Accumulator::new, |mut a, b| {
                a.merge(b);
                a
            });
        if accumulator.total().is_err() {
            return Err(Error::NotFinite("an n-point function, even in f64,".into()));
        }
        Ok(accumulator)
    }
}

/// Outputs f(x_p) of networks `first..first + count` of an experiment, `[network][point]`,
/// in f64.
pub fn network_outputs(
    spec: &EnsembleSpec,
    experiment: u32,
    first: u64,
    count: usize,
) -> Vec<Vec<f64>> {
    let mut outputs = outputs::Outputs::new(spec);
    outputs.seek(experiment, first);
    let mut field = vec![0.0; spec.inputs.len()];
    (0..count)
        .map(|_| {
            outputs.next_network(&mut field);
            field.clone()
        })
        .collect()
}

/// What the stages share: constants and places in the stream.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub arch: crate::model::Architecture,
    pub layout: StreamLayout,
    pub parameters: Parameters,
    pub seed: u64,
}

impl Setup {
    pub fn new(spec: &EnsembleSpec) -> Self {
        Self {
            arch: spec.arch,
            layout: StreamLayout::new(spec),
            parameters: Parameters::new(spec),
            seed: spec.seed,
        }
    }
}
