//! The GPU engine: WGSL stages in f32, hierarchical sums, f64 on the host.

mod adapter;
mod device;
mod fault;
mod limit;
mod shaders;
mod stages;
mod wgsl;

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytemuck::{Pod, Zeroable};

pub use adapter::{AdapterSummary, adapters};
use device::Device;
#[doc(hidden)]
pub use fault::Fault;
pub use limit::fits;
use shaders::Sampler;

use super::queue::next_size;
use super::{BlockPlan, DeviceInfo, Engine, Parameters, Work, measurement};
use crate::model::{Architecture, EnsembleSpec, Estimator};
use crate::tensor::{Accumulator, Extreme, Measurement};
use crate::{Error, Result};

/// Time that a batch should take: long against a submission (well under a millisecond),
/// short against the watchdogs of desktops (about two seconds).
const BATCH_TIME: Duration = Duration::from_millis(100);
/// Batches in flight: the host adds one while the device works on the next.
const IN_FLIGHT: usize = 2;
/// Buffers of one batch, bytes. Memory stays flat whatever the number of networks.
const BATCH_BYTES: u64 = 64 << 20;
const SAMPLE_THREADS: u64 = 64;
/// Networks from which on a software adapter earns back the time to compile longer shaders.
const LONG_RUN: u64 = 1_000_000;

/// f32 engine on one wgpu adapter.
pub struct GpuEngine {
    device: Device,
    summary: AdapterSummary,
    batch_blocks: Option<u64>,
    in_one: Option<bool>,
}

/// The uniform of `batch.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Batch {
    seed: [u32; 2],
    first: u32,
    blocks: u32,
    per_experiment: u32,
    nets: u32,
    pad: [u32; 2],
}

fn words(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

impl GpuEngine {
    /// An engine on the best adapter, or on the first whose name contains `adapter`.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] with the adapters there are; [`Error::Device`] if it fails to open.
    ///
    /// ```no_run
    /// use nnqft_gpu::engine::{self, Engine, gpu::GpuEngine};
    /// use nnqft_gpu::model::{Architecture, EnsembleSpec};
    ///
    /// let mut gpu = GpuEngine::new(None)?;
    /// let spec = EnsembleSpec::preset(Architecture::Erf, 1)?.validate()?;
    /// let moments = engine::run(&mut gpu, &spec, &|_| {})?;
    /// println!("{} networks on {}", moments.networks(), gpu.device().adapter);
    /// # Ok::<(), nnqft_gpu::Error>(())
    /// ```
    pub fn new(adapter: Option<&str>) -> Result<Self> {
        let (adapter, summary) = adapter::select(adapter)?;
        Ok(Self {
            device: Device::new(&adapter)?,
            summary,
            batch_blocks: None,
            in_one: None,
        })
    }

    /// An engine on every hardware adapter, or on the software one if there is no other; a
    /// GPU that answers under several APIs counts once. Those that fail to open are errors of
    /// their own.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none.
    pub fn all() -> Result<Vec<Result<Self>>> {
        let open = |(adapter, summary): (_, AdapterSummary)| {
            let device = Device::new(&adapter).map_err(|e| match e {
                Error::Device(what) => Error::Device(format!("{}: {what}", summary.name)),
                other => other,
            })?;
            Ok(Self {
                device,
                summary,
                batch_blocks: None,
                in_one: None,
            })
        };
        Ok(adapter::distinct()?.into_iter().map(open).collect())
    }

    /// The adapter that it runs on.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.summary
    }

    /// An engine that computes wrongly, to prove that cross-checks notice.
    #[doc(hidden)]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.device.fault = Some(fault);
        self
    }

    /// An engine that believes in smaller buffers than its adapter has.
    #[doc(hidden)]
    pub fn with_largest_buffer(mut self, bytes: u64) -> Self {
        self.device.limits.max_storage_buffer_binding_size = bytes;
        self
    }

    /// Fixes the batch to so many blocks instead of sizing it by measured time. Results do
    /// not depend on it.
    pub fn with_batch_blocks(mut self, blocks: u64) -> Self {
        self.batch_blocks = Some(blocks.max(1));
        self
    }

    /// Fixes whether one shader draws and sums (`ensemble.wgsl`), or one after the other with
    /// the fields in a buffer, instead of choosing the faster.
    #[doc(hidden)]
    pub fn set_in_one(&mut self, in_one: Option<bool>) {
        self.in_one = in_one;
    }

    /// Whether one shader draws and sums. A software adapter is then faster, but takes longer
    /// to compile, which short runs do not earn back; a GPU has not the registers.
    fn in_one(&self, spec: &EnsembleSpec, elements: usize) -> bool {
        let networks = spec.nets * u64::from(spec.experiments);
        let wanted =
            (self.in_one).unwrap_or_else(|| self.summary.is_software() && networks >= LONG_RUN);
        wanted
            && spec.width <= shaders::MAX_ENSEMBLE_WIDTH
            && (1..=shaders::MAX_ENSEMBLE_ELEMENTS).contains(&elements)
    }

    fn uniform(&self) -> wgpu::Buffer {
        use wgpu::BufferUsages as U;
        self.device
            .buffer("batch", size_of::<Batch>() as u64, U::UNIFORM | U::COPY_DST)
    }

    /// Sums that one thread of the moment stage keeps, for a run of `elements` sums over
    /// `networks` networks. A GPU has at most 255 registers per thread. A processor spills to
    /// its first-level cache at no cost, but its compiler takes more than linear time: short
    /// pieces are a quarter of the wait, and several are compiled at a time. Each piece reads
    /// the fields again, so that long runs are better off with longer ones.
    fn sums_per_thread(&self, elements: usize, networks: u64) -> usize {
        match (self.summary.is_software(), elements) {
            (false, _) => 96,
            (true, _) if networks < LONG_RUN => 128,
            (true, ..=1024) => 1024,
            (true, _) => 256,
        }
    }
}

