//! This module reads the outputs of networks back, where no averages are wanted.

use std::ops::Range;

use rayon::prelude::*;

use super::batches::{self, Batches};
use super::device::Device;
use super::networks::chunks;
use super::pipelines::{Pipelines, Straight, Texts};
use super::run::Run;
use super::setup::Setup;
use super::{GpuEngine, IN_FLIGHT};
use crate::engine::{Block, BlockPlan, Draws, Work};
use crate::plan::SamplePlan;
use crate::stream::GROUP;
use crate::tensor::{Measurement, MomentPlan};
use crate::{Error, Result};

/// Returns the networks of a sample plan as the shaders see them.
pub fn setup(plan: &SamplePlan) -> Setup {
    Setup {
        plan: BlockPlan::of_outputs(plan.spec()),
        ..Setup::new(plan.drawn())
    }
}

fn texts(engine: &GpuEngine, setup: &Setup) -> Texts {
    Texts::of_fields(engine, setup, &MomentPlan::new(setup.fields, &[]))
}

/// Compiles what a sample needs, or returns `false` once `cancelled`.
///
/// # Errors
/// [`Error::Device`].
pub fn compile(engine: &GpuEngine, setup: &Setup, cancelled: &dyn Fn() -> bool) -> Result<bool> {
    let texts = texts(engine, setup);
    engine.device.compile(texts.all(), cancelled)
}

/// Draws blocks of networks until there are no more.
///
/// # Errors
/// Those of [`crate::engine::Engine::sample`].
pub fn sample(
    engine: &GpuEngine,
    setup: &Setup,
    plan: &SamplePlan,
    work: &dyn Work<Draws>,
) -> Result<()> {
    let texts = texts(engine, setup);
    let run = Run::new(
        engine,
        setup,
        Measurement::direct(setup.fields, 1, &[]),
        &texts,
    )?;
    let bytes = run.capacity * block_bytes(&run.pipelines, setup);
    let reader = Reader {
        columns: (plan.outputs().iter())
            .map(|&(field, c)| (field, c * setup.scales[field]))
            .collect(),
        staging: (0..IN_FLIGHT)
            .map(|_| engine.device.staging(bytes))
            .collect(),
        setup,
        run,
    };
    engine.device.check()?;
    let first = texts.first_batch(&engine.profile, setup);
    pollster::block_on(batches::draw(&reader, work, first, engine.batch_blocks))
}

/// Counts the bytes that are read back of a block: its part of the buffer `fields`.
fn block_bytes(pipelines: &Pipelines, setup: &Setup) -> u64 {
    match pipelines {
        Pipelines::Straight(straight) => straight.field_bytes,
        Pipelines::Looped(looped) => {
            setup.block().next_multiple_of(GROUP) * looped.shape.field_bytes()
        }
    }
}

/// A reader copies the buffer `fields` of each batch and picks the outputs from it.
struct Reader<'a> {
    run: Run<'a>,
    setup: &'a Setup,
    staging: Vec<wgpu::Buffer>,
    /// Field and factor of each output of a network.
    columns: Vec<(usize, f64)>,
}

impl Reader<'_> {
    fn bytes(&self, range: &Range<u64>) -> u64 {
        (range.end - range.start) * block_bytes(&self.run.pipelines, self.setup)
    }

    /// Encodes a batch of straight-line shaders, whose fields are `[chunk][network in block][quad of
    /// rows][block]`.
    fn submit_straight(
        &self,
        straight: &Straight,
        slot: usize,
        range: &Range<u64>,
    ) -> wgpu::SubmissionIndex {
        let d = &self.run.engine.device;
        let mut encoder = d.device.create_command_encoder(&Default::default());
        (self.run).encode_networks(&mut encoder, straight, slot, range.clone());
        let (from, to, bytes) = (&straight.fields, &self.staging[slot], self.bytes(range));
        encoder.copy_buffer_to_buffer(from, 0, to, 0, bytes);
        d.submit(encoder.finish())
    }

    /// Returns a function that reads fields of block number `block` of a batch of so many, by network
    /// and row.
    fn row<'n>(
        &self,
        numbers: &'n [f32],
        (block, blocks): (usize, usize),
        first: u64,
    ) -> Box<dyn Fn(usize, usize) -> f32 + 'n> {
        let size = self.setup.block() as usize;
        match &self.run.pipelines {
            Pipelines::Straight(_) => {
                let quads = self.setup.row_quads();
                let chunks = chunks(self.setup) as usize;
                Box::new(move |n, r| {
                    let place = |chunk| ((chunk * size + n) * quads + r / 4) * blocks + block;
                    // In the order in which the moment stage adds them.
                    (0..chunks)
                        .map(|chunk| numbers[4 * place(chunk) + r % 4])
                        .sum()
                })
            }
            Pipelines::Looped(looped) => {
                let stride = looped.shape.field_stride() as usize;
                let places = looped.shape.places() as usize;
                let before = block * places + (first % GROUP) as usize;
                Box::new(move |n, r| numbers[(before + n) * stride + r])
            }
        }
    }
}

impl Batches<Draws> for Reader<'_> {
    fn device(&self) -> &Device {
        &self.run.engine.device
    }

    fn capacity(&self) -> u64 {
        self.run.capacity
    }

    fn submit(&self, slot: usize, range: &Range<u64>) -> wgpu::SubmissionIndex {
        let d = &self.run.engine.device;
        #[cfg(feature = "test-hooks")]
        if (d.fault.as_ref()).is_some_and(|fault| fault.loses_device(range.start)) {
            d.device.destroy();
        }
        match &self.run.pipelines {
            Pipelines::Straight(straight) => self.submit_straight(straight, slot, range),
            Pipelines::Looped(looped) => looped.submit(d, range, slot, |encoder, pass| {
                if looped.completes(pass) {
                    // Batches of several blocks have one pass for all of their networks.
                    let at = u64::from(pass.start) * looped.shape.field_bytes();
                    let networks = u64::from(pass.blocks) * u64::from(pass.piece);
                    let bytes = networks * looped.shape.field_bytes();
                    let staging = &self.staging[slot];
                    encoder.copy_buffer_to_buffer(&looped.fields, 0, staging, at, bytes);
                }
            }),
        }
    }

    fn staging(&self, slot: usize, range: &Range<u64>) -> (&wgpu::Buffer, u64) {
        (&self.staging[slot], self.bytes(range))
    }

    fn result(&self, range: &Range<u64>, numbers: &[f32]) -> Result<Draws> {
        let columns = &self.columns;
        let mut all = vec![0f32; self.setup.plan.networks(range.clone()) as usize * columns.len()];
        let mut rest = &mut all[..];
        let parts: Vec<(Block, &mut [f32])> = (range.clone())
            .map(|number| {
                let block = self.setup.plan.block(number);
                let values = block.networks as usize * columns.len();
                let part = rest.split_off_mut(..values).expect("a part of each block");
                (block, part)
            })
            .collect();
        let blocks = parts.len();
        (parts.into_par_iter().enumerate()).try_for_each(|(k, (block, part))| {
            let row = self.row(numbers, (k, blocks), block.first);
            for (n, network) in part.chunks_exact_mut(columns.len()).enumerate() {
                for (value, &(field, factor)) in network.iter_mut().zip(columns) {
                    *value = (f64::from(row(n, field)) * factor) as f32;
                }
            }
            match part.iter().all(|value| value.is_finite()) {
                true => Ok(()),
                false => Err(Error::Overflow(format!(
                    "an output of block {} of experiment {}",
                    block.index, block.experiment
                ))),
            }
        })?;
        Ok(Draws::F32(all))
    }
}
