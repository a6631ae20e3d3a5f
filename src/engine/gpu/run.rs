//! One spec on the device: its texts, pipelines and buffers, batches of blocks and their sums.

use std::ops::Range;

use super::looped::{Looped, Setting, Shape, Tiles};
use super::shaders::Sampler;
use super::wgsl::Text;
use super::{
    BATCH_BYTES, Batch, GpuEngine, IN_FLIGHT, SAMPLE_THREADS, dispatch, parameters, shaders, words,
};
use crate::engine::{BlockPlan, field_scales};
use crate::model::EnsembleSpec;
use crate::stream::{GROUP, StreamLayout};
use crate::tensor::{Accumulator, Extreme, Measurement, MomentPlan};
use crate::{Error, Result};

/// The shaders of a spec.
pub enum Texts {
    /// One shader draws and sums.
    InOne(Text),
    /// Straight-line code that draws, and straight-line code that sums.
    Apart(Vec<Sampler<Text>>, Vec<Text>),
    /// Loops over buffers.
    Looped(Box<Shape>, Vec<Text>),
}

impl Texts {
    pub fn all(&self) -> Vec<&Text> {
        match self {
            Self::InOne(text) => vec![text],
            Self::Apart(sample, reduce) => sample.iter().map(|s| &s.stage).chain(reduce).collect(),
            Self::Looped(_, all) => all.iter().collect(),
        }
    }

    pub fn into_all(self) -> Vec<Text> {
        match self {
            Self::InOne(text) => vec![text],
            Self::Apart(sample, reduce) => {
                sample.into_iter().map(|s| s.stage).chain(reduce).collect()
            }
            Self::Looped(_, all) => all,
        }
    }
}

/// The shaders that draw the networks of a spec and sum the moments of a plan.
pub fn texts(engine: &GpuEngine, spec: &EnsembleSpec, moments: &MomentPlan) -> Texts {
    let block = BlockPlan::new(spec).size;
    let elements = moments.elements().len();
    if engine.looped(spec, moments) {
        let tiles = Tiles::new(engine.summary.is_software());
        let shape = Shape::new(spec, block, moments, tiles);
        let all = shape.texts(spec);
        return Texts::Looped(Box::new(shape), all);
    }
    if engine.in_one(spec, elements) {
        return Texts::InOne(shaders::ensemble(spec, block, moments));
    }
    let networks = spec.nets * u64::from(spec.experiments);
    let piece = engine.sums_per_thread(elements, networks);
    Texts::Apart(
        shaders::networks(spec, block, false),
        shaders::moments(spec, block, moments, piece),
    )
}

/// Everything that one spec needs on the device.
pub struct Run<'a> {
    pub engine: &'a GpuEngine,
    spec: &'a EnsembleSpec,
    pub plan: BlockPlan,
    measurement: Measurement,
    /// Typical size of each field: the device works with field / scale, so that products
    /// of six neither overflow nor underflow whatever the unit of f.
    pub scales: Vec<f64>,
    /// Product of the scales over each moment's index.
    moment_scales: Vec<f64>,
    pub stages: Stages,
    slots: Vec<Slot>,
    /// Most blocks in a batch.
    pub capacity: u64,
    /// The element of each sum in a block's row of the buffer `sums`.
    order: Vec<usize>,
}

/// How networks become sums.
pub enum Stages {
    Straight(Straight),
    Looped(Box<Looped>),
}

/// Straight-line code, in one shader or in two stages.
pub struct Straight {
    sample: Vec<Sampler<wgpu::ComputePipeline>>,
    reduce: Vec<wgpu::ComputePipeline>,
    pub parameters: wgpu::Buffer,
    pub fields: wgpu::Buffer,
    /// Bytes of a block in the buffer `fields`.
    pub field_bytes: u64,
    /// Threads per workgroup of what writes the sums.
    threads: u32,
    pub slots: Vec<StraightSlot>,
}

/// What a batch in flight keeps from the next.
pub struct StraightSlot {
    pub batch: wgpu::Buffer,
    sample: Vec<wgpu::BindGroup>,
    reduce: Vec<wgpu::BindGroup>,
}

struct Slot {
    sums: wgpu::Buffer,
    staging: wgpu::Buffer,
}

