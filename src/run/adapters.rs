//! Engines run on the adapters of a machine.

use std::sync::Arc;

use super::{DevicesDocument, Progress};
use crate::Result;
use crate::engine::gpu::{self, AdapterSummary, GpuEngine};
use crate::engine::{Engine, Fleet};
use crate::sentence::sentence;

/// Lists the adapters of the machine.
pub fn devices() -> DevicesDocument {
    let adapters = gpu::adapters();
    let auto = auto_choice(&adapters);
    DevicesDocument::new(adapters, auto)
}

/// Returns what [`Backend::Auto`](super::Backend::Auto) takes of these adapters, in words.
fn auto_choice(adapters: &[AdapterSummary]) -> String {
    match adapters.first() {
        Some(a) if !a.is_software() => format!("gpu, {}: a hardware GPU", a.name),
        Some(a) => format!(
            "cpu, in f64: {} is a software adapter (the gpu backend takes it all the same)",
            a.name
        ),
        None => "cpu, in f64: there is no GPU adapter".into(),
    }
}

/// Opens the adapter that [`Backend::Auto`](super::Backend::Auto) takes, if it takes one; notes the
/// choice and its reason.
pub(super) fn best(progress: &Arc<dyn Progress>) -> Result<Option<Box<dyn Engine>>> {
    let adapters = gpu::adapters();
    progress.note(&format!("backend: {}", auto_choice(&adapters)).into());
    match adapters.first() {
        Some(a) if !a.is_software() => named(None, progress).map(Some),
        _ => Ok(None),
    }
}

/// Opens the adapter of a name, the best if no name is given, or all of them for `all`.
pub(super) fn named(name: Option<&str>, progress: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
    match name {
        Some("all") => fleet(progress),
        name => Ok(Box::new(GpuEngine::new(name)?)),
    }
}

/// Opens all adapters that can be opened.
fn fleet(progress: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine + Send>> = Vec::new();
    let mut refused = None;
    for engine in GpuEngine::all()? {
        match engine {
            Ok(engine) => engines.push(Box::new(engine)),
            Err(error) => {
                progress.note(&sentence!("warning: left out: {}", error.sentence()));
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
