use std::str::FromStr;
use std::sync::Arc;

use super::Progress;
#[cfg(feature = "gpu")]
use super::adapters;
use crate::engine::cpu::CpuEngine;
use crate::engine::{AdapterClass, DeviceInfo, DeviceKind, Engine};
use crate::model::{EnsembleSpec, TrainSpec};
use crate::{Error, Result};

/// A backend is what networks are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Backend {
    /// A hardware GPU if there is one that opens and whose shaders do all that is to be done, else the CPU.
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

/// `Job` is what an engine is to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Job {
    /// Averages over networks.
    Averages(EnsembleSpec),
    /// Outputs of networks.
    Outputs(EnsembleSpec),
    /// Networks that learn.
    Training(TrainSpec),
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
    /// What the engine is to do: [`Backend::Auto`] takes a GPU whose shaders do all of it.
    pub jobs: Vec<Job>,
}

impl EngineChoice {
    /// Chooses the reference in f64.
    pub fn cpu() -> Self {
        Self {
            backend: Backend::Cpu,
            ..Self::default()
        }
    }

    /// Adds ensembles that are to be averaged over.
    pub fn averaging<'a>(mut self, specs: impl IntoIterator<Item = &'a EnsembleSpec>) -> Self {
        let job = |spec: &EnsembleSpec| Job::Averages(spec.clone());
        self.jobs.extend(specs.into_iter().map(job));
        self
    }

    /// Adds networks whose outputs are wanted.
    pub fn sampling(mut self, spec: &EnsembleSpec) -> Self {
        self.jobs.push(Job::Outputs(spec.clone()));
        self
    }

    /// Adds networks that are to learn.
    pub fn training<'a>(mut self, specs: impl IntoIterator<Item = &'a TrainSpec>) -> Self {
        let job = |spec: &TrainSpec| Job::Training(spec.clone());
        self.jobs.extend(specs.into_iter().map(job));
        self
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
    /// [`Error::NoAdapter`], [`Error::Device`], and those of [`check`](Self::check); of specs that are not valid.
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
