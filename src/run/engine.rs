use std::str::FromStr;
use std::sync::Arc;

use super::Progress;
#[cfg(feature = "gpu")]
use super::adapters;
use crate::engine::cpu::CpuEngine;
use crate::engine::{AdapterClass, DeviceInfo, DeviceKind, Engine};
use crate::{Error, Result};

/// A backend is what networks are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Backend {
    /// A hardware GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// WGSL shaders in f32, on a hardware GPU or a software adapter.
    Gpu,
    /// The reference engine in f64 on the CPU.
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

/// `EngineChoice` says which engine is to be opened.
#[derive(Debug, Clone, Default)]
pub struct EngineChoice {
    /// Backend of the engine.
    pub backend: Backend,
    /// Adapter by any part of its name, or `all`: every hardware GPU, each at its own speed.
    pub adapter: Option<String>,
    /// Class that adapters are taken for, instead of their own.
    pub class: Option<AdapterClass>,
}

impl EngineChoice {
    /// Chooses the reference in f64.
    pub fn cpu() -> Self {
        Self {
            backend: Backend::Cpu,
            ..Self::default()
        }
    }

    /// Refuses a choice that no machine could open.
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
            (Backend::Gpu, _) | (Backend::Auto, Some(_)) => adapters::named(self, progress),
            (Backend::Auto, None) => match adapters::best(self, progress)? {
                Some(engine) => Ok(engine),
                None => Ok(Box::new(CpuEngine::new())),
            },
        }
    }

    /// Opens the engine for a run that `device` has begun: [`Backend::Auto`] takes its backend.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_like(
        &self,
        device: Option<&DeviceInfo>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Box<dyn Engine>> {
        match (self.backend, &self.adapter, device) {
            (Backend::Auto, None, Some(begun)) if begun.backend == DeviceKind::Cpu => {
                Ok(Box::new(CpuEngine::new()))
            }
            (Backend::Auto, None, Some(_)) => adapters::named(self, progress),
            _ => self.open(progress),
        }
    }
}

#[cfg(not(feature = "gpu"))]
mod adapters {
    use super::*;

    /// Returns `None`: there is no adapter to take.
    pub fn best(_: &EngineChoice, _: &Arc<dyn Progress>) -> Result<Option<Box<dyn Engine>>> {
        Ok(None)
    }

    /// Fails: there is no adapter of any name.
    pub fn named(_: &EngineChoice, _: &Arc<dyn Progress>) -> Result<Box<dyn Engine>> {
        Err(Error::NoAdapter(
            "this build has no GPU engine: it was made without the feature gpu".into(),
        ))
    }
}
