//! This module holds the shaders of a run, and their pipelines with the buffers that they work on.

use rayon::prelude::*;

use super::device::Device;
use super::layout::{self, Layout};
use super::looped::{Looped, Shape};
use super::moments::Reducer;
use super::networks::Sampler;
use super::profile::Profile;
use super::setup::Setup;
use super::template::Text;
use super::{GpuEngine, IN_FLIGHT, moments, networks};
use crate::Result;
use crate::engine::Form;
use crate::tensor::MomentPlan;

/// `Texts` are the shaders of a run.
pub enum Texts {
    Fused(Reducer<Text>),
    Staged(Vec<Sampler<Text>>, Vec<Reducer<Text>>),
    Looped(Box<Shape>, Vec<Text>),
}

impl Texts {
    /// Renders the shaders that draw the networks of a setup and sum the moments of a plan.
    pub fn new(engine: &GpuEngine, setup: &Setup, plan: &MomentPlan) -> Self {
        match engine.form_of(setup, plan) {
            Form::Fused => {
                let layout = Layout::new(setup);
                Self::Fused(moments::ensemble(setup, &layout, plan, &engine.profile))
            }
            Form::Staged => Self::Staged(
                networks::texts(setup, &engine.profile, false),
                moments::texts(setup, plan, &engine.profile),
            ),
            Form::Looped => {
                let shape = Shape::new(setup, plan, &engine.profile);
                let all = shape.texts(setup);
                Self::Looped(Box::new(shape), all)
            }
        }
    }

    /// Renders the shaders that draw the networks of a setup and leave their fields in a buffer.
    pub fn of_fields(engine: &GpuEngine, setup: &Setup, none: &MomentPlan) -> Self {
        match engine.form_of(setup, none) {
            Form::Looped => Self::new(engine, setup, none),
            Form::Fused | Form::Staged => {
                Self::Staged(networks::texts(setup, &engine.profile, false), Vec::new())
            }
        }
    }

    /// Counts the blocks of the first batch, which no clock has sized: few where a block is much
    /// work.
    pub fn first_batch(&self, profile: &Profile, setup: &Setup) -> u64 {
        match self {
            _ if setup.is_deep() => 1,
            Self::Looped(..) => 1,
            Self::Fused(_) | Self::Staged(..) => profile.first_batch(setup),
        }
    }

    /// Returns the least number of blocks that a workgroup sums, in straight-line code.
    pub fn blocks_together(&self) -> u64 {
        let all = match self {
            Self::Fused(reducer) => std::slice::from_ref(reducer),
            Self::Staged(_, reduce) => reduce,
            Self::Looped(..) => &[],
        };
        all.iter().map(|r| r.together).min().unwrap_or(u64::MAX)
    }

    pub fn all(&self) -> Vec<&Text> {
        match self {
            Self::Fused(reducer) => vec![&reducer.stage],
            Self::Staged(sample, reduce) => {
                let sample = sample.iter().map(|sampler| &sampler.stage);
                (sample.chain(reduce.iter().map(|reducer| &reducer.stage))).collect()
            }
            Self::Looped(_, all) => all.iter().collect(),
        }
    }
}

/// `Pipelines` say how networks become sums.
pub enum Pipelines {
    Straight(Straight),
    Looped(Box<Looped>),
}

impl Pipelines {
    /// Makes the pipelines and buffers for `capacity` blocks, each of `block_bytes`, in buffers of
    /// at most `bytes`, or `None` if there is no memory.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`], [`crate::Error::Device`].
    pub fn new(
        d: &Device,
        setup: &Setup,
        plan: &MomentPlan,
        texts: &Texts,
        (capacity, bytes, block_bytes): (u64, u64, u64),
        sums: &[wgpu::Buffer],
    ) -> Result<Option<Self>> {
        Ok(match texts {
            Texts::Looped(shape, texts) => {
                let shape = Shape::clone(shape);
                Looped::new(d, setup, plan, (shape, texts), (capacity, bytes), sums)?
                    .map(|looped| Self::Looped(Box::new(looped)))
            }
            Texts::Fused(reducer) => {
                let reduce = std::slice::from_ref(reducer);
                let bytes = (capacity * block_bytes, block_bytes);
                Straight::new(d, setup, (&[], reduce), bytes, sums)?.map(Self::Straight)
            }
            Texts::Staged(sample, reduce) => {
                let bytes = (capacity * block_bytes, block_bytes);
                Straight::new(d, setup, (sample, reduce), bytes, sums)?.map(Self::Straight)
            }
        })
    }
}

/// `Straight` is straight-line code, in one shader or in two stages.
pub struct Straight {
    pub sample: Vec<Sampler<wgpu::ComputePipeline>>,
    pub reduce: Vec<Reducer<wgpu::ComputePipeline>>,
    pub parameters: wgpu::Buffer,
    pub fields: wgpu::Buffer,
    /// Bytes of a block in the buffer `fields`.
    pub field_bytes: u64,
    pub slots: Vec<Slot>,
}

/// A slot is what a batch in flight keeps from the next.
pub struct Slot {
    pub batch: wgpu::Buffer,
    pub sample: Vec<wgpu::BindGroup>,
    pub reduce: Vec<wgpu::BindGroup>,
}

impl Straight {
    fn new(
        d: &Device,
        setup: &Setup,
        (sample, reduce): (&[Sampler<Text>], &[Reducer<Text>]),
        (bytes, field_bytes): (u64, u64),
        sums: &[wgpu::Buffer],
    ) -> Result<Option<Self>> {
        let is_fused = sample.is_empty();
        let sample = compile_samplers(d, sample)?;
        let reduce = (reduce.iter())
            .map(|reducer| {
                Ok(Reducer {
                    stage: d.pipeline(&reducer.stage)?,
                    together: reducer.together,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let numbers = layout::numbers(setup)?;
        let numbers = bytemuck::cast_slice::<f32, u8>(&numbers);
        let parameters = d.parameters(numbers.len() as u64);
        d.queue.write_buffer(&parameters, 0, numbers);
        let Some(fields) = d.try_storage("fields", bytes) else {
            return Ok(None);
        };
        debug_assert_eq!(sums.len(), IN_FLIGHT);
        let slots = (sums.iter())
            .map(|sums| {
                let batch = d.batch();
                let source = if is_fused { &parameters } else { &fields };
                Slot {
                    sample: (sample.iter())
                        .map(|s| d.bind(&s.stage, &[&batch, &parameters, &fields]))
                        .collect(),
                    reduce: (reduce.iter())
                        .map(|r| d.bind(&r.stage, &[&batch, source, sums]))
                        .collect(),
                    batch,
                }
            })
            .collect();
        Ok(Some(Self {
            sample,
            reduce,
            parameters,
            fields,
            field_bytes,
            slots,
        }))
    }
}

/// Compiles the texts that draw networks to pipelines.
///
/// # Errors
/// [`crate::Error::Device`].
pub fn compile_samplers(
    d: &Device,
    texts: &[Sampler<Text>],
) -> Result<Vec<Sampler<wgpu::ComputePipeline>>> {
    // Some drivers compile here, on the caller's thread: use them all.
    (texts.par_iter())
        .map(|sampler| {
            Ok(Sampler {
                stage: d.pipeline(&sampler.stage)?,
                threads: sampler.threads,
                chunks: sampler.chunks,
            })
        })
        .collect()
}
