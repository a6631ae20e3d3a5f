//! This module is the command `nnqft-gpu train`.

use std::path::Path;

use clap::Args;
use nnqft_gpu::analysis::trained::check_trained_range;
use nnqft_gpu::model::TrainSpec;
use nnqft_gpu::run::{TrainDocument, TrainRun};
use nnqft_gpu::state::{State, TrainState};
use nnqft_gpu::{Error, Result};

use super::args::{EngineArgs, Given, LearnArgs, PartialSpec};
use super::checkpoint::{Asked, StateArgs, go_on, must_be_none};
use super::flags::flag;
use super::interrupt::{guard, would_cost};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Train every drawn network on a small data set, and measure what they learn
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu train --arch tanh --data \"-1=0.5;0.2=-0.3;0.8=1\" --inputs \"-0.4;0.5;1.5\" --nets 2000
         nnqft-gpu train --arch erf --width 20,50,100 --data points.csv --inputs \"0;1\" --rate 0.1 --plot train.svg
         nnqft-gpu train --arch erf --data points.csv --nets 1e6 --checkpoint run.state
         nnqft-gpu train --resume run.state
         nnqft-gpu train --arch erf --data points.csv --nets 1e6 --shard 0/8 --checkpoint part0.state

Each network descends by itself, full batch, on 1/2 sum (f(x) - y)^2 over the data, with respect
to the variates of unit variance that its weights and biases are multiples of. Step 0 is the
ensemble of the other commands. Beside every number stands that of infinite width, where f is
linear in the parameters.

Fields: f at the data, then at --inputs. Mean, variance and excess kurtosis of each, and the n-point
functions of --orders, 1 to 4 [default: 1,2, and 4 with up to 16 fields]. Defaults: --nets 1e4
--experiments 1; errors come from the scatter of blocks of networks.

With --train readout --estimator connected readouts are averaged given the hidden layers, of which
there may be several: outputs are then normal at every step, with mean and covariance in closed
form. Errors are smaller, and the number of steps costs nothing.

Checks, at every width: untrained (step 0 has its exact n-point functions); on 2048 networks after
the last step, opposite (y -> -y turns the sign of odd functions), zero (y = 0 keeps them zero)
and across (two more outputs that learn zero have no direction). With the connected estimator
these hold network by network, and the check is direct instead: readouts that are drawn and
trained have the same n-point functions. Untrained and direct are of one hidden layer. A check
passes at a p-value of 1e-4 or more.

Networks are trained in f64 on the CPU or in f32 on a GPU, with one hidden layer; readouts that
are averaged given their hidden layers in f64 on the CPU.

Ctrl-C and SIGTERM leave the networks in work, save the others if there is a --checkpoint, and say
how to go on (exit code 130); a second Ctrl-C ends at once. All of a run that goes on comes from its
file, but for --allow-diverged, and nothing of it can change. A shard trains its share of the networks, those of the checks, too;
`merge` makes the checks, and prints what one run would."
)]
pub struct Arguments {
    #[command(flatten)]
    asked: TrainArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    result: ResultOptions,
}

/// `TrainArgs` says what is drawn, and what it learns.
#[derive(Args)]
struct TrainArgs {
    #[command(flatten)]
    spec: Given<PartialSpec>,
    #[command(flatten)]
    learn: Given<LearnArgs>,
}

impl Asked for TrainArgs {
    type Ensemble = TrainState;

    fn specs(&self) -> Result<Vec<TrainSpec>> {
        let specs = self.learn.value.specs(&self.spec.value)?;
        specs.iter().try_for_each(check_trained_range)?;
        Ok(specs)
    }

    fn fit(&self, state: &mut State<TrainState>, path: &Path, may_start: bool) -> Result<()> {
        if self.spec.list.is_empty() && self.learn.list.is_empty() {
            return Ok(());
        }
        let old = state.specs();
        let wanted = match may_start {
            true => self.specs()?,
            false => self.learn.value.over(&self.spec.value, &old)?,
        };
        let changed = TrainSpec::differences(&wanted, &old);
        let has = |option: &str| self.spec.has(option) || self.learn.has(option);
        let can = "of a training nothing can change";
        must_be_none(&changed, path, |d| has(&flag(d.field)), can)
    }
}

/// What a run with networks that have diverged takes to go on.
pub const DIVERGED: &str = " --allow-diverged";

/// Trains the networks and prints the result.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut results = Presentation::new(arguments.result.prepare(None)?, false);
    let allow_diverged = arguments.asked.learn.value.allow_diverged;
    // What is no part of the run is asked for again.
    let again = if allow_diverged { DIVERGED } else { "" };
    let (mut running, mut run) = guard(|| {
        let start = arguments.state.start(&arguments.asked)?;
        let choice = arguments.engine.choice().training(start.specs());
        choice.check()?;
        let hint = match start.is_kept() {
            true => start.hint() + again,
            false => start.hint(),
        };
        let mut running = Running::begin(Terminal::new(hint), |progress| {
            choice.open_like(start.device(), progress)
        })?;
        let runner = &mut running.runner;
        if let Some(other) = runner.for_training(&start.specs()[0]) {
            *runner = other;
        }
        let (state, checkpoint) = start.into_parts(runner.device());
        let run = TrainRun::begin(state, checkpoint, runner)?;
        Ok((running, run))
    })?;
    // A signal ends it by itself, with all that was trained in the file.
    match run.train(&mut running.runner, allow_diverged) {
        Err(Error::Interrupted(text)) => {
            return Err(Error::Interrupted(running.terminal.hinted(&text)).into());
        }
        Err(error) => {
            if let Some(file) = run.saved() {
                let again = match run.state().has_diverged() {
                    true => DIVERGED,
                    false => again,
                };
                say!("{}{}{again}", run.standing(), go_on::<TrainState>(file));
            }
            return Err(error.into());
        }
        Ok(()) => would_cost(running.terminal.hinted(&run.standing())),
    }
    guard(|| {
        match TrainDocument::is_there(run.state()) {
            true => {
                results.add(run.document(allow_diverged)?)?;
                results.finish()?;
            }
            false => note!(
                "this part is too small for a result of its own: merge makes one of all parts"
            ),
        }
        if let Some(file) = run.end(&mut running.runner)? {
            note!("wrote {}", file.path().display());
        }
        Ok(())
    })
}