impl Engine for GpuEngine {
    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: "gpu".into(),
            adapter: self.summary.name.clone(),
            driver: self.summary.driver.clone(),
        }
    }

    fn accumulate(&mut self, spec: &EnsembleSpec, work: &dyn Work) -> Result<()> {
        if work.left() == 0 {
            return Ok(());
        }
        fits(spec)?;
        let drawn = spec.on_rays();
        let run = Run::new(self, &drawn, measurement(spec))?;
        let mut flying: VecDeque<(usize, Range<u64>, wgpu::SubmissionIndex, Instant)> =
            VecDeque::new();
        let mut size = self.batch_blocks.unwrap_or(64).min(run.capacity);
        let (mut turn, mut networks) = (0, 0);
        let mut last_done = Instant::now();
        loop {
            while flying.len() < IN_FLIGHT
                && let Some(range) = work.take(size)
            {
                let submission = run.submit(turn, range.clone());
                flying.push_back((turn, range, submission, Instant::now()));
                turn = (turn + 1) % IN_FLIGHT;
            }
            let Some((slot, range, submission, submitted)) = flying.pop_front() else {
                return Ok(());
            };
            let sums = (run.read(slot, &range, submission)).map_err(|e| match e {
                Error::Device(what) => {
                    Error::Device(format!("{what}; {networks} networks had been finished"))
                }
                other => other,
            })?;
            let done = Instant::now();
            let took = done - submitted.max(last_done);
            last_done = done;
            if self.batch_blocks.is_none() {
                let blocks = range.end - range.start;
                size = next_size(size, blocks, took, BATCH_TIME).min(run.capacity);
            }
            let mut moments = Accumulator::new();
            run.add(&mut moments, range.clone(), &sums)?;
            networks += moments.networks();
            work.finish(range, moments);
        }
    }
}

/// Everything that one spec needs on the device.
struct Run<'a> {
    engine: &'a GpuEngine,
    spec: &'a EnsembleSpec,
    plan: BlockPlan,
    measurement: Measurement,
    /// Typical size of each field: the device works with field / scale, so that products
    /// of six neither overflow nor underflow whatever the unit of f.
    scales: Vec<f64>,
    /// Product of the scales over each moment's index.
    moment_scales: Vec<f64>,
    sample: Vec<Sampler>,
    reduce: Vec<wgpu::ComputePipeline>,
    parameters: wgpu::Buffer,
    fields: wgpu::Buffer,
    /// Threads per workgroup of what writes the sums.
    threads: u32,
    slots: Vec<Slot>,
    /// Most blocks in a batch.
    capacity: u64,
    field_bytes: u64,
    /// The element of each sum in a block's row of the buffer `sums`.
    order: Vec<usize>,
}

