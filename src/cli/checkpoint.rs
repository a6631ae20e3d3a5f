//! Runs can be stopped, resumed and split.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use nnqft_gpu::engine::{BlockPlan, DeviceInfo};
use nnqft_gpu::model::{Difference, EnsembleSpec};
use nnqft_gpu::run::Checkpoint;
use nnqft_gpu::state::{self, Shard, State, StateFile};
use nnqft_gpu::{Error, Result, Sentence, analysis};

use super::args::{Given, PartialSpec, value};
use super::flags::flag;
use super::shell::quote;

/// `StateArgs` says where the state of a run is kept, and which part of the run is drawn.
#[derive(Args)]
pub struct StateArgs {
    /// Save the state of the run to this file: every --checkpoint-interval, on Ctrl-C or
    /// SIGTERM, and at the end
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Seconds between saves, the most that a crash can cost
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        allow_hyphen_values = true,
        value_parser = value::interval
    )]
    checkpoint_interval: Duration,
    /// Go on with the run of this file, to the same result as without a break, and save to
    /// it. Everything but the output options comes from the file; more --nets or --experiments
    /// extend the run. With --checkpoint of the same file: go on if it is there, else start
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Run part I of N, the first being 0, and save it with --checkpoint; `merge` joins all N
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    shard: Option<Shard>,
}

/// `Start` is a run before its engine is there.
pub struct Start {
    specs: Vec<EnsembleSpec>,
    shard: Option<Shard>,
    resumed: Option<State>,
    checkpoint: Option<Checkpoint>,
}

impl StateArgs {
    /// Opens the files. A run that goes on takes everything from its file; of the options only
    /// those that were given must fit, or make it longer.
    pub fn start(&self, spec: &Given<PartialSpec>) -> Result<Start> {
        let shard = self.shard;
        let either = self.checkpoint == self.resume;
        let source = (self.resume.as_deref()).filter(|path| !either || path.exists());
        let target = self.checkpoint.as_deref().or(source);
        if let (Some(shard), None) = (shard, target) {
            return Err(Error::invalid(
                "shard",
                shard,
                "add --checkpoint FILE: a part is of use when merge joins it with the others",
            ));
        }
        if let Some(path) = target.filter(|p| Some(*p) != source && p.exists()) {
            return Err(Error::invalid(
                "checkpoint",
                path.display(),
                "the file exists; go on with --resume, or remove it",
            ));
        }
        if let Some(path) = source.filter(|p| !p.exists()) {
            return Err(Error::invalid(
                "resume",
                path.display(),
                "there is no such file; start the run with --checkpoint",
            ));
        }
        // Before the claim, which leaves a file.
        let fresh = match source {
            None => spec.value.specs()?,
            Some(_) => Vec::new(),
        };
        fresh.iter().try_for_each(analysis::check_range)?;
        check_shard(shard, &fresh)?;
        let file = target.map(StateFile::claim).transpose()?;
        if let Some(file) = file.as_ref().filter(|f| !f.is_locked()) {
            say!(
                "{}: this file system has no locks; take care that no second run uses it",
                file.path().display()
            );
        }
        let checkpoint = file.map(|file| Checkpoint {
            file,
            interval: self.checkpoint_interval,
        });
        let Some(path) = source else {
            return Ok(Start {
                specs: fresh,
                shard,
                resumed: None,
                checkpoint,
            });
        };
        let mut state = state::read(path)?;
        if shard.is_some_and(|shard| state.shard != Some(shard)) {
            let text = |s: Option<Shard>| s.map_or("none".into(), |s| s.to_string());
            return Err(cannot_change(
                "--shard",
                path,
                &text(state.shard),
                &text(shard),
            ));
        }
        extend(&mut state, path, either, spec)?;
        let specs: Vec<_> = state.ensembles.iter().map(|e| e.spec.clone()).collect();
        specs.iter().try_for_each(analysis::check_range)?;
        Ok(Start {
            specs,
            shard: state.shard,
            resumed: Some(state),
            checkpoint,
        })
    }
}