impl<'a> Run<'a> {
    /// Draws the networks of a spec and sums the moments of a measurement of their fields; of
    /// one without elements, it leaves the fields in their buffer.
    pub fn new(
        engine: &'a GpuEngine,
        spec: &'a EnsembleSpec,
        measurement: Measurement,
    ) -> Result<Self> {
        let d = &engine.device;
        let plan = BlockPlan::new(spec);
        let moments = measurement.moments();
        check_counters(spec)?;
        let scales = field_scales(spec);
        let moment_scales = (moments.indices().iter())
            .map(|index| index.iter().map(|&i| scales[i]).product())
            .collect();
        let texts = texts(engine, spec, moments);

        let quads = shaders::rows(spec).div_ceil(4);
        let largest = (d.limits.max_storage_buffer_binding_size).min(d.limits.max_buffer_size);
        let sum_bytes = shaders::row_quads(moments) as u64 * 16;
        // Of a block, and of the least that a batch may hold.
        let (block_bytes, least) = match &texts {
            // Nothing between the stages, and no binding of size zero.
            Texts::InOne(_) => (16, 16),
            Texts::Apart(..) => {
                let bytes = plan.size * shaders::chunks(spec) * quads * 16;
                (bytes, bytes)
            }
            Texts::Looped(shape, _) => {
                let network = shape.hidden_bytes().max(shape.field_bytes());
                let piece = shape.piece(largest.min(BATCH_BYTES));
                (network * piece, network * GROUP)
            }
        };
        let bytes = largest.min(BATCH_BYTES.max(block_bytes));
        let workgroups = u64::from(d.limits.max_compute_workgroups_per_dimension);
        // A pass of the looped stages with less than a block of networks has one block.
        let is_partial = matches!(&texts, Texts::Looped(shape, _) if shape.piece(largest.min(BATCH_BYTES)) < shape.places());
        let capacity = (bytes / block_bytes)
            .min(bytes / sum_bytes)
            .min(workgroups * SAMPLE_THREADS / plan.size)
            .min(plan.blocks())
            .min(engine.batch_blocks.unwrap_or(u64::MAX))
            .min(if is_partial { 1 } else { u64::MAX });
        if capacity == 0 || plan.blocks() > u64::from(u32::MAX) {
            return Err(Error::invalid(
                "inputs",
                format!(
                    "with {} points at width {}",
                    spec.inputs.len(),
                    spec.net.width()
                ),
                format!(
                    "one block of networks needs {} bytes, a buffer of {} holds {bytes}; use fewer points or `backend` cpu",
                    least.max(sum_bytes),
                    engine.summary.name
                ),
            ));
        }
        let setting = Setting {
            device: d,
            spec,
            plan,
            moments,
            scales: &scales,
        };
        // A device whose memory others use gets smaller batches before an error.
        let mut capacity = capacity;
        let mut bytes = bytes;
        let (stages, sums) = loop {
            let sums: Option<Vec<_>> = (0..IN_FLIGHT)
                .map(|_| d.try_storage("sums", capacity * sum_bytes))
                .collect();
            let made = match sums {
                None => None,
                Some(sums) => stages(
                    engine,
                    &setting,
                    &texts,
                    (capacity, bytes),
                    block_bytes,
                    &sums,
                )?
                .map(|stages| (stages, sums)),
            };
            match made {
                Some(made) => break made,
                None if capacity > 1 => capacity /= 2,
                None if is_partial && bytes > least => bytes /= 2,
                None => {
                    return Err(Error::Device(format!(
                        "out of memory: one block of networks needs {} bytes; free some, or use `backend` cpu",
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
        let order = match &stages {
            Stages::Straight(_) => shaders::order(moments),
            Stages::Looped(_) => (0..moments.elements().len()).collect(),
        };
        Ok(Self {
            engine,
            spec,
            plan,
            measurement,
            scales,
            moment_scales,
            stages,
            slots,
            capacity,
            order,
        })
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

    /// Encodes what draws a range of blocks.
    pub fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        batch_buffer: &wgpu::Buffer,
        samplers: &[Sampler<wgpu::ComputePipeline>],
        groups: &[wgpu::BindGroup],
        range: Range<u64>,
    ) {
        let blocks = range.end - range.start;
        let batch = Batch {
            seed: words(self.spec.seed),
            first: range.start as u32,
            blocks: blocks as u32,
            per_experiment: self.plan.per_experiment as u32,
            nets: self.spec.nets as u32,
            pad: [0; 2],
        };
        let queue = &self.engine.device.queue;
        queue.write_buffer(batch_buffer, 0, bytemuck::bytes_of(&batch));
        for (sampler, group) in samplers.iter().zip(groups) {
            let x = (blocks * sampler.threads).div_ceil(SAMPLE_THREADS) as u32;
            dispatch(encoder, &sampler.stage, group, x, sampler.chunks);
        }
    }

    /// Submits a batch, whose sums go to buffer number `slot`.
    pub fn submit(&self, slot: usize, range: Range<u64>) -> wgpu::SubmissionIndex {
        let d = &self.engine.device;
        if d.fault
            .as_ref()
            .is_some_and(|f| f.loses_device(range.start))
        {
            d.device.destroy();
        }
        let bytes = self.sum_bytes(&range);
        let copy = |encoder: &mut wgpu::CommandEncoder| {
            let Slot { sums, staging } = &self.slots[slot];
            encoder.copy_buffer_to_buffer(sums, 0, staging, 0, bytes);
        };
        match &self.stages {
            Stages::Looped(looped) => looped.submit(d, &range, slot, copy),
            Stages::Straight(straight) => {
                let mut encoder = d.device.create_command_encoder(&Default::default());
                self.encode_networks(&mut encoder, straight, slot, range.clone());
                let workgroups = ((range.end - range.start) as u32).div_ceil(straight.threads);
                for (pipeline, group) in straight.reduce.iter().zip(&straight.slots[slot].reduce) {
                    dispatch(&mut encoder, pipeline, group, workgroups, 1);
                }
                copy(&mut encoder);
                d.submit(encoder.finish())
            }
        }
    }

    fn sum_bytes(&self, range: &Range<u64>) -> u64 {
        let row_quads = shaders::row_quads(self.measurement.moments());
        (range.end - range.start) * row_quads as u64 * 16
    }

    /// Waits for a batch and reads its sums.
    pub fn read(
        &self,
        slot: usize,
        range: &Range<u64>,
        submission: wgpu::SubmissionIndex,
    ) -> Result<Vec<f32>> {
        let bytes = self.sum_bytes(range);
        self.engine
            .device
            .read(submission, &self.slots[slot].staging, bytes)
    }

    /// Adds a batch's sums, `[block][quad]`.
    pub fn add(&self, to: &mut Accumulator, range: Range<u64>, sums: &[f32]) -> Result<()> {
        let fault = self.engine.device.fault.as_ref();
        let moments = self.measurement.moments();
        let row = 4 * shaders::row_quads(moments);
        let heaviest_at = 4 * shaders::heaviest_at(moments);
        for (number, row) in range.zip(sums.chunks(row)) {
            if fault.is_some_and(|f| f.loses(number)) {
                continue;
            }
            let block = self.plan.block(number);
            let mut means = vec![0.0; self.order.len()];
            for (&element, &sum) in self.order.iter().zip(row) {
                let sum = match fault {
                    Some(fault) => fault.sum(number, block.networks, sum.into()),
                    None => sum.into(),
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
            to.add_block(block.experiment, block.index, block.networks, means);
            let heaviest = &row[heaviest_at..];
            to.add_extreme(Extreme {
                score: heaviest[0].into(),
                experiment: block.experiment,
                network: block.first + heaviest[1] as u64,
                weight: heaviest[2].into(),
                field: (heaviest[3..].iter().zip(&self.scales))
                    .map(|(&f, scale)| f64::from(f) * scale)
                    .collect(),
            });
        }
        Ok(())
    }
}

/// Refuses a spec whose networks own more random words than the shaders count.
fn check_counters(spec: &EnsembleSpec) -> Result<()> {
    let layout = StreamLayout::new(spec);
    let groups = layout.full_groups + 1;
    let blocks = groups * layout.hidden_components.max(layout.outputs);
    match u32::try_from(blocks) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::invalid(
            "width",
            spec.net.width(),
            format!(
                "with {} inputs a network has more random numbers than the shaders count; use `backend` cpu",
                spec.net.d_in()
            ),
        )),
    }
}

/// Pipelines and buffers for so many blocks in so many bytes, or `None` if there is no memory.
fn stages(
    engine: &GpuEngine,
    setting: &Setting,
    texts: &Texts,
    (capacity, bytes): (u64, u64),
    block_bytes: u64,
    sums: &[wgpu::Buffer],
) -> Result<Option<Stages>> {
    let d = &engine.device;
    let (sample, reduce) = match texts {
        Texts::Looped(shape, _) => {
            let shape = Shape::clone(shape);
            let looped = Looped::new(setting, shape, capacity, bytes, sums)?;
            return Ok(looped.map(|looped| Stages::Looped(Box::new(looped))));
        }
        Texts::InOne(text) => (Vec::new(), vec![d.pipeline(text.clone())?]),
        Texts::Apart(sample, reduce) => (
            (sample.iter())
                .map(|s| s.compiled(d))
                .collect::<Result<_>>()?,
            (reduce.iter())
                .map(|text| d.pipeline(text.clone()))
                .collect::<Result<_>>()?,
        ),
    };
    let in_one = sample.is_empty();
    let constants = parameters::straight(setting.spec, setting.scales)?;
    let constants = bytemuck::cast_slice::<f32, u8>(&constants);
    let parameters = d.parameters(constants.len() as u64);
    d.queue.write_buffer(&parameters, 0, constants);
    let Some(fields) = d.try_storage("fields", capacity * block_bytes) else {
        return Ok(None);
    };
    let slots = (sums.iter())
        .map(|sums| {
            let batch = engine.uniform();
            StraightSlot {
                sample: (sample.iter())
                    .map(|s: &Sampler<_>| d.bind(&s.stage, &[&batch, &parameters, &fields]))
                    .collect(),
                reduce: (reduce.iter())
                    .map(|p| match in_one {
                        true => d.bind(p, &[&batch, &parameters, sums]),
                        false => d.bind(p, &[&batch, &fields, sums]),
                    })
                    .collect(),
                batch,
            }
        })
        .collect();
    Ok(Some(Stages::Straight(Straight {
        sample,
        reduce,
        parameters,
        fields,
        field_bytes: block_bytes,
        threads: match in_one {
            true => shaders::ENSEMBLE_THREADS,
            false => shaders::MOMENT_THREADS,
        },
        slots,
    })))
}
