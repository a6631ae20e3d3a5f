//! The GPU engine: WGSL stages in f32, hierarchical sums, f64 on the host.

mod adapter;
mod device;
mod fault;
mod looped;
mod parameters;
mod run;
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
use run::{Run, texts};

use super::queue::next_size;
use super::{DeviceInfo, Engine, Work};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::tensor::{Accumulator, MomentPlan};
use crate::{Error, Result};

/// Time that a batch should take: long against a submission (well under a millisecond),
/// short against the watchdogs of desktops (about two seconds).
const BATCH_TIME: Duration = Duration::from_millis(100);
/// Batches in flight: the host adds one while the device works on the next.
const IN_FLIGHT: usize = 2;
/// Buffers of one batch, bytes. Memory stays flat whatever the number of networks.
const BATCH_BYTES: u64 = 64 << 20;
const SAMPLE_THREADS: u64 = 64;
/// [`shaders::statements`] beyond which shaders loop over buffers. llvmpipe's compiler, seconds of
/// one core for straight-line code at N = 100, points x inputs (statements):
///
/// ```text
/// direct      6x3 (99) 2   20x3 (346) 4   10x10 (447) 6   40x3 (740) 5   100x50 (21000) 500, 3 GB
/// connected   6x3 (171) 2  12x3 (466) 4   10x10 (627) 7   20x3 (1106) 14  40x3 (3860) 150
/// ```
///
/// Loops take it 2 s and 0.3 GB at most whatever the spec, but draw 7 to 12 times fewer networks
/// per second at 10x10: short code stays as it is.
const MAX_STATEMENTS: u64 = 700;
/// Networks from which on a software adapter earns back the time to compile longer shaders.
const LONG_RUN: u64 = 1_000_000;

/// f32 engine on one wgpu adapter.
pub struct GpuEngine {
    device: Device,
    summary: AdapterSummary,
    batch_blocks: Option<u64>,
    in_one: Option<bool>,
    looped: Option<bool>,
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
    /// use nnqft_gpu::model::EnsembleSpec;
    ///
    /// let mut gpu = GpuEngine::new(None)?;
    /// let spec = EnsembleSpec::preset("erf", 1)?.validate()?;
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
            looped: None,
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
                looped: None,
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

    /// Fixes whether shaders loop over buffers (`shaders/looped`), instead of by their length;
    /// returns what it was before.
    #[doc(hidden)]
    pub fn set_looped(&mut self, looped: Option<bool>) -> Option<bool> {
        std::mem::replace(&mut self.looped, looped)
    }

    /// Lengths in characters of the shaders that a plan compiles.
    #[doc(hidden)]
    pub fn shader_lengths(&self, plan: &Plan) -> Vec<usize> {
        let texts = texts(self, plan.drawn().spec(), plan.measurement().moments());
        texts.all().iter().map(|t| t.wgsl.len()).collect()
    }

    /// Whether shaders loop over buffers.
    fn looped(&self, spec: &EnsembleSpec, plan: &MomentPlan) -> bool {
        (self.looped).unwrap_or_else(|| shaders::statements(spec, plan) > MAX_STATEMENTS)
    }

    /// Compiles what a spec needs; `false` if that was `cancelled`.
    fn compile(
        &self,
        drawn: &EnsembleSpec,
        plan: &MomentPlan,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<bool> {
        self.device
            .compile(texts(self, drawn, plan).into_all(), cancelled)
    }

    /// Whether one shader draws and sums. A software adapter is then faster, but takes longer
    /// to compile, which short runs do not earn back; a GPU has not the registers.
    fn in_one(&self, spec: &EnsembleSpec, elements: usize) -> bool {
        let networks = spec.networks();
        let wanted =
            (self.in_one).unwrap_or_else(|| self.summary.is_software() && networks >= LONG_RUN);
        wanted
            && spec.net.width() <= shaders::MAX_ENSEMBLE_WIDTH
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

    fn prepare(&mut self, plan: &Plan, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<()> {
        self.compile(plan.drawn().spec(), plan.measurement().moments(), cancelled)
            .map(drop)
    }

    fn accumulate(&mut self, plan: &Plan, work: &dyn Work) -> Result<()> {
        let (drawn, measurement) = (plan.drawn().spec(), plan.measurement());
        let stopped = || work.left() == 0;
        if stopped() || !self.compile(drawn, measurement.moments(), &stopped)? {
            return Ok(());
        }
        // Before the first batch was timed: few blocks where a block is much work.
        let first = match self.looped(drawn, measurement.moments()) {
            true => 1,
            false => 64,
        };
        let run = Run::new(self, drawn, measurement.clone())?;
        let mut flying: VecDeque<(usize, Range<u64>, wgpu::SubmissionIndex, Instant)> =
            VecDeque::new();
        let mut size = self.batch_blocks.unwrap_or(first).min(run.capacity);
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
