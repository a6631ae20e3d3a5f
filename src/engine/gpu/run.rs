//! This module holds one run on the device: batches of blocks and their sums.

use std::ops::Range;

use rayon::prelude::*;

use super::batches::Batches;
use super::networks::{Sampler, chunks};
use super::pipelines::{Pipelines, Straight, Texts};
use super::setup::Setup;
use super::{Batch, GpuEngine, IN_FLIGHT, dispatch, moments, words};

use crate::sentence::sentence;
use crate::stream::GROUP;
use crate::tensor::{Accumulator, Extreme, Measurement};
use crate::{Error, Result};

/// Size of what is read back of a batch, in bytes: the host has several copies of it.
const READ_BYTES: u64 = 64 << 20;
/// Number of blocks that a thread of the host adds up: batches of a card have thousands.
const BLOCKS_AT_A_TIME: u64 = 256;

/// `Run` is everything that one run needs on the device.
pub struct Run<'a> {
    pub engine: &'a GpuEngine,
    setup: &'a Setup,
    measurement: Measurement,
    /// Product of the scales over each moment's index.
    moment_scales: Vec<f64>,
    pub pipelines: Pipelines,
    slots: Vec<Slot>,
    /// The largest number of blocks in a batch.
    pub capacity: u64,
    /// The element of each sum in a block's row of the buffer `sums`.
    order: Vec<usize>,
}

/// A slot is what a batch in flight keeps from the next.
struct Slot {
    sums: wgpu::Buffer,
    staging: wgpu::Buffer,
}

impl<'a> Run<'a> {
    /// Prepares to draw the networks of a setup and to sum the moments of a measurement of their
    /// fields. For a measurement without elements, the run leaves the fields in their buffer.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no block fits a buffer, [`Error::Overflow`], [`Error::Device`].
    pub fn new(
        engine: &'a GpuEngine,
        setup: &'a Setup,
        measurement: Measurement,
        texts: &Texts,
    ) -> Result<Self> {
        let d = &engine.device;
        let plan = setup.plan;
        let moments = measurement.moments();
        setup.check_counters()?;
        let moment_scales = (moments.indices().iter())
            .map(|index| index.iter().map(|&i| setup.scales[i]).product())
            .collect();
        let largest = (d.limits.max_storage_buffer_binding_size).min(d.limits.max_buffer_size);
        // Fields that are left in their buffer are read back.
        let batch_bytes = match moments.elements().is_empty() {
            true => engine.profile.batch_bytes.min(READ_BYTES),
            false => engine.profile.batch_bytes,
        };
        let sum_bytes = moments::sum_quads(moments) as u64 * 16;
        // Of a block, and of the least that a batch may hold.
        let (block_bytes, least) = match texts {
            // Nothing between the stages, and no binding of size zero.
            Texts::Fused(_) => (16, 16),
            Texts::Staged(..) => {
                let bytes = plan.size * chunks(setup) * setup.row_quads() as u64 * 16;
                (bytes, bytes)
            }
            Texts::Looped(shape, _) => {
                let network = shape.hidden_bytes().max(shape.field_bytes());
                let piece = shape.piece(largest.min(batch_bytes));
                (network * piece, network * GROUP)
            }
        };
        let bytes = largest.min(batch_bytes.max(block_bytes));
        let workgroups = u64::from(d.limits.max_compute_workgroups_per_dimension);
        // A pass of the looped stages with less than a block of networks has one block.
        let is_partial = matches!(texts, Texts::Looped(shape, _) if shape.piece(largest.min(batch_bytes)) < shape.places());
        let capacity = (bytes / block_bytes)
            .min(bytes.min(READ_BYTES.max(sum_bytes)) / sum_bytes)
            .min(workgroups.saturating_mul(texts.blocks_together()))
            // Threads have 32 bits.
            .min(u64::from(u32::MAX) / plan.size)
            .min(plan.blocks())
            .min(engine.batch_blocks.unwrap_or(u64::MAX))
            .min(if is_partial { 1 } else { u64::MAX });
        if capacity == 0 || plan.blocks() > u64::from(u32::MAX) {
            return Err(Error::invalid(
                "inputs",
                format!("with {} points at width {}", setup.points, setup.width),
                sentence!(
                    "one block of networks needs {} bytes, a buffer of {} holds {}; use fewer points or `backend` cpu",
                    least.max(sum_bytes).to_string(),
                    engine.summary.name.as_str(),
                    bytes.to_string(),
                ),
            ));
        }
        // A device whose memory others use gets smaller batches before an error.
        let mut capacity = capacity;
        let mut bytes = bytes;
        let (pipelines, sums) = loop {
            let sums: Option<Vec<_>> = (0..IN_FLIGHT)
                .map(|_| d.try_storage("sums", capacity * sum_bytes))
                .collect();
            let made = match sums {
                None => None,
                Some(sums) => {
                    let room = (capacity, bytes, block_bytes);
                    Pipelines::new(d, setup, moments, texts, room, &sums)?
                        .map(|pipelines| (pipelines, sums))
                }
            };
            match made {
                Some(made) => break made,
                None if capacity > 1 => capacity /= 2,
                None if is_partial && bytes > least => bytes /= 2,
                None => {
                    return Err(Error::Device(format!(
                        "out of memory: one block of networks needs {} bytes; free some, or use the CPU engine",
                        least + IN_FLIGHT as u64 * sum_bytes
                    )));
                }
            }
        };
        let slots = (sums.into_iter())
            .map(|sums| Slot {
                staging: d.staging(capacity * sum_bytes),
                sums,
            })
            .collect();
        d.check()?;
        let order = match &pipelines {
            Pipelines::Straight(_) => moments::order(moments),
            Pipelines::Looped(_) => (0..moments.elements().len()).collect(),
        };
        Ok(Self {
            engine,
            setup,
            measurement,
            moment_scales,
            pipelines,
            slots,
            capacity,
            order,
        })
    }

