//! This module is the command `nnqft-gpu falloff`.

use clap::Args;
use nnqft_gpu::analysis::{WIDTHS, check_interacting, check_range};
use nnqft_gpu::{Error, run};

use super::args::{EngineArgs, PartialSpec, list};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Sweep the width: how the n-point functions fall off to those of the Gaussian process
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu falloff --arch relu --nets 1e5
         nnqft-gpu falloff --arch gauss --width 2,5,20,100 --nets 1e5 --plot falloff.svg

Beside the direct estimator, a second curve comes from the connected one with a tenth of
the networks (at least 1000 an experiment, tilted 10000; tilted where the net needs it), which
reaches far below the background.
--estimator draws one of them only. Slopes are fitted over the widths whose mean m_n is above the
background: it differs from zero by more than three of its own errors.")]
pub struct Arguments {
    #[command(flatten)]
    spec: PartialSpec,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    result: ResultOptions,
}

/// Runs the sweep and prints the result.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut spec = arguments.spec.clone();
    if let Some(hidden) = &spec.model.fields.hidden {
        let reason = "falloff follows the width of all hidden layers; use --depth and --width";
        return Err(Error::invalid("hidden", list(hidden), reason).into());
    }
    spec.model
        .fields
        .width
        .get_or_insert_with(|| WIDTHS.to_vec());
    let specs = spec.specs()?;
    for spec in &specs {
        check_range(spec)?;
        check_interacting(spec)?;
    }
    let sampling = &spec.sampling;
    let sweep: Vec<run::Ensembles> = match sampling.estimator {
        Some(_) => specs.into_iter().map(|spec| (spec, None)).collect(),
        None => run::beside(specs, sampling.tilt.unwrap_or(true))?,
    };
    let mut results = Presentation::new(arguments.result.prepare(None)?, false);
    let all = (sweep.iter()).flat_map(|(spec, second)| second.iter().chain([spec]));
    let choice = arguments.engine.choice().averaging(all);
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    results.add(run::falloff(&mut running.runner, &sweep)?)?;
    results.finish()
}
