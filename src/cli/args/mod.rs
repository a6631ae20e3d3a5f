//! Commands share the options of this module.
//!
//! Every option of a spec is a field of [`NetArgs`], `FieldArgs` or [`SamplingArgs`], empty
//! unless it was given, and a line of its `over` or `apply`. Everything else is derived from these:
//! which were given, what excludes what, and how they change a run that goes on.

mod eft;
mod engine;
mod given;
mod help;
mod learn;
mod model;
mod sampling;
pub mod value;

use clap::Args;
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::run::TiltChoice;
use nnqft_gpu::{Error, Result, theory};

pub use eft::{EftArgs, MomentsOf};
pub use engine::EngineArgs;
pub use given::{Given, written};
pub use learn::LearnArgs;
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
    /// Makes one validated spec per depth and width, in the order given: the source's, with what was
    /// given.
    pub fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        let specs = self.apply(&self.model.preset()?)?;
        self.model.remark_on_one_point();
        if self.tilts() && specs[0].estimator == Estimator::Direct {
            return Err(Error::invalid(
                "tilt",
                "auto",
                "importance sampling is for the connected estimator; add --estimator connected",
            ));
        }
        let mut specs = (specs.into_iter())
            .map(EnsembleSpec::validate)
            .collect::<Result<Vec<_>>>()?;
        if self.tilts() {
            if let Some(deep) = specs.iter().find(|spec| spec.net.depth() > 1) {
                let reason = format!(
                    "importance sampling is for one hidden layer, and this net has {}; leave it out",
                    deep.net.depth()
                );
                return Err(Error::invalid("tilt", "auto", reason));
            }
            // It does not depend on the width.
            let mixture = theory::tilt(&specs[0]);
            for spec in &mut specs {
                spec.tilt.clone_from(&mixture);
            }
            note!("tilt: {}", TiltChoice(&specs[0]));
        }
        Ok(specs)
    }

    /// Makes one spec per depth and width, in the order given, for what validates them itself.
    pub fn unmeasured(&self) -> Result<Vec<EnsembleSpec>> {
        let specs = self.apply(&self.model.preset()?)?;
        self.model.remark_on_one_point();
        Ok(specs)
    }

    /// Makes the spec of networks that nothing is measured on, for what takes one width and validates
    /// them itself.
    pub fn networks(&self) -> Result<EnsembleSpec> {
        let fields = &self.model.fields;
        let refuse = |name, several: String| {
            let reason = "one value at a time; each net has a file of its own";
            Err(Error::invalid(name, several, reason))
        };
        if let Some(several) = fields.width.as_deref().filter(|w| w.len() > 1) {
            return refuse("width", list(several));
        }
        if let Some(several) = fields.depth.as_deref().filter(|d| d.len() > 1) {
            return refuse("depth", list(several));
        }
        let mut specs = self.apply(&self.model.preset()?)?;
        self.model.remark_on_one_point();
        Ok(specs.swap_remove(0))
    }

    /// Puts what was given over the specs of a run; the rest stays. What is wrong with the result
    /// shows when it is compared with the run.
    pub fn over(&self, run: &[EnsembleSpec]) -> Result<Vec<EnsembleSpec>> {
        let mut all: Vec<EnsembleSpec> = match self.model.has_shape() {
            true => self.apply(&run[0])?,
            false => (run.iter())
                .map(|spec| Ok(self.apply(spec)?.swap_remove(0)))
                .collect::<Result<_>>()?,
        };
        for spec in &mut all {
            match self.sampling.tilt {
                Some(true) => spec.tilt = theory::tilt(spec),
                Some(false) => spec.tilt = None,
                None => {}
            }
        }
        Ok(all)
    }

    /// Sets the width to that at which the source measures couplings, if no width was given.
    pub fn with_eft_width(mut self) -> Self {
        let arch = self.model.net.arch();
        let fields = &mut self.model.fields;
        if fields.hidden.is_none() {
            (fields.width).get_or_insert_with(|| vec![arch.eft_width]);
        }
        self
    }

    /// Keeps the options of networks and points alone, for what draws no networks.
    pub fn model_only(&self) -> Self {
        Self {
            model: self.model.clone(),
            ..Self::default()
        }
    }

    fn apply(&self, spec: &EnsembleSpec) -> Result<Vec<EnsembleSpec>> {
        let mut specs = self.model.apply(spec)?;
        for spec in &mut specs {
            self.sampling.apply(spec);
        }
        Ok(specs)
    }

    /// Tells whether importance sampling is asked for.
    pub fn tilts(&self) -> bool {
        self.sampling.tilt == Some(true)
    }
}
