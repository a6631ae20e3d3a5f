use clap::Args;
use nnqft_gpu::engine::AdapterClass;
use nnqft_gpu::run::{Backend, EngineChoice};

use super::value;

/// `EngineArgs` has the options of the engine that computes.
#[derive(Args, Clone)]
pub struct EngineArgs {
    /// auto takes a hardware GPU if there is one, else the f64 CPU engine
    #[arg(long, default_value = "auto", value_parser = value::backend())]
    backend: Backend,
    /// Adapter by any part of its name (see `nnqft-gpu devices`), or all: every hardware GPU,
    /// each at its own speed; if one is lost the others go on
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Class that adapters are taken for: discrete, integrated or software
    #[arg(long, value_name = "CLASS", hide = true)]
    profile: Option<AdapterClass>,
}

impl EngineArgs {
    /// Returns the engine that the options ask for.
    pub fn choice(&self) -> EngineChoice {
        EngineChoice {
            backend: self.backend,
            adapter: self.adapter.clone(),
            class: self.profile,
            ..EngineChoice::default()
        }
    }
}
