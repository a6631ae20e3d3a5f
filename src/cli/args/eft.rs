use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use nnqft_gpu::model::{EnsembleSpec, Inputs};
use nnqft_gpu::report::read_moments;
use nnqft_gpu::run::{Backend, CUTOFFS, EngineChoice, Moments, Runner};
use nnqft_gpu::theory::{Exact, Vertex};
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
    #[arg(long, value_name = "DIR", conflicts_with_all = ["NetArgs", "ModelArgs", "SamplingArgs"])]
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
    pub fn origin(
        &self,
        spec: &PartialSpec,
        check: &dyn Fn(&EnsembleSpec) -> Result<()>,
    ) -> Result<Origin> {
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
            return Ok(Origin::File(Box::new(moments)));
        }
        let sampled = self.moments == MomentsOf::Sampled;
        let specs = match sampled {
            true => spec.specs()?,
            false => spec.model_only().specs()?,
        };
        for spec in &specs {
            Moments::check(spec, sampled)?;
            check(spec)?;
        }
        Ok(match sampled {
            true => Origin::Networks(specs),
            false => Origin::Theory(specs),
        })
    }
}

/// An origin is where moments come from.
pub enum Origin {
    /// Moments that have been read from a file.
    File(Box<Moments>),
    /// Networks that are to be drawn, one spec per width.
    Networks(Vec<EnsembleSpec>),
    /// Exact values, one spec per width.
    Theory(Vec<EnsembleSpec>),
}

impl Origin {
    /// Counts the widths.
    pub fn widths(&self) -> usize {
        match self {
            Self::File(_) => 1,
            Self::Networks(specs) | Self::Theory(specs) => specs.len(),
        }
    }

    /// Returns the points, the same at every width.
    pub fn inputs(&self) -> &Inputs {
        match self {
            Self::File(moments) => &moments.spec.inputs,
            Self::Networks(specs) | Self::Theory(specs) => &specs[0].inputs,
        }
    }

    /// Returns the engine that the moments need: without networks, nothing that an adapter has.
    pub fn engine(&self, engine: &EngineArgs) -> EngineChoice {
        match self {
            Self::Networks(_) => engine.choice(),
            Self::File(_) | Self::Theory(_) => EngineChoice {
                backend: Backend::Cpu,
                adapter: None,
            },
        }
    }

    /// Makes the moments of every width.
    pub fn moments(self, runner: &mut Runner) -> Result<Vec<Moments>> {
        match self {
            Self::File(moments) => Ok(vec![*moments]),
            Self::Networks(specs) => {
                let exact = Exact::new(&specs[0]);
                (specs.into_iter())
                    .map(|spec| Moments::sampled(runner, spec, &exact))
                    .collect()
            }
            Self::Theory(specs) => {
                let neurons = Moments::neurons(&specs[0]);
                (specs.into_iter())
                    .map(|spec| Moments::exact(spec, &neurons))
                    .collect()
            }
        }
    }
}
