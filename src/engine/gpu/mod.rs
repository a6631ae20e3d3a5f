//! The GPU engine runs WGSL stages in f32, sums hierarchically, and continues in f64 on the host.

mod activation;
mod adapter;
mod batches;
mod bench;
mod census;
mod costs;
mod deep;
mod device;
#[cfg(feature = "test-hooks")]
mod evaluate;
#[cfg(feature = "test-hooks")]
mod fault;
mod intake;
mod layout;
mod lives;
mod looped;
mod moments;
mod networks;
mod outputs;
mod pipelines;
mod profile;
mod room;
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
pub use bench::{Peak, StageRate};
pub use census::Census;
pub use costs::{StageCost, stage_costs};
use device::Device;
#[cfg(feature = "test-hooks")]
pub use fault::{Fault, Pretence, pretend};
use pipelines::Texts;
use profile::Limits;
pub use profile::Profile;
use room::Room;
use run::Run;
use setup::Setup;

use super::taken::Taken;
use super::{AdapterClass, BlockPlan, DeviceInfo, DeviceKind, Draws, Engine, Float, Form, Work};
use crate::plan::{Plan, SamplePlan, TrainPlan};
use crate::tensor::{MomentPlan, Training};
use crate::{Error, Result};

/// Number of batches in flight.
const IN_FLIGHT: usize = 2;
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
/// Number of threads in a row of a dispatch: fewer than 65535 workgroups of 64.
const THREADS_PER_ROW: u64 = 1 << 21;

