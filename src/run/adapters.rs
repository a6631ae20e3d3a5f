//! Engines run on the adapters of a machine.

use std::sync::Arc;

use super::{DevicesDocument, EngineChoice, Job, Progress};
use crate::engine::gpu::{self, AdapterSummary, GpuEngine};
use crate::engine::{Engine, Fleet};
use crate::plan::{Plan, SamplePlan, TrainPlan};
use crate::sentence::sentence;
use crate::{Error, Result};

/// Lists the adapters of the machine.
pub fn devices() -> DevicesDocument {
    let adapters = gpu::adapters();
    let auto = auto_choice(&adapters);
    DevicesDocument::new(adapters, auto)
}

/// Returns what [`Backend::Auto`](super::Backend::Auto) takes of these adapters, in words.
fn auto_choice(adapters: &[AdapterSummary]) -> String {
    match adapters.first() {
        Some(a) if !a.is_software() => {
            let mut others: Vec<&str> = Vec::new();
            for other in adapters.iter().filter(|o| !o.is_software()) {
                // A GPU may answer under several APIs.
                if other.name != a.name && !others.contains(&&*other.name) {
                    others.push(&other.name);
                }
            }
            let chosen = format!("gpu, {}: a hardware GPU", a.name);
            match others.is_empty() {
                true => chosen,
                false => format!(
                    "{chosen}, of kind {}, before {} (--adapter takes another, or all)",
                    a.kind,
                    others.join(" and "),
                ),
            }
        }
        Some(a) => format!(
            "cpu, in f64: {} is a software adapter (the gpu backend takes it all the same)",
            a.name
        ),
        None => "cpu, in f64: there is no GPU adapter".into(),
    }
}

/// Opens the adapter that [`Backend::Auto`](super::Backend::Auto) takes, if it takes one; notes the
/// choice and its reason.
pub(super) fn best(
    choice: &EngineChoice,
    progress: &Arc<dyn Progress>,
) -> Result<Option<Box<dyn Engine>>> {
    let mut adapters = gpu::adapters();
    if adapters.first().is_none_or(AdapterSummary::is_software) {
        progress.note(&format!("backend: {}", auto_choice(&adapters)).into());
        return Ok(None);
    }
    for (place, engine) in GpuEngine::hardware().enumerate() {
        let engine = match engine {
            Ok(engine) => shaped(engine, choice),
            Err(error) => {
                left_out(&error, progress);
                continue;
            }
        };
        // The better ones did not open.
        adapters.drain(..place.min(adapters.len()));
        let Some(refusal) = refusal(&engine, &choice.jobs)? else {
            progress.note(&format!("backend: {}", auto_choice(&adapters)).into());
            return Ok(Some(Box::new(engine)));
        };
        progress.note(&sentence!(
            "backend: cpu, in f64, as the shaders ask for on {}: {}",
            engine.adapter().name.as_str(),
            refusal.sentence()
        ));
        return Ok(None);
    }
    progress.note(&"backend: cpu, in f64: no GPU opens".into());
    Ok(None)
}

fn left_out(error: &Error, progress: &Arc<dyn Progress>) {
    progress.note(&sentence!("warning: left out: {}", error.sentence()));
}

/// Returns why an engine does not do one of some jobs.
///
/// # Errors
/// Those of specs that no engine takes.
fn refusal(engine: &GpuEngine, jobs: &[Job]) -> Result<Option<Error>> {
    for job in jobs {
        let checked = match job {
            Job::Averages(spec) => engine.check(&Plan::new(spec.clone())?),
            Job::Outputs(spec) => engine.check_sample(&SamplePlan::new(spec.clone())?),
            Job::Training(spec) => (TrainPlan::new(spec.clone())?.cohorts()?.iter())
                .try_for_each(|(_, plan)| engine.check_training(plan)),
        };
        if let Err(error) = checked {
            return Ok(Some(error));
        }
    }
    Ok(None)
}

/// Opens the adapter that is named, the best if none is, or all of them for `all`.
pub(super) fn named(
    choice: &EngineChoice,
    progress: &Arc<dyn Progress>,
) -> Result<Box<dyn Engine>> {
    match choice.adapter.as_deref() {
        Some("all") => fleet(choice, progress),
        name => Ok(Box::new(shaped(GpuEngine::new(name)?, choice))),
    }
}

fn shaped(engine: GpuEngine, choice: &EngineChoice) -> GpuEngine {
    match choice.class {
        Some(class) => engine.with_class(class),
        None => engine,
    }
}

/// Opens all adapters that can be opened.
fn fleet(choice: &EngineChoice, progress: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine + Send>> = Vec::new();
    let mut refused = None;
    for engine in GpuEngine::all()? {
        match engine {
            Ok(engine) => engines.push(Box::new(shaped(engine, choice))),
            Err(error) => {
                left_out(&error, progress);
                refused = Some(error);
            }
        }
    }
    if engines.is_empty()
        && let Some(error) = refused
    {
        return Err(error);
    }
    let told = progress.clone();
    let fleet = Fleet::new(engines, move |device, error| {
        told.note(&sentence!(
            "warning: {} is lost, others go on if there are any: {}",
            device.adapter.as_str(),
            error.sentence()
        ));
    });
    progress.note(&format!("adapters: {}", fleet.device().adapter).into());
    Ok(Box::new(fleet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, kind: &'static str) -> AdapterSummary {
        AdapterSummary {
            name: name.into(),
            driver: String::new(),
            api: "Vulkan".into(),
            kind,
            max_buffer: 128 << 20,
            max_workgroups: 65535,
            workgroup_memory: 16 << 10,
            shader_f64: false,
        }
    }

    #[test]
    fn the_choice_among_gpus_is_told_with_the_others() {
        let all = [
            adapter("Card", "discrete"),
            adapter("Card", "discrete"),
            adapter("Chip", "integrated"),
            adapter("llvmpipe", "software"),
        ];
        let of_card = "gpu, Card: a hardware GPU";
        assert_eq!(auto_choice(&all[..2]), of_card);
        let others = ", of kind discrete, before Chip (--adapter takes another, or all)";
        assert_eq!(auto_choice(&all), format!("{of_card}{others}"));
        assert!(auto_choice(&all[3..]).starts_with("cpu, in f64: llvmpipe is"));
    }
}
