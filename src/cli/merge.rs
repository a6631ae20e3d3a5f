//! This module is the command `nnqft-gpu merge`.

use std::path::{Path, PathBuf};

use clap::Args;
use nnqft_gpu::analysis::trained::check_trained_range;
use nnqft_gpu::plan::Plan;
use nnqft_gpu::run::{EnsembleDocument, TrainDocument};
use nnqft_gpu::state::{self, Ensemble, Saved, State, TrainState};
use nnqft_gpu::{Error, Result, Sentence, analysis};

use super::checkpoint::resume;
use super::ensemble::{EnsembleResult, is_too_small};
use super::train::DIVERGED;

/// Join the parts of one run and print its result
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu ensemble --nets 1e7 --shard 0/2 --checkpoint part0.state
         nnqft-gpu ensemble --nets 1e7 --shard 1/2 --checkpoint part1.state
         nnqft-gpu merge part0.state part1.state --out results

The result is that of one run of `ensemble`, or of `train`, whose checks are made here: on the
same kind of device bit for bit. Parts of different runs, commands, backends or program versions
are refused, and so are networks that are in two files. Exit code 1, and a list of what is missing,
if parts are missing; --partial prints what there is."
)]
pub struct Arguments {
    /// State files that `ensemble --checkpoint` or `train --checkpoint` wrote
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print what there is, even if parts of the run are missing
    #[arg(long)]
    partial: bool,
    /// Average over the trained networks that have not diverged, rather than fail
    #[arg(long)]
    allow_diverged: bool,
    #[command(flatten)]
    result: EnsembleResult,
}

/// The largest number of lines about what is missing.
const MAX_LINES: usize = 20;

/// Merges the files and prints the result.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (mut ensembles, mut trainings) = (Vec::new(), Vec::new());
    for path in &arguments.files {
        let name = path.display().to_string();
        match Saved::read(path)? {
            Saved::Ensemble(state) => ensembles.push((name, state)),
            Saved::Train(state) => trainings.push((name, state)),
        }
    }
    match (ensembles.first(), trainings.first()) {
        (Some((one, _)), Some((other, _))) => Err(Error::Mismatch(Sentence::from(format!(
            "{one} holds a run of ensemble, {other} one of train; only parts of one run can be merged"
        )))
        .into()),
        (_, None) => drawn(arguments, ensembles),
        (None, _) => trained(arguments, trainings),
    }
}

fn drawn(arguments: &Arguments, parts: Vec<(String, State)>) -> anyhow::Result<()> {
    if arguments.allow_diverged {
        let reason = "these networks are not trained; leave it out";
        return Err(Error::invalid("allow_diverged", "of ensembles", reason).into());
    }
    let mut results = arguments.result.prepare()?;
    let whole = join(arguments, parts)?;
    for ensemble in &whole.ensembles {
        analysis::check_range(&ensemble.spec)?;
    }
    results.expect(whole.ensembles.len())?;
    // All ensembles of a run have the same inputs, and the same net but for its hidden layers.
    let first = Plan::new(whole.ensembles[0].spec.clone())?;
    let values = first.values();
    for (k, ensemble) in whole.ensembles.iter().enumerate() {
        if !is_too_small(&whole, k) {
            let plan = first.beside(ensemble.spec.clone())?;
            results.add(EnsembleDocument::beside(&values, &plan, &whole, k)?)?;
        }
    }
    results.finish()
}

fn trained(arguments: &Arguments, parts: Vec<(String, State<TrainState>)>) -> anyhow::Result<()> {
    let mut results = arguments.result.prepare_training()?;
    let whole = join(arguments, parts)?;
    whole.specs().iter().try_for_each(check_trained_range)?;
    if !TrainDocument::is_there(&whole) {
        let (done, all) = whole.networks();
        return Err(Error::Incomplete(format!(
            "{done} of {all} networks are too few for a result"
        ))
        .into());
    }
    results.add(TrainDocument::new(&whole, arguments.allow_diverged)?)?;
    results.finish()
}

/// Joins the parts of a run; fails if some are missing, unless a part will do.
fn join<E: Ensemble>(arguments: &Arguments, parts: Vec<(String, State<E>)>) -> Result<State<E>> {
    let advice = advice(
        &parts,
        if arguments.allow_diverged {
            DIVERGED
        } else {
            ""
        },
    );
    let whole = state::merge(parts)?;
    let missing = whole.lacks();
    if !missing.is_empty() {
        let more = missing.len().saturating_sub(MAX_LINES);
        for line in missing.iter().take(MAX_LINES) {
            say!("missing: {line}");
        }
        if more > 0 {
            say!("missing: {more} more");
        }
        for line in advice {
            say!("{line}");
        }
        if !arguments.partial {
            let (done, all) = whole.networks();
            let left = all - done;
            return Err(Error::Incomplete(format!(
                "{left} of {all} networks are missing; add the files that have them, or print what there is with --partial"
            )));
        }
    }
    Ok(whole)
}

/// Says how to get what is missing: shards that were not given, and those that did not finish.
fn advice<E: Ensemble>(parts: &[(String, State<E>)], again: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, state) in parts {
        let (done, all) = state.networks();
        if done < all {
            lines.push(format!(
                "{name} has {done} of its {all} networks: {}{again}",
                resume::<E>(Path::new(name))
            ));
        }
    }
    let shards: Option<Vec<_>> = parts.iter().map(|(_, state)| state.shard).collect();
    let Some(shards) = shards else { return lines };
    let count = shards[0].count();
    if shards.iter().all(|s| s.count() == count) {
        let is_absent = |i: &u64| shards.iter().all(|s| s.index() != *i);
        let mut absent = (0..count).filter(is_absent);
        let list: Vec<String> = (absent.by_ref().take(MAX_LINES))
            .map(|i| format!("{i}/{count}"))
            .collect();
        let more = match absent.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if !list.is_empty() {
            lines.push(format!("no file has shard {}{more}", list.join(", ")));
        }
    }
    lines
}