struct Slot {
    batch: wgpu::Buffer,
    sums: wgpu::Buffer,
    staging: wgpu::Buffer,
    sample: Vec<wgpu::BindGroup>,
    reduce: Vec<wgpu::BindGroup>,
}

impl<'a> Run<'a> {
    /// Draws the networks of a spec and sums the moments of a measurement of their fields; of
    /// one without elements, it leaves the fields in their buffer.
    fn new(
        engine: &'a GpuEngine,
        spec: &'a EnsembleSpec,
        measurement: Measurement,
    ) -> Result<Self> {
        let d = &engine.device;
        let plan = BlockPlan::new(spec);
        let moments = measurement.moments();
        let scales = super::field_scales(spec);
        let parameters = f32_parameters(spec, &scales)?;
        let moment_scales = (moments.indices().iter())
            .map(|index| index.iter().map(|&i| scales[i]).product())
            .collect();

        let in_one = engine.in_one(spec, moments.elements().len());
        let quads = shaders::rows(spec).div_ceil(4);
        let field_bytes = match in_one {
            // Nothing between the stages, and no binding of size zero.
            true => 16,
            false => plan.size * shaders::chunks(spec) * quads * 16,
        };
        let sum_bytes = shaders::row_quads(moments) as u64 * 16;
        let bytes = (d.limits.max_storage_buffer_binding_size)
            .min(d.limits.max_buffer_size)
            .min(BATCH_BYTES.max(field_bytes));
        let workgroups = u64::from(d.limits.max_compute_workgroups_per_dimension);
        let capacity = (bytes / field_bytes)
            .min(bytes / sum_bytes)
            .min(workgroups * SAMPLE_THREADS / plan.size)
            .min(plan.blocks())
            .min(engine.batch_blocks.unwrap_or(u64::MAX));
        if capacity == 0 || plan.blocks() > u64::from(u32::MAX) {
            return Err(Error::invalid(
                "--inputs",
                format!("with {} points at width {}", spec.inputs.len(), spec.width),
                format!(
                    "one block of networks needs {field_bytes} bytes, a buffer of {} holds {bytes}; use fewer points or --backend cpu",
                    engine.summary.name
                ),
            ));
        }

        let networks = spec.nets * u64::from(spec.experiments);
        let piece = engine.sums_per_thread(moments.elements().len(), networks);
        let (sample, reduce) = match in_one {
            true => (
                Vec::new(),
                vec![shaders::ensemble(d, spec, plan.size, moments)?],
            ),
            false => (
                shaders::networks(d, spec, plan.size, false)?,
                shaders::moments(d, spec, plan.size, moments, piece)?,
            ),
        };
        let parameter_bytes = bytemuck::cast_slice::<f32, u8>(&parameters);
        let parameters = d.parameters(parameter_bytes.len() as u64);
        d.queue.write_buffer(&parameters, 0, parameter_bytes);
        // A device whose memory others use gets smaller batches before an error.
        let mut capacity = capacity;
        let (fields, sums) = loop {
            let fields = d.try_storage("fields", capacity * field_bytes);
            let sums: Option<Vec<_>> = (0..IN_FLIGHT)
                .map(|_| d.try_storage("sums", capacity * sum_bytes))
                .collect();
            match (fields, sums) {
                (Some(fields), Some(sums)) => break (fields, sums),
                _ if capacity > 1 => capacity /= 2,
                _ => {
                    return Err(Error::Device(format!(
                        "out of memory: one block of networks needs {} bytes; free some, or use --backend cpu",
                        field_bytes + IN_FLIGHT as u64 * sum_bytes
                    )));
                }
            }
        };
        let slots = (sums.into_iter())
            .map(|sums| {
                let batch = engine.uniform();
                Slot {
                    sample: sample
                        .iter()
                        .map(|s| d.bind(&s.pipeline, &[&batch, &parameters, &fields]))
                        .collect(),
                    reduce: reduce
                        .iter()
                        .map(|p| match in_one {
                            true => d.bind(p, &[&batch, &parameters, &sums]),
                            false => d.bind(p, &[&batch, &fields, &sums]),
                        })
                        .collect(),
                    staging: d.staging(capacity * sum_bytes),
                    batch,
                    sums,
                }
            })
            .collect();
        d.check()?;
        let order = shaders::order(moments);
        Ok(Self {
            engine,
            spec,
            plan,
            measurement,
            scales,
            moment_scales,
            sample,
            reduce,
            parameters,
            fields,
            threads: match in_one {
                true => shaders::ENSEMBLE_THREADS,
                false => shaders::MOMENT_THREADS,
            },
            slots,
            capacity,
            field_bytes,
            order,
        })
    }

