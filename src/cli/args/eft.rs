use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::report::read_moments;
use nnqft_gpu::run::{CUTOFFS, EngineChoice, Moments, Sweep};
use nnqft_gpu::theory::Vertex;
use nnqft_gpu::{Error, Result};

use super::{EngineArgs, PartialSpec, value};

/// `MomentsOf` says where the moments come from.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum MomentsOf {
    /// An ensemble, drawn now or read with --from
    Sampled,
    /// Exact finite-width values
    Exact,
}

/// `EftArgs` has the options of the effective field theory.
#[derive(Args)]
pub struct EftArgs {
    /// Moments that the couplings are measured on
    #[arg(long, value_enum, default_value = "sampled")]
    moments: MomentsOf,
    /// Read the ensemble from a folder that `ensemble --out` has written
    #[arg(long, value_name = "DIR", conflicts_with_all = ["NetArgs", "FieldArgs", "SamplingArgs"])]
    pub from: Option<PathBuf>,
    /// Lines into the vertex: full (K) or weight (K - sigma_b^2) [default: full; with --fit
    /// weight]
    #[arg(long)]
    pub vertex: Option<Vertex>,
    /// Cutoffs L of the box [-L, L]^d_in, or inf [default: the source's 21, 7 to 1e5]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::cutoff)]
    pub cutoffs: Option<Vec<f64>>,
}

impl EftArgs {
    /// Returns the cutoffs, in the order given, or the source's.
    pub fn cutoffs(&self) -> Vec<f64> {
        self.cutoffs.clone().unwrap_or_else(|| CUTOFFS.to_vec())
    }

    /// Decides where the moments of every width will come from; all that can be refused is refused
    /// now.
    pub fn sweep(
        &self,
        spec: &PartialSpec,
        check: &dyn Fn(&EnsembleSpec) -> Result<()>,
    ) -> Result<Sweep> {
        if let Some(dir) = &self.from {
            if self.moments == MomentsOf::Exact {
                return Err(Error::invalid(
                    "from",
                    dir.display(),
                    "exact moments need no ensemble; leave out one of the two",
                ));
            }
            let start = Instant::now();
            let (spec, interactions, unconverged) = read_moments(dir)?;
            check(&spec)?;
            let seconds = start.elapsed().as_secs_f64();
            let moments = Moments::drawn(spec, interactions, unconverged, seconds)?;
            return Ok(Sweep::Known(Box::new(moments)));
        }
        let sweep = match self.moments {
            MomentsOf::Sampled => Sweep::sampled(spec.specs()?)?,
            MomentsOf::Exact => Sweep::exact(spec.model_only().specs()?)?,
        };
        sweep.specs().iter().try_for_each(check)?;
        Ok(sweep)
    }

    /// Returns the engine that a sweep needs: without networks, nothing that an adapter has.
    pub fn engine(sweep: &Sweep, engine: &EngineArgs) -> EngineChoice {
        match sweep.draws() {
            true => engine.choice().averaging(sweep.specs()),
            false => EngineChoice::cpu(),
        }
    }
}
