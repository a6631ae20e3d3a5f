//! This module is the command `nnqft-gpu depth`.

use clap::Args;
use nnqft_gpu::analysis::{DEPTHS, check_interacting, check_range};
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::{Error, run};

use super::args::{EngineArgs, PartialSpec, list, value};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Sweep the number of hidden layers: how the n-point functions drift away from the Gaussian process
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu depth --arch relu --critical --nets 1000
         nnqft-gpu depth --arch tanh --critical --width 100 --depth 1,2,5,10 --plot depth.svg
         nnqft-gpu depth --arch tanh --critical --width 30,100 --plot collapse.svg
         nnqft-gpu depth --arch tanh --critical --aspect 0.1 --depth 2,4,8

Measured values stand beside exact ones where theory has them (one hidden layer, linear nets, ReLU
on a ray), else beside first order in 1/N. The estimator is connected unless another is asked for."
)]
pub struct Arguments {
    #[command(flatten)]
    spec: PartialSpec,
    /// Depth over width, L/N: each depth has the width that makes it so
    #[arg(long, allow_hyphen_values = true, value_parser = value::aspect,
        conflicts_with_all = ["width", "hidden"])]
    aspect: Option<f64>,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    result: ResultOptions,
}

/// Runs the sweep and prints the result.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let specs = specs(arguments)?;
    for spec in &specs {
        check_range(spec)?;
        check_interacting(spec)?;
    }
    let mut results = Presentation::new(arguments.result.prepare(None)?, false);
    let choice = arguments.engine.choice().averaging(&specs);
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    results.add(run::depth(&mut running.runner, &specs)?)?;
    results.finish()
}

fn specs(arguments: &Arguments) -> nnqft_gpu::Result<Vec<EnsembleSpec>> {
    let mut spec = arguments.spec.clone();
    let fields = &mut spec.model.fields;
    if let Some(hidden) = &fields.hidden {
        let reason = "depth follows the number of hidden layers; use --depth and --width";
        return Err(Error::invalid("hidden", list(hidden), reason));
    }
    fields.depth.get_or_insert_with(|| DEPTHS.to_vec());
    let sampling = &mut spec.sampling;
    sampling.nets.get_or_insert(10_000);
    sampling.estimator.get_or_insert(Estimator::Connected);
    let specs = spec.specs()?;
    let Some(aspect) = arguments.aspect else {
        return Ok(specs);
    };
    (specs.into_iter())
        .map(|spec| spec.with_aspect(aspect)?.validate())
        .collect()
}
