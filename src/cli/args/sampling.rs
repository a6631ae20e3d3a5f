use clap::Args;
use nnqft_gpu::model::{EnsembleSpec, Estimator};

use super::value;

/// `SamplingArgs` has the options of how an ensemble is sampled.
#[derive(Args, Clone, Default)]
pub struct SamplingArgs {
    /// Networks per experiment: 1000000, 1_000_000, 1e6 and 1M are the same [default: 1e6;
    /// symmetry, train: 1e4]
    #[arg(long, allow_hyphen_values = true, value_parser = value::nets)]
    pub nets: Option<u64>,
    /// Independent experiments [default: 10; symmetry: 100; train: 1]
    #[arg(long, allow_hyphen_values = true, value_parser = value::experiments)]
    pub experiments: Option<u32>,
    /// direct: averages of products of outputs; connected: the output layer integrated out,
    /// which needs thousands to millions of times fewer networks [default: direct; falloff:
    /// both; symmetry: connected, for the couplings]
    #[arg(long)]
    pub estimator: Option<Estimator>,
    /// Importance sampling of rare hidden units (connected estimator): auto or none [default:
    /// none; falloff: auto for the second curve]
    #[arg(long, value_parser = value::tilt)]
    pub tilt: Option<bool>,
    /// Seed of the random stream [default: 0]
    #[arg(long, allow_hyphen_values = true, value_parser = value::seed)]
    pub seed: Option<u64>,
}

impl SamplingArgs {
    /// Sets what was given, but for the tilt, which depends on the whole spec.
    pub fn apply(&self, spec: &mut EnsembleSpec) {
        if let Some(nets) = self.nets {
            spec.nets = nets;
        }
        if let Some(experiments) = self.experiments {
            spec.experiments = experiments;
        }
        if let Some(estimator) = self.estimator {
            spec.estimator = estimator;
        }
        if let Some(seed) = self.seed {
            spec.seed = seed;
        }
    }
}
