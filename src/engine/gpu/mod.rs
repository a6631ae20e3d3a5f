//! The GPU engine runs WGSL stages in f32, sums hierarchically, and continues in f64 on the host.

mod activation;
mod adapter;
mod batches;
mod deep;
mod device;
#[cfg(feature = "test-hooks")]
mod evaluate;
#[cfg(feature = "test-hooks")]
mod fault;
mod layout;
mod looped;
mod moments;
mod networks;
mod outputs;
mod pipelines;
mod run;
mod setup;
mod stages;
mod template;
#[cfg(test)]
mod tests;
mod train;
mod variates;
mod waiter;

use bytemuck::{Pod, Zeroable};

pub use adapter::{AdapterSummary, adapters};
use device::Device;
#[cfg(feature = "test-hooks")]
pub use fault::Fault;
use pipelines::Texts;
use run::Run;
use setup::Setup;

use super::{DeviceInfo, DeviceKind, Draws, Engine, Float, Form, Work};
use crate::plan::{Plan, SamplePlan, TrainPlan};
use crate::tensor::{MomentPlan, Training};
use crate::{Error, Result};

/// Number of batches in flight.
const IN_FLIGHT: usize = 2;
/// Size of the buffers of one batch, in bytes. Memory stays flat whatever the number of networks.
const BATCH_BYTES: u64 = 64 << 20;
/// Threads of a workgroup where nothing else is said.
const SAMPLE_THREADS: u64 = 64;
/// Number of [`networks::statements`] beyond which shaders loop over buffers. llvmpipe's compiler,
/// seconds of one core for straight-line code at N = 100, points x inputs (statements):
///
/// ```text
/// direct      6x3 (99) 2   20x3 (346) 4   10x10 (447) 6   40x3 (740) 5   100x50 (21000) 500, 3 GB
/// connected   6x3 (171) 2  12x3 (466) 4   10x10 (627) 7   20x3 (1106) 14  40x3 (3860) 150
/// ```
///
/// Loops take it 2 s and 0.3 GB at most whatever the spec, but draw 7 to 12 times fewer networks
/// per second at 10x10: short code stays as it is.
const MAX_STATEMENTS: usize = 700;
/// Number of networks from which on a software adapter earns back the time to compile longer
/// shaders.
const LONG_RUN: u64 = 1_000_000;

/// `GpuEngine` is the f32 engine on one wgpu adapter.
pub struct GpuEngine {
    device: Device,
    summary: AdapterSummary,
    batch_blocks: Option<u64>,
    form: Option<Form>,
}

