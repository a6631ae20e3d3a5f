//! This module holds one training on the device: buffers, and stages in their order.

use std::time::{Duration, Instant};

use bytemuck::{Pod, Zeroable};

use super::super::{GpuEngine, SAMPLE_THREADS, THREADS_PER_ROW, words};
use super::shape::{Shape, Stage};
use super::texts::{Texts, constant_bytes};
use crate::engine::AdapterClass;
use crate::engine::queue::next_size;
use crate::model::Learning;
use crate::sentence::sentence;
use crate::stream::GROUP;
use crate::{Error, Result};

/// Bytes of the buffers on a software adapter: few enough for a processor's caches.
const SOFTWARE_BYTES: u64 = 8 << 20;
/// Time that a submission should take: desktops reset a device after about two seconds.
const SUBMISSION: Duration = Duration::from_millis(100);
/// Steps of a submission at most: its commands are recorded before it starts.
const MOST_STEPS: u64 = 1000;

/// `Pass` is the uniform of `train/pass.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Pass {
    seed: [u32; 2],
    networks: u32,
    width: u32,
    first: u32,
    points: u32,
    data: u32,
    chunk: u32,
    chunks: u32,
    pad: [u32; 3],
}

/// `View` says at which points a stage works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Data,
    Others,
    All,
}

const VIEWS: [View; 3] = [View::Data, View::Others, View::All];

/// `Run` is everything that one training needs on the device.
pub struct Run<'a> {
    engine: &'a GpuEngine,
    shape: &'a Shape<'a>,
    /// The most tiles of 16 networks that are trained side by side.
    pub capacity: u64,
    uniforms: [wgpu::Buffer; 3],
    buffers: Buffers,
    staging: wgpu::Buffer,
    draw: Option<(wgpu::ComputePipeline, wgpu::BindGroup)>,
    draw_rest: (wgpu::ComputePipeline, wgpu::BindGroup),
    /// Pipelines, with a bind group for each view.
    stages: Vec<(Stage, wgpu::ComputePipeline, [wgpu::BindGroup; 3])>,
    /// Steps of the next submission, and the tiles that this is for.
    pace: (u64, u64),
}

struct Buffers {
    theta: wgpu::Buffer,
    sums: wgpu::Buffer,
    outputs: wgpu::Buffer,
    errors: wgpu::Buffer,
    diverged: wgpu::Buffer,
    covariance: wgpu::Buffer,
    tiles: wgpu::Buffer,
    constants: wgpu::Buffer,
}

/// `Look` is what some networks yield at a stop.
pub struct Look {
    /// f, `[point][output][network]`.
    outputs: Vec<f32>,
    diverged: Vec<u32>,
}

impl Look {
    /// Returns the outputs of tile number `tile` of those that were trained side by side, `[point][output]`, and
    /// which of its networks have diverged.
    pub fn tile(&self, tile: usize) -> (Vec<[f64; GROUP as usize]>, [bool; GROUP as usize]) {
        let (networks, first) = (self.diverged.len(), GROUP as usize * tile);
        let outputs: Vec<[f64; GROUP as usize]> = (self.outputs.chunks_exact(networks))
            .map(|row| std::array::from_fn(|l| f64::from(row[first + l])))
            .collect();
        // Points beside the data have no part in the loss.
        let diverged = std::array::from_fn(|l| {
            self.diverged[first + l] != 0 || outputs.iter().any(|f| !f[l].is_finite())
        });
        (outputs, diverged)
    }
}

/// Refuses 16 networks that no buffer has room for.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check(engine: &GpuEngine, shape: &Shape) -> Result<()> {
    let (limits, needed) = (&engine.device.limits, shape.bytes().largest());
    let largest = (limits.max_storage_buffer_binding_size).min(limits.max_buffer_size);
    match needed > largest {
        true => Err(Error::invalid(
            "width",
            shape.setup.width,
            sentence!(
                "16 networks need {} bytes to be trained, a buffer of {} holds {}; use fewer units or `backend` cpu",
                needed.to_string(),
                engine.summary.name.as_str(),
                largest.to_string(),
            ),
        )),
        false => Ok(()),
    }
}

