//! The state of a run is kept in a file while networks are drawn.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::runner::watch;
use super::{Progress, Runner};
use crate::engine::{DeviceInfo, DeviceKind};
use crate::sentence::sentence;
use crate::state::{Ensemble, State, StateFile, keep};
use crate::{Error, Result};

/// Time between looks at networks that are drawn.
const LOOK: Duration = Duration::from_millis(100);

/// A checkpoint says where the state of a run is kept, and how often it is saved.
#[derive(Debug)]
pub struct Checkpoint {
    /// File that holds the state.
    pub file: StateFile,
    /// Time between saves, the most that a crash can cost.
    pub interval: Duration,
}

/// A keeper saves the state of a run, if there is a file for it.
pub(super) struct Keeper {
    checkpoint: Option<Checkpoint>,
    /// Error that kept the state from the file, if the file does not hold it.
    unsaved: Option<io::Error>,
    /// Time of the last save.
    saved_at: Mutex<Instant>,
}

impl Keeper {
    /// Begins a run, or goes on with one, and saves its state for the first time.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if another backend has begun it; [`Error::Invalid`] if the file cannot
    /// be written.
    pub fn begin<E: Ensemble>(
        state: &mut State<E>,
        checkpoint: Option<Checkpoint>,
        runner: &Runner,
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
            file.save(state).map_err(|e| {
                let reason = format!("the file cannot be written: {e}");
                Error::invalid("checkpoint", file.path().display(), reason)
            })?;
        }
        Ok(Self {
            checkpoint,
            unsaved: None,
            saved_at: Mutex::new(Instant::now()),
        })
    }

    /// Returns where the state is kept, if the file holds all of it.
    pub fn saved(&self) -> Option<&StateFile> {
        let file = self.checkpoint.as_ref().map(|c| &c.file);
        file.filter(|_| self.unsaved.is_none())
    }

    /// Says how many networks are where.
    pub fn standing<E: Ensemble>(&self, state: &State<E>) -> String {
        standing(state, self.saved())
    }

    /// Does `work`, in which networks are drawn, and meanwhile calls `look` again and again, and saves what `now`
    /// returns.
    pub fn during<E: Ensemble>(
        &self,
        (progress, stop): (&dyn Progress, &AtomicBool),
        now: &(dyn Fn() -> State<E> + Sync),
        look: &(dyn Fn() + Sync),
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let saving = Mutex::new(());
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
        let work = || watch(stop, overdue, work);
        let work = || keep(LOOK, look, work);
        match &self.checkpoint {
            None => work(),
            Some(Checkpoint { file, interval }) => {
                let save = || {
                    let _saving = saving.lock().unwrap_or_else(|e| e.into_inner());
                    if !self.is_due(*interval) {
                        return;
                    }
                    self.note_save();
                    if let Err(e) = file.save(&now()) {
                        let then = "; the run goes on and tries again";
                        progress.note(&not_saved(file, &e, then).into());
                    }
                };
                keep(LOOK.min(*interval), save, work)
            }
        }
    }

    /// Makes the error of a run that was interrupted.
    pub fn interrupted<E: Ensemble>(&self, state: &State<E>) -> Error {
        let file = self.checkpoint.as_ref().map(|c| &c.file);
        interrupted(state, file.map(|file| (file, self.unsaved.as_ref())))
    }

    /// Saves the state if the last save is long enough ago; remembers and tells if that fails.
    pub fn save_if_due<E: Ensemble>(&mut self, state: &State<E>, runner: &Runner) {
        let is_due = |checkpoint: &Checkpoint| self.is_due(checkpoint.interval);
        if self.checkpoint.as_ref().is_some_and(is_due) {
            self.save(state, runner);
        }
    }

    fn is_due(&self, interval: Duration) -> bool {
        let saved_at = self.saved_at.lock().unwrap_or_else(|e| e.into_inner());
        saved_at.elapsed() >= interval
    }

    fn note_save(&self) {
        *self.saved_at.lock().unwrap_or_else(|e| e.into_inner()) = Instant::now();
    }

    /// Saves the state now; remembers and tells if that fails.
    pub fn save<E: Ensemble>(&mut self, state: &State<E>, runner: &Runner) {
        self.note_save();
        let file = self.checkpoint.as_ref().map(|c| &c.file);
        self.unsaved = file.and_then(|file| {
            let error = file.save(state).err()?;
            runner.note(not_saved(file, &error, ""));
            Some(error)
        });
    }

    /// Ends the run, and saves it once more if that has failed before; returns the file that holds
    /// it, if there is one.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if the file does not hold the end of the run.
    pub fn end<E: Ensemble>(
        mut self,
        state: &State<E>,
        runner: &Runner,
    ) -> Result<Option<StateFile>> {
        if self.unsaved.is_some() {
            self.save(state, runner);
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
}

/// Makes the error of an interrupted run, with its file and why that could not be written.
fn interrupted<E: Ensemble>(
    state: &State<E>,
    file: Option<(&StateFile, Option<&io::Error>)>,
) -> Error {
    match file {
        Some((file, Some(e))) => Error::Incomplete(format!(
            "interrupted, and {} could not be saved: {e}",
            file.path().display()
        )),
        saved => Error::Interrupted(standing(state, saved.map(|(file, _)| file))),
    }
}

fn standing<E: Ensemble>(state: &State<E>, saved: Option<&StateFile>) -> String {
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
