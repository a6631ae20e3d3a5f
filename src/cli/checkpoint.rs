//! Runs can be stopped, resumed and split.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use nnqft_gpu::engine::{BlockPlan, DeviceInfo};
use nnqft_gpu::model::{Difference, EnsembleSpec};
use nnqft_gpu::run::Checkpoint;
use nnqft_gpu::state::{self, Ensemble, EnsembleState, Shard, State, StateFile};
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
    /// extend a run of ensemble. With --checkpoint of the same file: go on if it is there, else
    /// start
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Run part I of N, the first being 0, and save it with --checkpoint; `merge` joins all N
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    shard: Option<Shard>,
}

/// `Asked` is what the options of a command ask for.
pub trait Asked {
    /// Type of the run's ensembles.
    type Ensemble: Ensemble;

    /// Makes one spec per width, of a run that begins.
    fn specs(&self) -> Result<Vec<<Self::Ensemble as Ensemble>::Spec>>;

    /// Has a run, of a file, fit what was given. An option that was not given stays as it is there, unless the
    /// command `may_start` the run: then it has its default.
    fn fit(&self, state: &mut State<Self::Ensemble>, path: &Path, may_start: bool) -> Result<()>;
}

/// `Start` is a run before its engine is there.
pub struct Start<E: Ensemble> {
    specs: Vec<E::Spec>,
    shard: Option<Shard>,
    resumed: Option<State<E>>,
    checkpoint: Option<Checkpoint>,
}

impl StateArgs {
    /// Opens the files. A run that goes on takes everything from its file; of the options only
    /// those that were given must fit, or make it longer.
    pub fn start<A: Asked>(&self, asked: &A) -> Result<Start<A::Ensemble>> {
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
            None => asked.specs()?,
            Some(_) => Vec::new(),
        };
        check_shard::<A::Ensemble>(shard, &fresh)?;
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
                "leave --shard out to go on with it",
            ));
        }
        asked.fit(&mut state, path, either)?;
        Ok(Start {
            specs: state.specs(),
            shard: state.shard,
            resumed: Some(state),
            checkpoint,
        })
    }
}

impl<E: Ensemble> Start<E> {
    /// Lists what will be drawn, one spec per width.
    pub fn specs(&self) -> &[E::Spec] {
        &self.specs
    }

    /// Returns the device that has drawn the networks of a resumed run.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.resumed.as_ref().map(|state| &state.device)
    }

    /// Tells whether the state is kept in a file.
    pub fn is_kept(&self) -> bool {
        self.checkpoint.is_some()
    }

    /// Returns what an interrupted user can do, as the end of a sentence.
    pub fn hint(&self) -> String {
        match &self.checkpoint {
            None => "; with --checkpoint FILE the run could go on".into(),
            Some(checkpoint) => go_on::<E>(&checkpoint.file),
        }
    }

    /// Returns the run on a device, and where its state is kept.
    pub fn into_parts(self, device: DeviceInfo) -> (State<E>, Option<Checkpoint>) {
        let new = || State::new(self.specs, self.shard, device);
        (self.resumed.unwrap_or_else(new), self.checkpoint)
    }
}

impl Asked for Given<PartialSpec> {
    type Ensemble = EnsembleState;

    fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        let specs = self.value.specs()?;
        specs.iter().try_for_each(analysis::check_range)?;
        Ok(specs)
    }

    /// Adds networks to the run, if the options ask for them; they must not ask for anything else.
    fn fit(&self, state: &mut State, path: &Path, may_start: bool) -> Result<()> {
        if !self.list.is_empty() {
            extend(state, path, may_start, self)?;
        }
        state.specs().iter().try_for_each(analysis::check_range)
    }
}

fn extend(
    state: &mut State,
    path: &Path,
    may_start: bool,
    spec: &Given<PartialSpec>,
) -> Result<()> {
    let old = state.specs();
    let wanted = match may_start {
        true => spec.value.specs()?,
        false => spec.value.over(&old)?,
    };
    let changed = EnsembleSpec::differences(&wanted, &old);
    let has = |d: &Difference| spec.has(&flag(d.field));
    let grows = |d: &Difference| has(d) && ["nets", "experiments"].contains(&d.field);
    let (more, other): (Vec<_>, Vec<_>) = changed.into_iter().partition(grows);
    let can = "of a run only --nets and --experiments can change, to more";
    must_be_none(&other, path, has, can)?;
    let wanted: Vec<_> = wanted
        .into_iter()
        .map(EnsembleSpec::validate)
        .collect::<Result<_>>()?;
    state.extend(&wanted)?;
    for d in &more {
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

/// Refuses fields in which a run would change: first one that was given, since it may bring others with it, as new
/// inputs a new d_in.
pub fn must_be_none(
    changed: &[Difference],
    path: &Path,
    is_given: impl Fn(&Difference) -> bool,
    way_out: &str,
) -> Result<()> {
    let Some(d) = (changed.iter().find(|d| is_given(d))).or(changed.first()) else {
        return Ok(());
    };
    let default = if is_given(d) { "" } else { ", the default" };
    let ours = format!("{}{default}", short(&d.ours));
    Err(cannot_change(
        &flag(d.field),
        path,
        &d.theirs,
        &ours,
        way_out,
    ))
}

fn cannot_change(option: &str, path: &Path, theirs: &str, ours: &str, way_out: &str) -> Error {
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
fn check_shard<E: Ensemble>(shard: Option<Shard>, specs: &[E::Spec]) -> Result<()> {
    let Some(shard) = shard else { return Ok(()) };
    let blocks = |spec: &E::Spec| BlockPlan::new(E::new(spec.clone()).networks()).blocks();
    let blocks = specs.iter().map(blocks).min();
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
pub fn go_on<E: Ensemble>(file: &StateFile) -> String {
    format!("; go on with: {}", resume::<E>(file.path()))
}

/// Writes the command that goes on with the run of a file.
pub fn resume<E: Ensemble>(path: &Path) -> String {
    let path = path.display().to_string();
    format!("nnqft-gpu {} --resume {}", E::COMMAND, quote(&path))
}