impl<'a> Run<'a> {
    /// Prepares to train up to `tiles` tiles of networks side by side, or as many as memory has room for.
    ///
    /// # Errors
    /// [`Error::Invalid`] if 16 networks do not fit, [`Error::Overflow`], [`Error::Device`].
    pub fn new(
        engine: &'a GpuEngine,
        shape: &'a Shape<'a>,
        texts: &Texts,
        tiles: u64,
    ) -> Result<Self> {
        let d = &engine.device;
        let (bytes, limits) = (shape.bytes(), &d.limits);
        let largest = (limits.max_storage_buffer_binding_size).min(limits.max_buffer_size);
        let budget = match engine.profile.class {
            AdapterClass::Software => SOFTWARE_BYTES,
            AdapterClass::Discrete | AdapterClass::Integrated => engine.profile.batch_bytes,
        };
        check(engine, shape)?;
        let fits = (budget / bytes.total()).clamp(1, largest / bytes.largest());
        let constants = shape.constants()?;
        let mut capacity = fits.min(tiles).max(1);
        let buffers = loop {
            let room = |label, bytes: u64| d.try_storage(label, (capacity * bytes).max(16));
            let made = (|| {
                Some(Buffers {
                    theta: room("theta", bytes.theta)?,
                    sums: room("sums", bytes.sums)?,
                    outputs: room("outputs", bytes.outputs)?,
                    errors: room("errors", bytes.errors)?,
                    diverged: room("diverged", bytes.diverged)?,
                    covariance: room("covariance", bytes.covariance)?,
                    tiles: room("tiles", bytes.tiles)?,
                    constants: d.parameters(constant_bytes(constants.len())),
                })
            })();
            match made {
                Some(buffers) => break buffers,
                // A device whose memory others use gets smaller batches before an error.
                None if capacity > 1 => capacity /= 2,
                None => {
                    return Err(Error::Device(format!(
                        "out of memory: 16 networks need {} bytes to be trained; free some, or use the CPU engine",
                        bytes.total()
                    )));
                }
            }
        };
        let constants: &[u8] = bytemuck::cast_slice(&constants);
        d.queue.write_buffer(&buffers.constants, 0, constants);
        let uniforms = VIEWS.map(|_| {
            use wgpu::BufferUsages as U;
            d.buffer("pass", size_of::<Pass>() as u64, U::UNIFORM | U::COPY_DST)
        });
        let mut stages = Vec::new();
        for (stage, text) in &texts.stages {
            let pipeline = d.pipeline(text)?;
            let of = |uniform| d.bind(&pipeline, &buffers.of(*stage, shape.is_fused, uniform));
            let groups = uniforms.each_ref().map(of);
            stages.push((*stage, pipeline, groups));
        }
        let drawing = |text| {
            let pipeline = d.pipeline(text)?;
            let all = [&uniforms[0], &buffers.tiles, &buffers.theta];
            let group = d.bind(&pipeline, &all);
            Ok::<_, Error>((pipeline, group))
        };
        let (draw, draw_rest) = (
            texts.draw.as_ref().map(drawing).transpose()?,
            drawing(&texts.draw_rest)?,
        );
        d.check()?;
        Ok(Self {
            staging: d.staging(capacity * (bytes.outputs + bytes.diverged)),
            engine,
            shape,
            capacity,
            uniforms,
            buffers,
            draw,
            draw_rest,
            stages,
            pace: (1, 0),
        })
    }

