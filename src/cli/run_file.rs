//! Runs that can be stopped, resumed and split.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use nnqft_gpu::engine::{BlockPlan, DeviceInfo, Engine, Queue};
use nnqft_gpu::model::{Difference, EnsembleSpec};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::state::{self, Shard, State, StateFile, keep};
use nnqft_gpu::{Error, Result, analysis};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::options::{ModelOptions, SamplingOptions};
use super::progress::Progress;
use super::{compiling, quote};

/// Where the state of a run is kept, and which part of it is run.
#[derive(Args)]
pub struct StateOptions {
    /// Save the state of the run to this file: every --checkpoint-interval, on Ctrl-C or
    /// SIGTERM, and at the end
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Seconds between saves, the most that a crash can cost
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        allow_hyphen_values = true
    )]
    checkpoint_interval: String,
    /// Go on with the run of this file, to the same result as without a break, and save to
    /// it. Everything but the output options comes from the file; more --nets or --experiments
    /// extend the run. With --checkpoint of the same file: go on if it is there, else start
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Run part I of N, the first being 0, and save it with --checkpoint; `merge` joins all N
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    shard: Option<String>,
}

/// A run before its engine is there.
pub struct Start {
    specs: Vec<EnsembleSpec>,
    shard: Option<Shard>,
    resumed: Option<State>,
    file: Option<StateFile>,
    interval: Duration,
}

