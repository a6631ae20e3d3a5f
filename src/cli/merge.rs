//! This module is the command `nnqft-gpu merge`.

use std::path::PathBuf;

use clap::Args;
use nnqft_gpu::engine::BlockPlan;
use nnqft_gpu::plan::Plan;
use nnqft_gpu::run::EnsembleDocument;
use nnqft_gpu::state::{self, State};
use nnqft_gpu::{Error, analysis};

use super::ensemble::{EnsembleResult, is_too_small};

/// Join the parts of one run and print its result
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu ensemble --nets 1e7 --shard 0/2 --checkpoint part0.state
         nnqft-gpu ensemble --nets 1e7 --shard 1/2 --checkpoint part1.state
         nnqft-gpu merge part0.state part1.state --out results

The result is that of one run of `ensemble`: on the same kind of device bit for bit. Parts of
different runs, backends or program versions are refused, and so are networks that are in two
files. Exit code 1, and a list of what is missing, if parts are missing; --partial prints what
there is."
)]
pub struct Arguments {
    /// State files that `ensemble --checkpoint` wrote
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print what there is, even if parts of the run are missing
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    result: EnsembleResult,
}

/// The largest number of lines about what is missing.
const MAX_LINES: usize = 20;

/// Merges the files and prints the result.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut results = arguments.result.prepare()?;
    let mut parts = Vec::new();
    for path in &arguments.files {
        parts.push((path.display().to_string(), state::read(path)?));
    }
    let advice = advice(&parts);
    let whole = state::merge(parts)?;
    let missing = missing(&whole);
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
            ))
            .into());
        }
    }
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

/// Lists the networks that are in no part.
fn missing(whole: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (k, ensemble) in whole.ensembles.iter().enumerate() {
        let plan = BlockPlan::new(&ensemble.spec);
        for range in whole.missing(k) {
            let width = ensemble.spec.net.width();
            lines.extend((plan.describe(range).iter()).map(|n| format!("width {width}, {n}")));
        }
    }
    lines
}

/// Says how to get what is missing: shards that were not given, and those that did not finish.
fn advice(parts: &[(String, State)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, state) in parts {
        if (0..state.ensembles.len()).any(|k| !state.missing(k).is_empty()) {
            let (done, all) = state.networks();
            lines.push(format!(
                "{name} has {done} of its {all} networks: nnqft-gpu ensemble --resume {name}"
            ));
        }
    }
    let shards: Option<Vec<_>> = parts.iter().map(|(_, state)| state.shard).collect();
    let Some(shards) = shards else { return lines };
    let count = shards[0].count();
    if shards.iter().all(|s| s.count() == count) {
        let absent = (0..count).filter(|i| shards.iter().all(|s| s.index() != *i));
        let list: Vec<String> = absent
            .take(MAX_LINES)
            .map(|i| format!("{i}/{count}"))
            .collect();
        if !list.is_empty() {
            lines.push(format!("no file has shard {}", list.join(", ")));
        }
    }
    lines
}