    /// Prepares a run that leaves the fields in their buffer, for those who want to see them.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn of_fields(engine: &'a GpuEngine, setup: &'a Setup) -> Result<Self> {
        let measurement = Measurement::direct(setup.fields, 1, &[]);
        let texts = Texts::of_fields(engine, setup, measurement.moments());
        Run::new(engine, setup, measurement, &texts)
    }

    /// Encodes the stages before the moments of a range of blocks.
    pub fn encode_networks(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        straight: &Straight,
        slot: usize,
        range: Range<u64>,
    ) {
        let slot = &straight.slots[slot];
        self.encode(encoder, &slot.batch, &straight.sample, &slot.sample, range);
    }

    /// Encodes the stages that draw a range of blocks.
    pub fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        batch_buffer: &wgpu::Buffer,
        samplers: &[Sampler<wgpu::ComputePipeline>],
        groups: &[wgpu::BindGroup],
        range: Range<u64>,
    ) {
        self.write(batch_buffer, &range);
        let blocks = range.end - range.start;
        for (sampler, group) in samplers.iter().zip(groups) {
            dispatch(encoder, &sampler.stage, group, sampler.size(blocks));
        }
    }

    /// Writes the uniform of a range of blocks for straight-line code.
    pub fn write_batch(&self, slot: usize, range: Range<u64>) {
        if let Pipelines::Straight(straight) = &self.pipelines {
            self.write(&straight.slots[slot].batch, &range);
        }
    }

    /// Returns what the run draws.
    pub fn setup(&self) -> &Setup {
        self.setup
    }

    fn write(&self, batch_buffer: &wgpu::Buffer, range: &Range<u64>) {
        let batch = Batch {
            seed: words(self.setup.seed),
            first: range.start as u32,
            blocks: (range.end - range.start) as u32,
            per_experiment: self.setup.plan.per_experiment as u32,
            nets: self.setup.nets as u32,
            pad: [0; 2],
        };
        let queue = &self.engine.device.queue;
        queue.write_buffer(batch_buffer, 0, bytemuck::bytes_of(&batch));
    }

    /// Counts the bytes of the sums of a batch, `[block][quad]`.
    pub fn sum_bytes(&self, range: &Range<u64>) -> u64 {
        let quads = moments::sum_quads(self.measurement.moments());
        (range.end - range.start) * quads as u64 * 16
    }
}