impl StateOptions {
    /// Opens the files. A run that goes on takes everything from its file; of the options only
    /// those that were given must fit, or make it longer.
    pub fn start(&self, model: &ModelOptions, sampling: &SamplingOptions) -> Result<Start> {
        let interval = self.interval()?;
        let shard: Option<Shard> = self.shard.as_deref().map(str::parse).transpose()?;
        let either = self.checkpoint == self.resume;
        let source = (self.resume.as_deref()).filter(|path| !either || path.exists());
        let target = self.checkpoint.as_deref().or(source);
        if let (Some(shard), None) = (shard, target) {
            return Err(Error::invalid(
                "--shard",
                shard,
                "add --checkpoint FILE: a part is of use when merge joins it with the others",
            ));
        }
        if let Some(path) = target.filter(|p| Some(*p) != source && p.exists()) {
            return Err(Error::invalid(
                "--checkpoint",
                path.display(),
                "the file exists; go on with --resume, or remove it",
            ));
        }
        if let Some(path) = source.filter(|p| !p.exists()) {
            return Err(Error::invalid(
                "--resume",
                path.display(),
                "there is no such file; start the run with --checkpoint",
            ));
        }
        // Before the claim, which leaves a file.
        let fresh = match source {
            None => sampling.specs(model)?,
            Some(_) => Vec::new(),
        };
        fresh.iter().try_for_each(analysis::check_range)?;
        check_shard(shard, &fresh)?;
        let file = target.map(StateFile::claim).transpose()?;
        if let Some(file) = file.as_ref().filter(|f| !f.is_locked()) {
            eprintln!(
                "{}: this file system has no locks; take care that no second run uses it",
                file.path().display()
            );
        }
        let Some(path) = source else {
            return Ok(Start {
                specs: fresh,
                shard,
                resumed: None,
                file,
                interval,
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
        extend(&mut state, path, either, model, sampling)?;
        let specs: Vec<_> = state.ensembles.iter().map(|e| e.spec.clone()).collect();
        specs.iter().try_for_each(analysis::check_range)?;
        Ok(Start {
            specs,
            shard: state.shard,
            resumed: Some(state),
            file,
            interval,
        })
    }

    fn interval(&self) -> Result<Duration> {
        let text = &self.checkpoint_interval;
        (text.parse::<f64>().ok())
            .filter(|seconds| *seconds > 0.0)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| {
                let reason = "give seconds, more than 0";
                Error::invalid("--checkpoint-interval", format!("'{text}'"), reason)
            })
    }
}

impl Start {
    /// What will be drawn, one spec per width.
    pub fn specs(&self) -> &[EnsembleSpec] {
        &self.specs
    }

    /// What has drawn the networks of a resumed run.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.resumed.as_ref().map(|state| &state.device)
    }
}

/// More networks for a run, if the options ask for them; they must not ask for anything else.
/// What was not given stays, unless the command `may_start` the run: then it has its default.
fn extend(
    state: &mut State,
    path: &Path,
    may_start: bool,
    model: &ModelOptions,
    sampling: &SamplingOptions,
) -> Result<()> {
    let given = [model.given()?, sampling.given()].concat();
    if given.is_empty() {
        return Ok(());
    }
    let is_given = |d: &&Difference| given.iter().any(|(name, _)| *name == d.field);
    let old: Vec<_> = state.ensembles.iter().map(|e| e.spec.clone()).collect();
    let wanted = match may_start {
        true => sampling.specs(model)?,
        false => sampling.over(model, &old)?,
    };
    let mut changed = EnsembleSpec::differences(&wanted, &old);
    // The user's own first: one may bring others with it, as new inputs a new d_in.
    changed.sort_by_key(|d| !is_given(&d));
    let grows =
        |d: &&Difference| is_given(d) && ["--nets", "--experiments"].contains(&d.field.as_str());
    if let Some(d) = changed.iter().find(|d| !grows(d)) {
        let default = if is_given(&d) { "" } else { ", the default" };
        let ours = format!("{}{default}", short(&d.ours));
        return Err(cannot_change(&d.field, path, &d.theirs, &ours));
    }
    let wanted: Vec<_> = wanted
        .into_iter()
        .map(EnsembleSpec::validate)
        .collect::<Result<_>>()?;
    state.extend(&wanted)?;
    for d in &changed {
        eprintln!(
            "{}: extended, {} from {} to {}",
            path.display(),
            d.field,
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
    Error::Mismatch(format!(
        "{option}: the run of {} has {}, not {ours}; {way_out}; to start another run give another --checkpoint",
        path.display(),
        short(theirs)
    ))
}

/// A list of points may be long.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}..", &text[..cut]),
        None => text.into(),
    }
}

/// Every shard must have a block of every ensemble.
fn check_shard(shard: Option<Shard>, specs: &[EnsembleSpec]) -> Result<()> {
    let Some(shard) = shard else { return Ok(()) };
    let blocks = specs.iter().map(|spec| BlockPlan::new(spec).blocks()).min();
    match blocks.filter(|&blocks| blocks < shard.count()) {
        Some(blocks) => Err(Error::invalid(
            "--shard",
            shard,
            format!("this run has {blocks} blocks of networks; use at most {blocks} shards"),
        )),
        None => Ok(()),
    }
}

/// A run, the file that keeps it, and whoever wants to stop it.
pub struct Session {
    /// How far it has come.
    pub state: State,
    file: Option<StateFile>,
    interval: Duration,
    stop: Arc<AtomicBool>,
    /// Why the file does not hold the state.
    unsaved: Option<io::Error>,
}

impl Session {
    /// Listens to signals and saves the state for the first time.
    pub fn begin(start: Start, device: DeviceInfo) -> anyhow::Result<Self> {
        let mut state =
            (start.resumed).unwrap_or_else(|| State::new(start.specs, start.shard, device.clone()));
        if state.device != device {
            if state.device.backend != device.backend {
                return Err(Error::Mismatch(format!(
                    "--backend: the run was begun with {0}; go on with --backend {0}",
                    state.device.backend
                ))
                .into());
            }
            if device.backend == "gpu" && state.device.adapter != device.adapter {
                eprintln!(
                    "begun on {}, goes on on {}: the same networks, rounded by each",
                    state.device.adapter, device.adapter
                );
            }
            let both = [state.device.clone(), device.clone()];
            state.device = DeviceInfo::joined(&both).unwrap_or(device);
        }
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal sets the flag, a second one finds it set.
            signal_hook::flag::register_conditional_shutdown(signal, 130, stop.clone())
                .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
                .context("listening to signals")?;
        }
        if let Some(file) = &start.file {
            file.save(&state).map_err(|e| {
                let reason = format!("the file cannot be written: {e}");
                Error::invalid("--checkpoint", file.path().display(), reason)
            })?;
        }
        Ok(Self {
            state,
            file: start.file,
            interval: start.interval,
            stop,
            unsaved: None,
        })
    }

