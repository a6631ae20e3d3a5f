//! Commands share the options of this module.
//!
//! Every option of a spec is a field of [`NetArgs`], `FieldArgs` or [`SamplingArgs`], empty
//! unless it was given, and a line of its `over` or `apply`. Everything else is derived from these:
//! which were given, what excludes what, and how they change a run that goes on.

mod eft;
mod engine;
mod given;
mod help;
mod model;
mod sampling;
pub mod value;

use clap::Args;
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::run::TiltChoice;
use nnqft_gpu::{Error, Result, theory};

pub use eft::{EftArgs, MomentsOf};
pub use engine::EngineArgs;
pub use given::Given;
pub use model::{ModelArgs, NetArgs, list};
pub use sampling::SamplingArgs;

/// `PartialSpec` is a spec as far as it was given.
#[derive(Args, Clone, Default)]
pub struct PartialSpec {
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub sampling: SamplingArgs,
}

impl PartialSpec {
    /// Makes one validated spec per width, in the order given: the source's, with what was given.
    pub fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        let mut spec = self.model.preset()?;
        self.apply(&mut spec)?;
        self.model.remark_on_one_point();
        if self.tilts() && spec.estimator == Estimator::Direct {
            return Err(Error::invalid(
                "tilt",
                "auto",
                "importance sampling is for the connected estimator; add --estimator connected",
            ));
        }
        let specs = self.model.widths(spec).into_iter();
        let mut specs = specs
            .map(EnsembleSpec::validate)
            .collect::<Result<Vec<_>>>()?;
        if self.tilts() {
            // It does not depend on the width.
            let mixture = theory::tilt(&specs[0]);
            for spec in &mut specs {
                spec.tilt.clone_from(&mixture);
            }
            note!("tilt: {}", TiltChoice(&specs[0]));
        }
        Ok(specs)
    }

    /// Makes the spec of networks that nothing is measured on, for what takes one width and validates
    /// them itself.
    pub fn networks(&self) -> Result<EnsembleSpec> {
        if let Some(several) = self.model.fields.width.as_deref().filter(|w| w.len() > 1) {
            let reason = "one value at a time; each width has a file of its own";
            return Err(Error::invalid("width", list(several), reason));
        }
        let mut spec = self.model.preset()?;
        self.apply(&mut spec)?;
        self.model.remark_on_one_point();
        Ok(self.model.widths(spec).swap_remove(0))
    }

    /// Puts what was given over the specs of a run; the rest stays. What is wrong with the result
    /// shows when it is compared with the run.
    pub fn over(&self, run: &[EnsembleSpec]) -> Result<Vec<EnsembleSpec>> {
        let mut specs = run.to_vec();
        for spec in &mut specs {
            self.apply(spec)?;
            match self.sampling.tilt {
                Some(true) => spec.tilt = theory::tilt(spec),
                Some(false) => spec.tilt = None,
                None => {}
            }
        }
        match self.model.fields.width {
            Some(_) => Ok(self.model.widths(specs.swap_remove(0))),
            None => Ok(specs),
        }
    }

    /// Sets the width to that at which the source measures couplings, if no width was given.
    pub fn with_eft_width(mut self) -> Self {
        let arch = self.model.net.arch();
        (self.model.fields.width).get_or_insert_with(|| vec![arch.eft_width]);
        self
    }

    /// Keeps the options of networks and points alone, for what draws no networks.
    pub fn model_only(&self) -> Self {
        Self {
            model: self.model.clone(),
            ..Self::default()
        }
    }

    fn apply(&self, spec: &mut EnsembleSpec) -> Result<()> {
        self.model.apply(spec)?;
        self.sampling.apply(spec);
        Ok(())
    }

    /// Tells whether importance sampling is asked for.
    pub fn tilts(&self) -> bool {
        self.sampling.tilt == Some(true)
    }
}