/// `Batch` is the uniform of `batch.wgsl`.
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
    /// Opens an engine on the best adapter, or on the first whose name contains `adapter`.
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
            form: None,
        })
    }

    /// Opens an engine on every hardware adapter, or on the software one if there is no other; a
    /// GPU that answers under several APIs counts once. Those that fail to open are errors of their
    /// own.
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
                form: None,
            })
        };
        Ok(adapter::distinct()?.into_iter().map(open).collect())
    }

    /// Describes the adapter that the engine runs on.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Makes the engine one that computes wrongly, to prove that cross-checks notice.
    #[cfg(feature = "test-hooks")]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.device.fault = Some(fault);
        self
    }

    /// Makes the engine one that believes in smaller buffers than its adapter has.
    #[cfg(feature = "test-hooks")]
    pub fn with_largest_buffer(mut self, bytes: u64) -> Self {
        self.device.limits.max_storage_buffer_binding_size = bytes;
        self
    }

    /// Returns the lengths in characters of the shaders that a plan compiles.
    #[cfg(feature = "test-hooks")]
    pub fn shader_lengths(&self, plan: &Plan) -> Vec<usize> {
        let texts = Texts::new(
            self,
            &Setup::new(plan.drawn()),
            plan.measurement().moments(),
        );
        texts.all().iter().map(|text| text.wgsl.len()).collect()
    }

    /// Fixes the batch to so many blocks instead of sizing it by measured time. Results do
    /// not depend on it.
    pub fn with_batch_blocks(mut self, blocks: u64) -> Self {
        self.batch_blocks = Some(blocks.max(1));
        self
    }

    /// Returns how the work is cut into shaders, if that is fixed.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Fixes how the work is cut into shaders, instead of choosing the fastest. Results change by
    /// roundings only. Networks that [`Form::Fused`] has no room for are drawn in stages.
    pub fn set_form(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// Chooses how the work of a run is cut into shaders.
    ///
    /// To draw and sum in one shader is faster on a software adapter, but takes longer to compile,
    /// which short runs do not earn back; a GPU has not the registers.
    fn form_of(&self, setup: &Setup, plan: &MomentPlan) -> Form {
        let is_long = self.summary.is_software() && setup.networks >= LONG_RUN;
        let wanted = self.form.unwrap_or_else(|| {
            match (networks::statements(setup, plan) > MAX_STATEMENTS, is_long) {
                (true, _) => Form::Looped,
                (false, true) => Form::Fused,
                (false, false) => Form::Staged,
            }
        });
        let has_room = setup.width <= moments::MAX_ENSEMBLE_WIDTH
            && (1..=moments::MAX_ENSEMBLE_ELEMENTS).contains(&plan.elements().len());
        match wanted {
            // Products of more than two hidden values have code in loops alone.
            _ if !setup.cumulants.is_empty() => Form::Looped,
            // Hidden values of a few networks at a time are kept.
            _ if deep::has_weights(setup) => Form::Looped,
            Form::Fused if !has_room || setup.is_deep() => Form::Staged,
            form => form,
        }
    }

    /// Returns the number of sums that one thread of the moment stage keeps. A GPU has at most 255
    /// registers per thread. A processor spills to its first-level cache at no cost, but its
    /// compiler takes more than linear time: short pieces are a quarter of the wait, and several
    /// are compiled at a time. Each piece reads the fields again, so that long runs are better off
    /// with longer ones.
    fn sums_per_thread(&self, setup: &Setup, plan: &MomentPlan) -> usize {
        match (self.summary.is_software(), plan.elements().len()) {
            (false, _) => 96,
            (true, _) if setup.networks < LONG_RUN => 128,
            (true, ..=1024) => 1024,
            (true, _) => 256,
        }
    }
}

impl Engine for GpuEngine {
    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: DeviceKind::Gpu,
            adapter: self.summary.name.clone(),
            driver: self.summary.driver.clone(),
        }
    }

    fn prepare(&mut self, plan: &Plan, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<()> {
        let setup = Setup::new(plan.drawn());
        setup.check_counters()?;
        let texts = Texts::new(self, &setup, plan.measurement().moments());
        self.device.compile(texts.all(), cancelled).map(drop)
    }

    fn accumulate(&mut self, plan: &Plan, work: &dyn Work) -> Result<()> {
        let stopped = || work.left() == 0;
        if stopped() {
            return Ok(());
        }
        let (setup, measurement) = (Setup::new(plan.drawn()), plan.measurement());
        setup.check_counters()?;
        let texts = Texts::new(self, &setup, measurement.moments());
        if !self.device.compile(texts.all(), &stopped)? {
            return Ok(());
        }
        let first = texts.first_batch(&setup);
        let run = Run::new(self, &setup, measurement.clone(), &texts)?;
        pollster::block_on(batches::draw(&run, work, first, self.batch_blocks))
    }

    fn float(&self) -> Float {
        Float::F32
    }

    fn prepare_sample(
        &mut self,
        plan: &SamplePlan,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        let setup = outputs::setup(plan);
        setup.check_counters()?;
        outputs::compile(self, &setup, cancelled).map(drop)
    }

    fn sample(&mut self, plan: &SamplePlan, work: &dyn Work<Draws>) -> Result<()> {
        let (setup, stopped) = (outputs::setup(plan), || work.left() == 0);
        setup.check_counters()?;
        match !stopped() && outputs::compile(self, &setup, &stopped)? {
            true => outputs::sample(self, &setup, plan, work),
            false => Ok(()),
        }
    }

    fn train(
        &mut self,
        plan: &TrainPlan,
        work: &dyn Work<Training>,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        train::train(self, plan, work, cancelled)
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