    /// Draws what is left of ensemble `k`, and saves it.
    pub fn draw(&mut self, k: usize, engine: &mut dyn Engine) -> anyhow::Result<()> {
        let compile_seconds = match self.state.missing(k)[..] {
            [] => 0.0,
            _ => compiling::prepare(engine, &self.state.ensembles[k].spec, &self.stop)?,
        };
        self.state.ensembles[k].compile_seconds = compile_seconds;
        let (state, blocks) = (&self.state, self.state.blocks(k));
        let ensemble = &state.ensembles[k];
        let networks = BlockPlan::new(&ensemble.spec).networks(blocks.clone());
        let bar = Progress::new(networks, ensemble.moments.networks());
        let progress = |networks| bar.inc(networks);
        let queue = Queue::resume(&ensemble.spec, blocks, ensemble.moments.clone())
            .with_progress(&progress)
            .until(&self.stop);
        let start = Instant::now();
        let saving = Mutex::new(());
        let now = || {
            let mut now = state.clone();
            now.ensembles[k].moments = queue.moments();
            now.ensembles[k].seconds += start.elapsed().as_secs_f64();
            now
        };
        let plan = Plan::new(ensemble.spec.clone())?;
        let accumulate = || engine.accumulate(&plan, &queue);
        // Engines finish the batch that they are in, which may take long: then without it.
        let leave = || -> std::convert::Infallible {
            let _saving = saving.lock().unwrap_or_else(|e| e.into_inner());
            bar.finish();
            let now = now();
            let text = match &self.file {
                None => NOT_SAVED.into(),
                Some(file) => match file.save(&now) {
                    Ok(()) => go_on(&now, file),
                    Err(e) => format!("the state could not be saved: {e}"),
                },
            };
            eprintln!("{}", Error::Interrupted(text));
            signal_hook::low_level::exit(130)
        };
        let accumulate = || until_stopped(&self.stop, leave, accumulate);
        let drawn = match &self.file {
            None => accumulate(),
            Some(file) => {
                let save = || {
                    let _saving = saving.lock().unwrap_or_else(|e| e.into_inner());
                    if let Err(e) = file.save(&now()) {
                        bar.suspend(|| warn(file, &e, "; the run goes on and tries again"));
                    }
                };
                keep(self.interval, save, accumulate)
            }
        };
        let now = now();
        bar.finish();
        self.state = now;
        self.save();
        if let Err(error) = drawn {
            if let (Some(_), None) = (&self.file, &self.unsaved) {
                eprintln!("{}", self.go_on());
            }
            return Err(error.into());
        }
        match self.state.missing(k).is_empty() {
            true => Ok(()),
            false => self.interrupted(),
        }
    }

    /// The next signal ends the program at once: there is nothing left to save.
    pub fn sampled(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// After the result: fails if the file does not hold it.
    pub fn end(mut self) -> anyhow::Result<()> {
        if self.unsaved.is_some() {
            self.save();
        }
        if let (None, Some(file)) = (&self.unsaved, &self.file) {
            eprintln!("wrote {}", file.path().display());
        }
        match (self.unsaved, &self.file) {
            (Some(e), Some(file)) => Err(e).with_context(|| {
                format!(
                    "{} does not hold the end of the run, which is above: saving failed",
                    file.path().display()
                )
            }),
            _ => Ok(()),
        }
    }

    fn save(&mut self) {
        self.unsaved = None;
        if let Some(file) = &self.file
            && let Err(e) = file.save(&self.state)
        {
            warn(file, &e, "");
            self.unsaved = Some(e);
        }
    }

    fn interrupted(&mut self) -> anyhow::Result<()> {
        if let Some(e) = self.unsaved.take() {
            return Err(e).context("interrupted, and the state could not be saved");
        }
        let text = match &self.file {
            Some(_) => self.go_on(),
            None => NOT_SAVED.into(),
        };
        Err(Error::Interrupted(text).into())
    }

    fn go_on(&self) -> String {
        (self.file.as_ref()).map_or(String::new(), |file| go_on(&self.state, file))
    }
}

const NOT_SAVED: &str = "nothing was saved; with --checkpoint FILE the run could go on";

/// Longest wait for what an engine is in the middle of, once a run is to stop.
const LAST_BATCH: Duration = Duration::from_millis(1200);

fn go_on(state: &State, file: &StateFile) -> String {
    let (done, all) = state.networks();
    let path = file.path().display().to_string();
    format!(
        "{done} of {all} networks are in {path}; go on with: nnqft-gpu ensemble --resume {}",
        quote(&path)
    )
}

/// Does `work`, which returns soon after `stop` is set; if it does not, `leave` ends the program.
fn until_stopped<T>(
    stop: &AtomicBool,
    leave: impl FnOnce() -> std::convert::Infallible + Send,
    work: impl FnOnce() -> T,
) -> T {
    let (tell, told) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut since = None;
            while told.recv_timeout(LAST_BATCH / 20) == Err(RecvTimeoutError::Timeout) {
                if stop.load(Ordering::Relaxed)
                    && since.get_or_insert_with(Instant::now).elapsed() > LAST_BATCH
                {
                    leave();
                }
            }
        });
        let done = work();
        drop(tell);
        done
    })
}

fn warn(file: &StateFile, error: &io::Error, then: &str) {
    eprintln!(
        "warning: {} could not be saved: {error}{then}",
        file.path().display()
    );
}
