//! This module is the command `nnqft-gpu ensemble`.

use clap::Args;
use nnqft_gpu::model::Estimator;
use nnqft_gpu::run::{EnsembleDocument, EnsembleRun, TrainDocument};
use nnqft_gpu::state::{EnsembleState, State};
use nnqft_gpu::{Error, theory};

use super::args::{EngineArgs, Given, PartialSpec};
use super::checkpoint::{StateArgs, go_on};
use super::interrupt::{guard, would_cost};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Draw networks, accumulate their n-point functions and hold them against the GP and the
/// exact values
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu ensemble --arch relu --width 20 --nets 1e6
         nnqft-gpu ensemble --estimator connected --width 1000 --nets 1e4
         nnqft-gpu ensemble --arch gauss --inputs \"-0.5,0;0.5,1\" --orders 1,2,3 --json
         nnqft-gpu ensemble --nets 1e9 --checkpoint run.state
         nnqft-gpu ensemble --resume run.state
         nnqft-gpu ensemble --resume run.state --experiments 20
         nnqft-gpu ensemble --nets 1e9 --shard 0/8 --checkpoint part0.state

Ctrl-C and SIGTERM finish the batch, save if there is a --checkpoint, and say how to go on (exit
code 130); a second Ctrl-C ends at once."
)]
pub struct Arguments {
    #[command(flatten)]
    spec: Given<PartialSpec>,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    result: EnsembleResult,
}

/// `EnsembleResult` says how the result is given.
#[derive(Args)]
pub struct EnsembleResult {
    #[command(flatten)]
    result: ResultOptions,
    /// Print every element: estimate, error, GP, exact value, pull, m_n
    #[arg(long)]
    elements: bool,
}

impl EnsembleResult {
    /// Refuses what cannot be written, before the run.
    pub fn prepare(&self) -> nnqft_gpu::Result<Presentation<EnsembleDocument>> {
        let files = self.result.prepare(None)?;
        Ok(Presentation::new(files, self.elements))
    }

    /// Refuses what cannot be written of a training.
    pub fn prepare_training(&self) -> nnqft_gpu::Result<Presentation<TrainDocument>> {
        match self.elements {
            true => Err(Error::invalid(
                "elements",
                "of networks that are trained",
                "leave it out; add --json for every element",
            )),
            false => Ok(Presentation::new(self.result.prepare(None)?, false)),
        }
    }
}

/// Tells whether a part of a run has too few blocks for error bars; says so to the user.
pub fn is_too_small(state: &State, k: usize) -> bool {
    let subtrees = state.ensembles[k].elements.subtrees();
    let blocks: u64 = subtrees.map(|(_, _, s)| s.blocks).sum();
    let small = state.shard.is_some() && blocks < 2;
    if small {
        note!("this part is too small for a result of its own: merge has it");
    }
    small
}

/// Returns the options by which averages that have not converged would, if there are any.
fn cure(document: &EnsembleDocument) -> Option<&'static str> {
    let spec = &document.head.spec;
    let all_well = (document.correlators.iter()).all(|c| c.unconverged().is_none());
    if all_well {
        return None;
    }
    match (theory::tilt(spec).is_some(), spec.estimator, &spec.tilt) {
        (true, _, None) => Some("--estimator connected --tilt auto"),
        (false, Estimator::Direct, _) => Some("--estimator connected, or more --nets"),
        _ => Some("more --nets"),
    }
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut results = arguments.result.prepare()?;
    let (mut running, mut run) = guard(|| {
        let start = arguments.state.start(&arguments.spec)?;
        results.expect(start.specs().len())?;
        let choice = arguments.engine.choice().averaging(start.specs());
        let mut running = Running::begin(Terminal::new(start.hint()), |progress| {
            choice.open_like(start.device(), progress)
        })?;
        let runner = &mut running.runner;
        let (state, checkpoint) = start.into_parts(runner.device());
        let run = EnsembleRun::begin(state, checkpoint, runner)?;
        Ok((running, run))
    })?;
    for k in 0..run.state().ensembles.len() {
        // A signal ends it by itself, with all that was drawn in the file.
        match run.draw(k, &mut running.runner) {
            Err(Error::Interrupted(text)) => {
                return Err(Error::Interrupted(running.terminal.hinted(&text)).into());
            }
            Err(error) => {
                if let Some(file) = run.saved() {
                    say!("{}{}", run.standing(), go_on::<EnsembleState>(file));
                }
                return Err(error.into());
            }
            Ok(()) => would_cost(running.terminal.hinted(&run.standing())),
        }
        guard(|| match is_too_small(run.state(), k) {
            true => Ok(()),
            false => {
                let document = run.document(k)?;
                let cure = cure(&document);
                results.add(document)?;
                if let Some(options) = cure {
                    note!("for what has not converged: {options}");
                }
                Ok(())
            }
        })?;
    }
    guard(|| {
        results.finish()?;
        if let Some(file) = run.end(&mut running.runner)? {
            note!("wrote {}", file.path().display());
        }
        Ok(())
    })
}