    fn encode_networks(&self, encoder: &mut wgpu::CommandEncoder, slot: &Slot, range: Range<u64>) {
        self.encode(encoder, slot, &self.sample, &slot.sample, range);
    }

    fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        slot: &Slot,
        samplers: &[Sampler],
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
        queue.write_buffer(&slot.batch, 0, bytemuck::bytes_of(&batch));
        for (sampler, group) in samplers.iter().zip(groups) {
            let x = (blocks * sampler.threads).div_ceil(SAMPLE_THREADS) as u32;
            dispatch(encoder, &sampler.pipeline, group, x, sampler.chunks);
        }
    }

    fn submit(&self, slot: usize, range: Range<u64>) -> wgpu::SubmissionIndex {
        let d = &self.engine.device;
        if d.fault
            .as_ref()
            .is_some_and(|f| f.loses_device(range.start))
        {
            d.device.destroy();
        }
        let slot = &self.slots[slot];
        let mut encoder = d.device.create_command_encoder(&Default::default());
        self.encode_networks(&mut encoder, slot, range.clone());
        let blocks = range.end - range.start;
        for (pipeline, group) in self.reduce.iter().zip(&slot.reduce) {
            let workgroups = (blocks as u32).div_ceil(self.threads);
            dispatch(&mut encoder, pipeline, group, workgroups, 1);
        }
        let bytes = self.sum_bytes(&range);
        encoder.copy_buffer_to_buffer(&slot.sums, 0, &slot.staging, 0, bytes);
        d.submit(encoder.finish())
    }

    fn sum_bytes(&self, range: &Range<u64>) -> u64 {
        let row_quads = shaders::row_quads(self.measurement.moments());
        (range.end - range.start) * row_quads as u64 * 16
    }

    fn read(
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
    fn add(&self, to: &mut Accumulator, range: Range<u64>, sums: &[f32]) -> Result<()> {
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

fn dispatch(
    encoder: &mut wgpu::CommandEncoder,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    x: u32,
    y: u32,
) {
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups(x, y, 1);
}

/// The buffer `parameters` of `networks.wgsl`.
fn f32_parameters(spec: &EnsembleSpec, scales: &[f64]) -> Result<Vec<f32>> {
    let p = Parameters::new(spec);
    let connected = spec.estimator == Estimator::Connected;
    // What `activation.wgsl` takes: Gauss-net's is a power of two.
    let unit = match spec.arch {
        Architecture::Gauss => std::f64::consts::LOG2_E,
        Architecture::Erf => shaders::ERF_UNIT,
        Architecture::Relu => 1.0,
    };
    let mut all = Vec::new();
    for (i, (x, offset)) in p.weights.iter().zip(&p.offset).enumerate() {
        all.extend(x.iter().map(|x| unit * x));
        // The connected estimator has no readout.
        let scale = if connected { 1.0 } else { scales[i] };
        all.extend([unit * offset, p.readout / scale, p.readout_bias / scale]);
    }
    all.push(unit * p.bias);
    if connected {
        all.extend(super::centre(spec).iter().map(|m| 4.0 * m));
        all.extend(scales.iter().map(|s| p.readout * p.readout / s));
    }
    if let Some(tilt) = &spec.tilt {
        all.extend(vec![0.0; spec.d_in + 2]);
        for (t, log) in tilt.shifts.iter().zip(tilt.logarithms(spec.width)) {
            all.extend(t.iter().copied().chain([log]));
        }
    }
    if let Some(lattice) = shaders::lattice(spec) {
        all.extend(lattice.step.iter().map(|x| unit * x));
        all.extend(lattice.factors);
    }
    // Normals reach 6.8; headroom for sums over coordinates and units.
    let limit = f64::from(f32::MAX) / 1e6;
    if let Some(bad) = all.iter().find(|x| x.abs() > limit || !x.is_finite()) {
        return Err(Error::Overflow(format!("a weight of scale {bad:.3e}")));
    }
    debug_assert_eq!(all.len(), shaders::parameters(spec));
    all.resize(all.len().next_multiple_of(4), 0.0);
    Ok(all.into_iter().map(|x| x as f32).collect())
}