/// `GpuEngine` is the f32 engine on one wgpu adapter.
pub struct GpuEngine {
    adapter: wgpu::Adapter,
    device: Device,
    summary: AdapterSummary,
    profile: Profile,
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
        Self::open(adapter, summary)
    }

    fn open(adapter: wgpu::Adapter, summary: AdapterSummary) -> Result<Self> {
        let device = Device::new(&adapter).map_err(|e| match e {
            Error::Device(what) => Error::Device(format!("{}: {what}", summary.name)),
            other => other,
        })?;
        let limits = Limits::new(&device.limits, adapter.get_info().subgroup_min_size);
        Ok(Self {
            adapter,
            device,
            profile: Profile::new(limits.class(summary.kind), limits),
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
        let open = |(adapter, summary)| Self::open(adapter, summary);
        Ok(adapter::distinct()?.into_iter().map(open).collect())
    }

    /// Opens hardware adapters one after the other, in the order of [`adapters`]: a GPU once for every API under which
    /// it answers.
    pub fn hardware() -> impl Iterator<Item = Result<Self>> {
        let all = adapter::enumerate().into_iter();
        all.filter(|(_, summary)| !summary.is_software())
            .map(|(adapter, summary)| Self::open(adapter, summary))
    }

    /// Describes the adapter that the engine runs on.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Returns how work is shaped for the adapter.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Shapes work as for an adapter of another class, with the limits of this one. Results change by roundings
    /// only.
    pub fn with_class(mut self, class: AdapterClass) -> Self {
        let limits = Limits::new(&self.device.limits, self.profile.subgroup);
        self.profile = Profile::new(class, limits);
        self
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

    /// Makes the engine one that believes in smaller workgroups than its adapter has.
    #[cfg(feature = "test-hooks")]
    pub fn with_small_workgroups(mut self, threads: u32, memory: u32) -> Self {
        self.profile.workgroup_threads = threads;
        self.profile.workgroup_memory = memory;
        self
    }

    /// Returns the lengths in characters of the shaders that a plan compiles.
    #[cfg(feature = "test-hooks")]
    pub fn shader_lengths(&self, plan: &Plan) -> Vec<usize> {
        let shaders = self.shaders(plan).into_iter();
        shaders.map(|(_, wgsl)| wgsl.len()).collect()
    }

    /// Returns the shaders that a plan compiles, each with its stage.
    #[cfg(feature = "test-hooks")]
    pub fn shaders(&self, plan: &Plan) -> Vec<(&'static str, String)> {
        let texts = Texts::new(
            self,
            &Setup::new(plan.drawn()),
            plan.measurement().moments(),
        );
        let pair = |text: &&template::Text| (text.stage, text.wgsl.clone());
        texts.all().iter().map(pair).collect()
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
    fn form_of(&self, setup: &Setup, plan: &MomentPlan) -> Form {
        let is_fused = self.profile.is_fused(setup);
        let wanted = self.form.unwrap_or_else(|| {
            match (networks::statements(setup, plan) > MAX_STATEMENTS, is_fused) {
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
}

impl GpuEngine {
    /// Opens the device again, with nothing that was on it.
    fn reopen(&mut self) -> Result<()> {
        #[cfg(feature = "test-hooks")]
        if matches!(self.device.fault, Some(Fault::DeviceLost)) {
            return Err(Error::Device("the driver is gone".into()));
        }
        let before = std::mem::replace(&mut self.device, Device::new(&self.adapter)?);
        self.device.limits = before.limits;
        #[cfg(feature = "test-hooks")]
        {
            self.device.fault = before.fault.as_ref().and_then(Fault::again);
        }
        Ok(())
    }

    /// Does some work by `run`, and what is left of it once more if the device is lost: a driver that was reset works
    /// again, one that is gone does not.
    fn twice<T>(
        &mut self,
        plan: BlockPlan,
        work: &dyn Work<T>,
        run: impl Fn(&Self, &dyn Work<T>) -> Result<()>,
    ) -> Result<()> {
        let networks = |range| plan.networks(range);
        let taken = Taken::new(work, &networks);
        let mut result = run(self, &taken);
        if result.is_err() && self.device.is_lost() {
            taken.give_all_back();
            if self.reopen().is_ok() {
                result = run(self, &taken);
            }
        }
        result.map_err(|e| match e {
            Error::Device(what) => Error::Device(format!(
                "{what}; {} networks had been finished",
                taken.finished()
            )),
            other => other,
        })
    }

    /// Refuses networks that the shaders do not draw, or that no buffer of the adapter has room for.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Overflow`]: what [`accumulate`](Engine::accumulate) would say.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let (setup, moments) = (Setup::new(plan.drawn()), plan.measurement().moments());
        self.check_setup(&setup, moments, &Texts::new)
    }

    /// The same of networks whose outputs are wanted.
    ///
    /// # Errors
    /// What [`sample`](Engine::sample) would say.
    pub fn check_sample(&self, plan: &SamplePlan) -> Result<()> {
        let setup = outputs::setup(plan);
        let none = MomentPlan::new(setup.fields, &[]);
        self.check_setup(&setup, &none, &Texts::of_fields)
    }

    fn check_setup(
        &self,
        setup: &Setup,
        moments: &MomentPlan,
        texts: &dyn Fn(&Self, &Setup, &MomentPlan) -> Texts,
    ) -> Result<()> {
        setup.check_counters()?;
        layout::numbers(setup)?;
        Room::new(self, setup, moments, &texts(self, setup, moments)).map(drop)
    }

    fn draw(&self, plan: &Plan, setup: &Setup, work: &dyn Work) -> Result<()> {
        let stopped = || work.left() == 0;
        let measurement = plan.measurement();
        let texts = Texts::new(self, setup, measurement.moments());
        if stopped() || !self.device.compile(texts.all(), &stopped)? {
            return Ok(());
        }
        let first = texts.first_batch(&self.profile, setup);
        let run = Run::new(self, setup, measurement.clone(), &texts)?;
        pollster::block_on(batches::draw(&run, work, first, self.batch_blocks))
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
        if work.left() == 0 {
            return Ok(());
        }
        let setup = Setup::new(plan.drawn());
        setup.check_counters()?;
        self.twice(setup.plan, work, |engine, work| {
            engine.draw(plan, &setup, work)
        })
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
        let setup = outputs::setup(plan);
        setup.check_counters()?;
        self.twice(setup.plan, work, |engine, work| {
            let stopped = || work.left() == 0;
            match !stopped() && outputs::compile(engine, &setup, &stopped)? {
                true => outputs::sample(engine, &setup, plan, work),
                false => Ok(()),
            }
        })
    }

    fn check_training(&self, plan: &TrainPlan) -> Result<()> {
        train::check(self, plan)
    }

    fn train(
        &mut self,
        plan: &TrainPlan,
        work: &dyn Work<Training>,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        let blocks = BlockPlan::new(&plan.spec().ensemble);
        self.twice(blocks, work, |engine, work| {
            train::train(engine, plan, work, cancelled)
        })
    }
}

fn dispatch(
    encoder: &mut wgpu::CommandEncoder,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    size: [u32; 3],
) {
    record(
        &mut encoder.begin_compute_pass(&Default::default()),
        pipeline,
        group,
        size,
    );
}

fn record(
    pass: &mut wgpu::ComputePass,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    [x, y, z]: [u32; 3],
) {
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups(x, y, z);
}
