//! This module draws ensembles and makes their n-point functions.

use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::EnsembleDocument;
use super::Runner;
use super::runner::watch;
use crate::engine::{BlockPlan, DeviceInfo, DeviceKind, Queue};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::sentence::sentence;
use crate::state::{State, StateFile, keep};
use crate::theory::Values;
use crate::{Error, Result};

/// Draws ensembles of one net at the same inputs, say of several widths, and holds their n-point
/// functions against theory.
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::run::{Runner, ensemble};
///
/// let spec = EnsembleSpec { nets: 100, ..EnsembleSpec::preset("relu", 1)? };
/// let mut runner = Runner::new(Box::new(CpuEngine::new()));
/// let documents = ensemble(&mut runner, vec![spec.validate()?])?;
/// assert_eq!(documents[0].correlators[1].order, 4);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
///
/// # Errors
/// Those of [`Runner::draw`] and of [`crate::analysis::correlators`].
pub fn ensemble(runner: &mut Runner, specs: Vec<EnsembleSpec>) -> Result<Vec<EnsembleDocument>> {
    let widths = specs.len();
    let mut run = EnsembleRun::begin(State::new(specs, None, runner.device()), None, runner)?;
    (0..widths)
        .map(|k| {
            run.draw(k, runner)?;
            run.document(k)
        })
        .collect()
}

/// Time between looks at an ensemble that is drawn.
const LOOK: Duration = Duration::from_millis(100);

/// A checkpoint says where the state of a run is kept, and how often it is saved.
#[derive(Debug)]
pub struct Checkpoint {
    /// File that holds the state.
    pub file: StateFile,
    /// Time between saves, the most that a crash can cost.
    pub interval: Duration,
}

/// `EnsembleRun` is a run over ensembles that can be stopped, saved and resumed.
pub struct EnsembleRun {
    state: State,
    checkpoint: Option<Checkpoint>,
    /// Error that kept the state from the file, if the file does not hold it.
    unsaved: Option<io::Error>,
    /// Number and plan of the ensemble that was asked for last.
    plan: Option<(usize, Plan)>,
    /// What theory knows of the run's net and inputs, at any width.
    values: Option<Values>,
}

impl EnsembleRun {
    /// Begins a run, or goes on with one, and saves its state for the first time.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if another backend has begun it; [`Error::Invalid`] if the file cannot
    /// be written.
    pub fn begin(
        mut state: State,
        checkpoint: Option<Checkpoint>,
        runner: &mut Runner,
    ) -> Result<Self> {
        let device = runner.device();
        if state.device != device {
            if state.device.backend != device.backend {
                return Err(Error::Mismatch(sentence!(
                    "`backend`: the run was begun with {}; go on with `backend` {}",
                    state.device.backend.to_string(),
                    state.device.backend.to_string()
                )));
            }
            if device.backend == DeviceKind::Gpu && state.device.adapter != device.adapter {
                runner.note(format!(
                    "begun on {}, goes on on {}: the same networks, rounded by each",
                    state.device.adapter, device.adapter
                ));
            }
            let both = [state.device.clone(), device.clone()];
            state.device = DeviceInfo::joined(&both).unwrap_or(device);
        }
        if let Some(Checkpoint { file, .. }) = &checkpoint {
            file.save(&state).map_err(|e| {
                let reason = format!("the file cannot be written: {e}");
                Error::invalid("checkpoint", file.path().display(), reason)
            })?;
        }
        Ok(Self {
            state,
            checkpoint,
            unsaved: None,
            plan: None,
            values: None,
        })
    }

    /// Returns the state: how far the run has come.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns where the state is kept, if the file holds all of it.
    pub fn saved(&self) -> Option<&StateFile> {
        let file = self.checkpoint.as_ref().map(|c| &c.file);
        file.filter(|_| self.unsaved.is_none())
    }

    /// Says how many networks are where.
    pub fn standing(&self) -> String {
        standing(&self.state, self.saved())
    }

    /// Makes the plan of ensemble `k`, which shares what it can with the one before.
    fn plan(&mut self, k: usize) -> Result<Plan> {
        let spec = &self.state.ensembles[k].spec;
        let plan = match self.plan.take() {
            Some((same, plan)) if same == k => plan,
            Some((_, other)) => other.beside(spec.clone())?,
            None => Plan::new(spec.clone())?,
        };
        self.plan = Some((k, plan.clone()));
        Ok(plan)
    }