impl Start {
    /// Lists what will be drawn, one spec per width.
    pub fn specs(&self) -> &[EnsembleSpec] {
        &self.specs
    }

    /// Returns the device that has drawn the networks of a resumed run.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.resumed.as_ref().map(|state| &state.device)
    }

    /// Returns what an interrupted user can do, as the end of a sentence.
    pub fn hint(&self) -> String {
        match &self.checkpoint {
            None => "; with --checkpoint FILE the run could go on".into(),
            Some(checkpoint) => go_on(&checkpoint.file),
        }
    }

    /// Returns the run on a device, and where its state is kept.
    pub fn into_parts(self, device: DeviceInfo) -> (State, Option<Checkpoint>) {
        let new = || State::new(self.specs, self.shard, device);
        (self.resumed.unwrap_or_else(new), self.checkpoint)
    }
}

/// Adds networks to a run, if the options ask for them; they must not ask for anything else. An
/// option that was not given stays, unless the command `may_start` the run: then it has its
/// default.
fn extend(
    state: &mut State,
    path: &Path,
    may_start: bool,
    spec: &Given<PartialSpec>,
) -> Result<()> {
    if spec.list.is_empty() {
        return Ok(());
    }
    let is_given = |d: &&Difference| spec.has(&flag(d.field));
    let old: Vec<_> = state.ensembles.iter().map(|e| e.spec.clone()).collect();
    let wanted = match may_start {
        true => spec.value.specs()?,
        false => spec.value.over(&old)?,
    };
    let mut changed = EnsembleSpec::differences(&wanted, &old);
    // The user's own first: one may bring others with it, as new inputs a new d_in.
    changed.sort_by_key(|d| !is_given(&d));
    let grows = |d: &&Difference| is_given(d) && ["nets", "experiments"].contains(&d.field);
    if let Some(d) = changed.iter().find(|d| !grows(d)) {
        let default = if is_given(&d) { "" } else { ", the default" };
        let ours = format!("{}{default}", short(&d.ours));
        return Err(cannot_change(&flag(d.field), path, &d.theirs, &ours));
    }
    let wanted: Vec<_> = wanted
        .into_iter()
        .map(EnsembleSpec::validate)
        .collect::<Result<_>>()?;
    state.extend(&wanted)?;
    for d in &changed {
        say!(
            "{}: extended, {} from {} to {}",
            path.display(),
            flag(d.field),
            d.theirs,
            d.ours
        );
    }
    Ok(())
}

fn cannot_change(option: &str, path: &Path, theirs: &str, ours: &str) -> Error {
    let way_out = match option {
        "--shard" => "leave --shard out to go on with it",
        _ => "of a run only --nets and --experiments can change, to more",
    };
    Error::Mismatch(Sentence::from(format!(
        "{option}: the run of {} has {}, not {ours}; {way_out}; to start another run give another --checkpoint",
        path.display(),
        short(theirs)
    )))
}

/// Shortens a text for a message: a list of points may be long.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}..", &text[..cut]),
        None => text.into(),
    }
}

/// Checks that every shard has a block of every ensemble.
fn check_shard(shard: Option<Shard>, specs: &[EnsembleSpec]) -> Result<()> {
    let Some(shard) = shard else { return Ok(()) };
    let blocks = specs.iter().map(|spec| BlockPlan::new(spec).blocks()).min();
    match blocks.filter(|&blocks| blocks < shard.count()) {
        Some(blocks) => Err(Error::invalid(
            "shard",
            shard,
            format!("this run has {blocks} blocks of networks; use at most {blocks} shards"),
        )),
        None => Ok(()),
    }
}

/// Says how to go on with the run of a file, as the end of a sentence.
pub fn go_on(file: &StateFile) -> String {
    let path = file.path().display().to_string();
    let path = quote(&path);
    format!("; go on with: nnqft-gpu ensemble --resume {path}")
}
