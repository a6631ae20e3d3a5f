//! This module holds one run on the device: batches of blocks and their sums.

use std::ops::Range;

use super::batches::Batches;
use super::device::Device;
use super::intake::Intake;
use super::networks::Sampler;
use super::pipelines::{Pipelines, Straight, Texts};
use super::room::Room;
use super::setup::Setup;
use super::{Batch, GpuEngine, IN_FLIGHT, dispatch, moments, words};

use crate::tensor::{Accumulator, Measurement};
use crate::{Error, Result};

/// `Run` is everything that one run needs on the device.
pub struct Run<'a> {
    pub engine: &'a GpuEngine,
    setup: &'a Setup,
    intake: Intake,
    pub pipelines: Pipelines,
    slots: Vec<Slot>,
    /// The largest number of blocks in a batch.
    pub capacity: u64,
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
        let moments = measurement.moments();
        setup.check_counters()?;
        let mut room = Room::new(engine, setup, moments, texts)?;
        // A device whose memory others use gets smaller batches before an error.
        let (pipelines, sums) = loop {
            let sums: Option<Vec<_>> = (0..IN_FLIGHT)
                .map(|_| d.try_storage("sums", room.capacity * room.sum_bytes))
                .collect();
            let made = match sums {
                None => None,
                Some(sums) => {
                    let sizes = (room.capacity, room.bytes, room.block_bytes);
                    Pipelines::new(d, setup, moments, texts, sizes, &sums)?
                        .map(|pipelines| (pipelines, sums))
                }
            };
            match made {
                Some(made) => break made,
                None if room.halve() => {}
                None => {
                    return Err(Error::Device(format!(
                        "out of memory: one block of networks needs {} bytes; free some, or use the CPU engine",
                        room.least + IN_FLIGHT as u64 * room.sum_bytes
                    )));
                }
            }
        };
        let slots = (sums.into_iter())
            .map(|sums| Slot {
                staging: d.staging(room.capacity * room.sum_bytes),
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
            intake: Intake::new(setup, measurement, order),
            pipelines,
            slots,
            capacity: room.capacity,
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
        self.intake.bytes(range.end - range.start)
    }
}

/// The elements of blocks come of their sums, `[block][quad]`.
impl Batches<Accumulator> for Run<'_> {
    fn device(&self) -> &Device {
        &self.engine.device
    }

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

    fn staging(&self, slot: usize, range: &Range<u64>) -> (&wgpu::Buffer, u64) {
        (&self.slots[slot].staging, self.sum_bytes(range))
    }

    fn result(&self, range: &Range<u64>, sums: &[f32]) -> Result<Accumulator> {
        #[cfg(feature = "test-hooks")]
        if let Some(fault) = &self.engine.device.fault {
            return self.intake.take(range, &self.faulty(fault, range, sums));
        }
        self.intake.take(range, sums)
    }
}

#[cfg(feature = "test-hooks")]
impl Run<'_> {
    /// Returns the sums of a batch as a host with a fault reads them.
    fn faulty(&self, fault: &super::Fault, range: &Range<u64>, sums: &[f32]) -> Vec<f32> {
        let mut sums = sums.to_vec();
        let moments = self.intake.measurement().moments();
        let count = moments.elements().len();
        let rows = sums.chunks_mut(4 * moments::sum_quads(moments));
        for (number, row) in range.clone().zip(rows) {
            let networks = self.setup.plan.block(number).networks;
            for sum in &mut row[..count] {
                *sum = fault.sum(number, networks, (*sum).into()) as f32;
            }
        }
        sums
    }
}