    /// Draws what is left of ensemble `k`, and saves the state.
    ///
    /// # Errors
    /// Those of [`Runner::draw`]; what was drawn before is in the state, and in the file if there
    /// is one. [`Error::Incomplete`] if the run was interrupted and could not be saved.
    pub fn draw(&mut self, k: usize, runner: &mut Runner) -> Result<()> {
        let plan = self.plan(k)?;
        self.state.ensembles[k].compile_seconds = match self.state.missing(k)[..] {
            [] => 0.0,
            _ => runner.prepare(&plan)?,
        };
        let (engine, progress, stop) = runner.parts();
        let (state, blocks) = (&self.state, self.state.blocks(k));
        let ensemble = &state.ensembles[k];
        let networks = BlockPlan::new(&ensemble.spec).networks(blocks.clone());
        progress.begin(networks, ensemble.elements.networks());
        let tell = |networks| progress.drawn(&ensemble.spec, networks);
        let queue = Queue::resume(&ensemble.spec, blocks, ensemble.elements.clone())
            .with_progress(&tell)
            .until(stop);
        let start = Instant::now();
        let saving = Mutex::new(());
        let now = || {
            let mut now = state.clone();
            now.ensembles[k].elements = queue.elements();
            now.ensembles[k].seconds += start.elapsed().as_secs_f64();
            now
        };
        let accumulate = || engine.accumulate(&plan, &queue);
        // Engines finish the batch that they are in, which may take long: then without it. What
        // is saved stays saved should the process end here, so no other save may be under way.
        let overdue = || {
            let _saving = saving.lock().unwrap_or_else(|e| e.into_inner());
            progress.end();
            let now = now();
            let file = self.checkpoint.as_ref().map(|c| &c.file);
            let saved = file.map(|file| (file, file.save(&now).err()));
            progress.overdue(&interrupted(
                &now,
                saved.as_ref().map(|(f, e)| (*f, e.as_ref())),
            ));
        };
        let accumulate = || watch(stop, overdue, accumulate);
        let accumulate = || keep(LOOK, || progress.look(&now), accumulate);
        let drawn = match &self.checkpoint {
            None => accumulate(),
            Some(Checkpoint { file, interval }) => {
                let save = || {
                    let _saving = saving.lock().unwrap_or_else(|e| e.into_inner());
                    if let Err(e) = file.save(&now()) {
                        let then = "; the run goes on and tries again";
                        progress.note(&not_saved(file, &e, then).into());
                    }
                };
                keep(*interval, save, accumulate)
            }
        };
        let now = now();
        progress.end();
        self.state = now;
        self.save(runner);
        drawn?;
        match self.state.missing(k).is_empty() {
            true => Ok(()),
            false => Err(interrupted(
                &self.state,
                self.checkpoint
                    .as_ref()
                    .map(|c| (&c.file, self.unsaved.as_ref())),
            )),
        }
    }

    /// Makes the result of ensemble `k`, as far as it has come.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn document(&mut self, k: usize) -> Result<EnsembleDocument> {
        let plan = self.plan(k)?;
        // Widths share what is known, depths do not.
        let known = self.values.take();
        let values = known.and_then(|values| values.at_widths_of(&plan.spec().net));
        let values = self.values.insert(values.unwrap_or_else(|| plan.values()));
        EnsembleDocument::beside(values, &plan, &self.state, k)
    }

    /// Ends the run, and saves it once more if that has failed before; returns the file that holds
    /// it, if there is one.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if the file does not hold the end of the run.
    pub fn end(mut self, runner: &mut Runner) -> Result<Option<StateFile>> {
        if self.unsaved.is_some() {
            self.save(runner);
        }
        let file = self.checkpoint.map(|c| c.file);
        match (file, self.unsaved) {
            (Some(file), Some(e)) => Err(Error::Incomplete(format!(
                "{} does not hold the end of the run: saving failed: {e}",
                file.path().display()
            ))),
            (file, _) => Ok(file),
        }
    }

    fn save(&mut self, runner: &Runner) {
        let file = self.checkpoint.as_ref().map(|c| &c.file);
        self.unsaved = file.and_then(|file| {
            let error = file.save(&self.state).err()?;
            runner.note(not_saved(file, &error, ""));
            Some(error)
        });
    }
}

/// Makes the error of an interrupted run, with its file and why that could not be written.
fn interrupted(state: &State, file: Option<(&StateFile, Option<&io::Error>)>) -> Error {
    match file {
        Some((file, Some(e))) => Error::Incomplete(format!(
            "interrupted, and {} could not be saved: {e}",
            file.path().display()
        )),
        saved => Error::Interrupted(standing(state, saved.map(|(file, _)| file))),
    }
}

fn standing(state: &State, saved: Option<&StateFile>) -> String {
    let (done, all) = state.networks();
    match saved {
        Some(file) => format!("{done} of {all} networks are in {}", file.path().display()),
        None => "nothing was saved".into(),
    }
}

fn not_saved(file: &StateFile, error: &io::Error, then: &str) -> String {
    format!(
        "warning: {} could not be saved: {error}{then}",
        file.path().display()
    )
}
