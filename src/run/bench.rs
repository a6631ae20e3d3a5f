//! The speed of this machine: the source's ensembles on its adapter and its processor, stage by stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::document::{BenchAdapter, BenchDocument, BenchJob};
use super::{Backend, EngineChoice, Progress};
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::GpuEngine;
use crate::engine::{Engine, Queue};
use crate::model::{EnsembleSpec, source_nets};
use crate::plan::Plan;
use crate::{Error, Result};

/// Time that an engine draws an ensemble for: a dozen batches.
const SLICE: Duration = Duration::from_millis(1500);
/// Time after which nothing more is begun, so that all takes less than a minute where no shader compiles for long.
const BUDGET: Duration = Duration::from_secs(50);

/// Measures the rates of the source's ensembles on the adapter of a choice, if there is one, and on the processor,
/// and the rate of each stage; in a minute at most.
///
/// # Errors
/// [`Error::NoAdapter`] if an adapter was asked for that is not there; [`Error::Device`].
pub fn bench(choice: &EngineChoice, progress: &Arc<dyn Progress>) -> Result<BenchDocument> {
    choice.check()?;
    let measured = measure(choice, progress.as_ref());
    progress.end();
    measured
}

fn measure(choice: &EngineChoice, progress: &dyn Progress) -> Result<BenchDocument> {
    let clock = Clock(Instant::now());
    progress.at("peaks of the adapter");
    let (mut gpu, reason) = open(choice)?;
    let mut cpu = CpuEngine::new();
    let adapter = match &gpu {
        None => None,
        Some(gpu) => Some(BenchAdapter {
            summary: gpu.adapter().clone(),
            profile: *gpu.profile(),
            peak: gpu.peak()?,
        }),
    };
    let mut jobs = Vec::new();
    for arch in source_nets() {
        progress.at(&format!("{arch}-net on the CPU"));
        let plan = Plan::new(EnsembleSpec::preset(arch, 1)?)?;
        let spec = plan.spec();
        let cpu_networks_per_s = clock.rate(&mut cpu, &plan)?;
        progress.at(&format!("{arch}-net on the adapter"));
        let (stages, gpu_networks_per_s) = match &mut gpu {
            None => (Vec::new(), None),
            Some(gpu) => (
                gpu.stage_rates(&plan, &|| clock.is_over())?,
                clock.rate(gpu, &plan)?,
            ),
        };
        let instructions: f64 = stages.iter().map(|s| s.cost.network.instructions()).sum();
        let peak = adapter.as_ref().map(|a| a.peak.multiply_adds_per_s);
        jobs.push(BenchJob {
            net: spec.net.to_string(),
            width: spec.net.width(),
            networks: spec.networks(),
            gpu_networks_per_s,
            of_peak: (gpu_networks_per_s.zip(peak))
                .map(|(rate, peak)| rate * instructions / peak)
                .filter(|of_peak| *of_peak > 0.0),
            cpu_networks_per_s,
            stages,
        });
    }
    let wall_s = clock.0.elapsed().as_secs_f64();
    Ok(BenchDocument::new(
        adapter,
        reason,
        cpu.device(),
        jobs,
        wall_s,
    ))
}

/// Opens the adapter, if the choice leaves one and there is one, and says why its work is shaped as it is.
fn open(choice: &EngineChoice) -> Result<(Option<GpuEngine>, String)> {
    if choice.backend == Backend::Cpu {
        return Ok((None, "the CPU alone was asked for".into()));
    }
    if choice.adapter.as_deref() == Some("all") {
        let reason = "one adapter at a time; name one, or leave it out for the one that auto takes";
        return Err(Error::invalid("adapter", "'all'", reason));
    }
    let engine = match GpuEngine::new(choice.adapter.as_deref()) {
        Err(Error::NoAdapter(_)) if choice.backend == Backend::Auto && choice.adapter.is_none() => {
            let reason = "there is no GPU adapter: no Vulkan, Metal or DirectX 12 driver answers";
            return Ok((None, reason.into()));
        }
        other => other?,
    };
    let kind = engine.adapter().kind;
    Ok(match choice.class {
        Some(class) => (
            Some(engine.with_class(class)),
            format!("shaped for {class} adapters as asked, though this one says that it is {kind}"),
        ),
        None => {
            let class = engine.profile().class;
            let reason = match class.to_string() == kind {
                true => format!("shaped for {class} adapters: this one says that it is"),
                false => format!(
                    "shaped for {class} adapters by the limits of this one, whose kind is {kind}"
                ),
            };
            (Some(engine), reason)
        }
    })
}

/// `Clock` knows when time is up.
struct Clock(Instant);

impl Clock {
    fn is_over(&self) -> bool {
        self.0.elapsed() > BUDGET
    }

    /// Measures networks per second; `None` once time is up.
    fn rate(&self, engine: &mut dyn Engine, plan: &Plan) -> Result<Option<f64>> {
        engine.prepare(plan, &|| self.is_over())?;
        if self.is_over() {
            return Ok(None);
        }
        let (start, stop, done) = (Instant::now(), AtomicBool::new(false), AtomicU64::new(0));
        let tell = |networks| {
            done.fetch_add(networks, Ordering::Relaxed);
            stop.store(start.elapsed() > SLICE, Ordering::Relaxed);
        };
        let queue = (Queue::new(plan.spec()).with_progress(&tell)).until(&stop);
        engine.accumulate(plan, &queue)?;
        let networks = done.load(Ordering::Relaxed) as f64;
        Ok(Some(networks / start.elapsed().as_secs_f64()))
    }
}