    /// Trains tiles of networks, given by experiment and number, to every one of `stops`; `None` once `cancelled`.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub async fn train(
        &mut self,
        tiles: &[[u32; 2]],
        stops: &[u64],
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Vec<Look>>> {
        self.begin(tiles);
        let count = tiles.len() as u64;
        // As long for more networks as it took for fewer, at worst.
        let (steps, before) = self.pace;
        self.pace = (
            if count > before {
                (steps * before / count).max(1)
            } else {
                steps
            },
            count,
        );
        let (mut step, mut looks) = (0, Vec::new());
        for &stop in stops {
            while step < stop {
                if cancelled() {
                    return Ok(None);
                }
                let steps = self.pace.0.min(stop - step);
                let start = Instant::now();
                let submission = self.steps(count, steps);
                self.engine.device.wait(submission).await?;
                let next = next_size(self.pace.0, steps, start.elapsed(), SUBMISSION);
                self.pace.0 = next.min(MOST_STEPS);
                step += steps;
            }
            looks.push(self.look(count).await?);
        }
        Ok(Some(looks))
    }

    /// Draws the parameters of networks, and computes their outputs and errors.
    pub fn begin(&self, tiles: &[[u32; 2]]) {
        let queue = &self.engine.device.queue;
        queue.write_buffer(&self.buffers.tiles, 0, bytemuck::cast_slice(tiles));
        let count = tiles.len() as u64;
        for (view, uniform) in VIEWS.iter().zip(&self.uniforms) {
            let (first, points) = self.points(*view);
            let pass = Pass {
                seed: words(self.shape.setup.seed),
                networks: (GROUP * count) as u32,
                width: self.shape.setup.width as u32,
                first: first as u32,
                points: points as u32,
                data: self.shape.data as u32,
                chunk: self.shape.chunk as u32,
                chunks: self.shape.chunks as u32,
                pad: [0; 3],
            };
            queue.write_buffer(uniform, 0, bytemuck::bytes_of(&pass));
        }
        let stream = &self.shape.setup.stream;
        self.submit(
            |encoder| encoder.clear_buffer(&self.buffers.diverged, 0, None),
            |run, pass| {
                if let Some((pipeline, group)) = &run.draw {
                    dispatch(pass, pipeline, group, GROUP * count * stream.full_groups);
                }
                let (pipeline, group) = &run.draw_rest;
                dispatch(pass, pipeline, group, count * (stream.remainder + 1));
                match run.shape.learning {
                    Learning::All => run.forward(pass, View::Data, count),
                    Learning::Readout => {
                        run.forward(pass, View::All, count);
                        run.stage(pass, Stage::Covariance, View::All, count);
                    }
                }
                run.stage(pass, Stage::Errors, View::Data, count);
            },
        );
    }

    /// Takes one step.
    fn step(&self, pass: &mut wgpu::ComputePass, count: u64) {
        match (self.shape.learning, self.shape.is_fused) {
            (Learning::All, true) => {
                self.stage(pass, Stage::Step, View::Data, count);
                self.stage(pass, Stage::Outputs, View::Data, count);
            }
            (Learning::All, false) => {
                self.stage(pass, Stage::Step, View::Data, count);
                self.forward(pass, View::Data, count);
            }
            (Learning::Readout, _) => self.stage(pass, Stage::Advance, View::All, count),
        }
        self.stage(pass, Stage::Errors, View::Data, count);
    }

    /// Submits steps of networks that were begun.
    pub fn steps(&self, count: u64, steps: u64) -> wgpu::SubmissionIndex {
        let all = |run: &Self, pass: &mut wgpu::ComputePass| {
            (0..steps).for_each(|_| run.step(pass, count));
        };
        self.submit(|_| {}, all)
    }

    fn forward(&self, pass: &mut wgpu::ComputePass, view: View, count: u64) {
        self.stage(pass, Stage::Forward, view, count);
        self.stage(pass, Stage::Outputs, view, count);
    }