/// The elements of blocks come of their sums, `[block][quad]`.
impl Batches<Accumulator> for Run<'_> {
    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn submit(&self, slot: usize, range: &Range<u64>) -> wgpu::SubmissionIndex {
        let d = &self.engine.device;
        #[cfg(feature = "test-hooks")]
        if (d.fault.as_ref()).is_some_and(|fault| fault.loses_device(range.start)) {
            d.device.destroy();
        }
        let bytes = self.sum_bytes(range);
        let copy = |encoder: &mut wgpu::CommandEncoder| {
            let Slot { sums, staging } = &self.slots[slot];
            encoder.copy_buffer_to_buffer(sums, 0, staging, 0, bytes);
        };
        match &self.pipelines {
            Pipelines::Looped(looped) => looped.submit(d, range, slot, |encoder, pass| {
                if looped.ends(pass) {
                    copy(encoder);
                }
            }),
            Pipelines::Straight(straight) => {
                let mut encoder = d.device.create_command_encoder(&Default::default());
                self.encode_networks(&mut encoder, straight, slot, range.clone());
                let blocks = range.end - range.start;
                for (reducer, group) in straight.reduce.iter().zip(&straight.slots[slot].reduce) {
                    dispatch(&mut encoder, &reducer.stage, group, reducer.size(blocks));
                }
                copy(&mut encoder);
                d.submit(encoder.finish())
            }
        }
    }

    async fn read(
        &self,
        slot: usize,
        range: &Range<u64>,
        submission: wgpu::SubmissionIndex,
    ) -> Result<Vec<f32>> {
        let bytes = self.sum_bytes(range);
        let staging = &self.slots[slot].staging;
        self.engine.device.read(submission, staging, bytes).await
    }

    fn result(&self, range: &Range<u64>, sums: &[f32]) -> Result<Accumulator> {
        let row = 4 * moments::sum_quads(self.measurement.moments());
        let parts: Vec<Accumulator> = (sums[..(range.end - range.start) as usize * row])
            .par_chunks(BLOCKS_AT_A_TIME as usize * row)
            .enumerate()
            .map(|(part, sums)| {
                let first = range.start + part as u64 * BLOCKS_AT_A_TIME;
                self.part(first..range.end.min(first + BLOCKS_AT_A_TIME), sums)
            })
            .collect::<Result<_>>()?;
        let mut all = Accumulator::new();
        parts.into_iter().for_each(|part| all.merge(part));
        Ok(all)
    }
}

impl Run<'_> {
    /// Forms the elements of some blocks.
    fn part(&self, range: Range<u64>, sums: &[f32]) -> Result<Accumulator> {
        let mut all = Accumulator::new();
        let moments = self.measurement.moments();
        let row = 4 * moments::sum_quads(moments);
        let heaviest_at = 4 * moments::heaviest_at(moments);
        for (number, row) in range.zip(sums.chunks(row)) {
            let block = self.setup.plan.block(number);
            let mut means = vec![0.0; self.order.len()];
            for (&element, &sum) in self.order.iter().zip(row) {
                let sum = f64::from(sum);
                #[cfg(feature = "test-hooks")]
                let sum = match &self.engine.device.fault {
                    Some(fault) => fault.sum(number, block.networks, sum),
                    None => sum,
                };
                means[element] = sum / block.networks as f64 * self.moment_scales[element];
            }
            if means.iter().any(|m| !m.is_finite()) {
                return Err(Error::Overflow(format!(
                    "a sum over block {} of experiment {}",
                    block.index, block.experiment
                )));
            }
            let means = self.measurement.elements(means);
            all.add_block(block.experiment, block.index, block.networks, means);
            let heaviest = &row[heaviest_at..];
            all.add_extreme(Extreme {
                score: heaviest[0].into(),
                experiment: block.experiment,
                network: block.first + heaviest[1] as u64,
                weight: heaviest[2].into(),
                field: (heaviest[3..].iter().zip(&self.setup.scales))
                    .map(|(&f, scale)| f64::from(f) * scale)
                    .collect(),
            });
        }
        Ok(all)
    }
}
