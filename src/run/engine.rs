use std::str::FromStr;
use std::sync::Arc;

use super::Progress;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::{self, AdapterSummary, GpuEngine};
use crate::engine::{DeviceInfo, Engine, Fleet};
use crate::{Error, Result};

/// What networks are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A hardware GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// WGSL shaders in f32, on a software adapter too.
    Gpu,
    /// The reference in f64.
    Cpu,
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            _ => Err(Error::invalid(
                "backend",
                format!("'{text}'"),
                "use auto, gpu or cpu",
            )),
        }
    }
}

/// Which engine is to be opened.
#[derive(Debug, Clone, Default)]
pub struct EngineChoice {
    /// The backend.
    pub backend: Backend,
    /// Adapter by any part of its name, or `all`: every hardware GPU, each at its own speed.
    pub adapter: Option<String>,
}

/// What [`Backend::Auto`] takes of these adapters, in words.
pub fn auto_choice(adapters: &[AdapterSummary]) -> String {
    match adapters.first() {
        Some(a) if !a.is_software() => format!("gpu, {}: a hardware GPU", a.name),
        Some(a) => format!(
            "cpu, in f64: {} is a software adapter (`backend` gpu takes it all the same)",
            a.name
        ),
        None => "cpu, in f64: there is no GPU adapter".into(),
    }
}

impl EngineChoice {
    /// Refuses what no machine could do.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an adapter of the CPU.
    pub fn check(&self) -> Result<()> {
        match (self.backend, &self.adapter) {
            (Backend::Cpu, Some(name)) => Err(Error::invalid(
                "adapter",
                format!("'{name}'"),
                "the cpu backend has no adapter; leave out one of the two",
            )),
            _ => Ok(()),
        }
    }

    /// Opens the engine; notes which one [`Backend::Auto`] took and why, and later which adapter
    /// of several is lost.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], and those of [`check`](Self::check).
    pub fn open(&self, progress: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
        self.check()?;
        match (self.backend, &self.adapter) {
            (Backend::Cpu, _) => Ok(Box::new(CpuEngine::new())),
            (Backend::Gpu, _) | (Backend::Auto, Some(_)) => self.gpu(progress),
            (Backend::Auto, None) => {
                let adapters = gpu::adapters();
                progress.note(&format!("backend: {}", auto_choice(&adapters)));
                match adapters.first() {
                    Some(a) if !a.is_software() => self.gpu(progress),
                    _ => Ok(Box::new(CpuEngine::new())),
                }
            }
        }
    }

    /// The same for a run that `device` has begun: [`Backend::Auto`] takes its backend.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_like(
        &self,
        device: Option<&DeviceInfo>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Box<dyn Engine>> {
        match (self.backend, &self.adapter, device) {
            (Backend::Auto, None, Some(begun)) if begun.backend == "cpu" => {
                Ok(Box::new(CpuEngine::new()))
            }
            (Backend::Auto, None, Some(_)) => self.gpu(progress),
            _ => self.open(progress),
        }
    }

    fn gpu(&self, progress: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
        match self.adapter.as_deref() {
            Some("all") => fleet(progress),
            name => Ok(Box::new(GpuEngine::new(name)?)),
        }
    }
}

/// All adapters that open.
fn fleet(progress: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine + Send>> = Vec::new();
    let mut refused = None;
    for engine in GpuEngine::all()? {
        match engine {
            Ok(engine) => engines.push(Box::new(engine)),
            Err(error) => {
                progress.note(&format!("warning: left out: {error}"));
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
        told.note(&format!(
            "warning: {} is lost, others go on if there are any: {error}",
            device.adapter
        ));
    });
    progress.note(&format!("adapters: {}", fleet.device().adapter));
    Ok(Box::new(fleet))
}