    fn stage(&self, pass: &mut wgpu::ComputePass, stage: Stage, view: View, count: u64) {
        let (_, points) = self.points(view);
        let (_, pipeline, groups) = (self.stages.iter())
            .find(|(kind, ..)| *kind == stage)
            .expect("a stage of this training");
        let threads = self.shape.threads(stage, points) * count * GROUP / 4;
        dispatch(pass, pipeline, &groups[view as usize], threads);
    }

    /// Returns the first of the points of a view, and their number.
    fn points(&self, view: View) -> (usize, usize) {
        let (data, points) = (self.shape.data, self.shape.points);
        match view {
            View::Data => (0, data),
            View::Others => (data, points - data),
            View::All => (0, points),
        }
    }

    /// Reads what networks yield.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub async fn look(&self, count: u64) -> Result<Look> {
        let d = &self.engine.device;
        let mut encoder = d.device.create_command_encoder(&Default::default());
        if self.shape.learning == Learning::All && self.shape.points > self.shape.data {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.forward(&mut pass, View::Others, count);
        }
        let bytes = self.shape.bytes();
        let (outputs, diverged) = (count * bytes.outputs, count * bytes.diverged);
        encoder.copy_buffer_to_buffer(&self.buffers.outputs, 0, &self.staging, 0, outputs);
        encoder.copy_buffer_to_buffer(&self.buffers.diverged, 0, &self.staging, outputs, diverged);
        let submission = d.submit(encoder.finish());
        let all: Vec<u32> = d
            .read(submission, &self.staging, outputs + diverged)
            .await?;
        let (outputs, diverged) = all.split_at(outputs as usize / 4);
        Ok(Look {
            outputs: outputs.iter().map(|&bits| f32::from_bits(bits)).collect(),
            diverged: diverged.to_vec(),
        })
    }

    /// Reads the parameters of networks, `[row][unit][network]`.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub async fn parameters(&self, count: u64) -> Result<Vec<f32>> {
        let d = &self.engine.device;
        let bytes = count * self.shape.bytes().theta;
        let staging = d.staging(bytes);
        let mut encoder = d.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&self.buffers.theta, 0, &staging, 0, bytes);
        let submission = d.submit(encoder.finish());
        d.read(submission, &staging, bytes).await
    }

    fn submit(
        &self,
        before: impl FnOnce(&mut wgpu::CommandEncoder),
        encode: impl FnOnce(&Self, &mut wgpu::ComputePass),
    ) -> wgpu::SubmissionIndex {
        let d = &self.engine.device;
        let mut encoder = d.device.create_command_encoder(&Default::default());
        before(&mut encoder);
        let mut pass = encoder.begin_compute_pass(&Default::default());
        encode(self, &mut pass);
        drop(pass);
        d.submit(encoder.finish())
    }
}

impl Buffers {
    /// Lists the buffers of a stage in the order of their bindings.
    fn of<'b>(
        &'b self,
        stage: Stage,
        is_fused: bool,
        uniform: &'b wgpu::Buffer,
    ) -> Vec<&'b wgpu::Buffer> {
        let mut all = vec![uniform, &self.constants];
        match stage {
            Stage::Forward => all.extend([&self.theta, &self.sums]),
            Stage::Outputs => all.extend([&self.theta, &self.sums, &self.outputs]),
            Stage::Errors => all.extend([&self.outputs, &self.errors, &self.diverged]),
            Stage::Step => {
                all.extend([&self.errors, &self.theta]);
                all.extend(is_fused.then_some(&self.sums));
            }
            Stage::Covariance => all.extend([&self.theta, &self.covariance]),
            Stage::Advance => all.extend([&self.errors, &self.covariance, &self.outputs]),
        }
        all
    }
}

/// Dispatches so many threads, in rows.
fn dispatch(
    pass: &mut wgpu::ComputePass,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    threads: u64,
) {
    let x = threads.min(THREADS_PER_ROW).div_ceil(SAMPLE_THREADS) as u32;
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups(x, threads.div_ceil(THREADS_PER_ROW) as u32, 1);
}
