//! Where a run is kept, and what it goes on with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nnqft_gpu::run::{Checkpoint, Progress};
use nnqft_gpu::state::{self, Ensemble, State, StateFile};
use nnqft_gpu::{Error, Result, Sentence};
use pyo3::prelude::*;

use crate::run::Session;

/// Files of a run.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Files {
    checkpoint: Option<PathBuf>,
    checkpoint_interval: f64,
    resume: Option<PathBuf>,
}

/// A run before its engine is there.
pub struct Start<E: Ensemble> {
    pub specs: Vec<E::Spec>,
    pub resumed: Option<State<E>>,
    pub checkpoint: Option<Checkpoint>,
}

impl Files {
    /// Opens the files. A run that goes on takes everything from its file, and `fit` checks what was given against it;
    /// another one begins with what `fresh` makes.
    pub fn start<E: Ensemble>(
        self,
        session: &Arc<Session>,
        fresh: impl FnOnce() -> Result<Vec<E::Spec>>,
        fit: impl FnOnce(&mut State<E>) -> Result<()>,
    ) -> Result<Start<E>> {
        let either = self.checkpoint == self.resume;
        let source = (self.resume.as_deref()).filter(|path| !either || path.exists());
        let target = self.checkpoint.as_deref().or(source);
        if let Some(path) = target.filter(|p| Some(*p) != source && p.exists()) {
            let reason = Sentence::from("the file exists; go on with ")
                .and(Sentence::parameter("resume"))
                .and(", or remove it");
            return Err(Error::invalid("checkpoint", path.display(), reason));
        }
        if let Some(path) = source.filter(|p| !p.exists()) {
            let reason = Sentence::from("there is no such file; start the run with ")
                .and(Sentence::parameter("checkpoint"));
            return Err(Error::invalid("resume", path.display(), reason));
        }
        let interval = match self.checkpoint_interval {
            seconds if seconds > 0.0 && seconds <= 1e9 => Duration::from_secs_f64(seconds),
            seconds => {
                let reason = "give seconds, more than 0";
                return Err(Error::invalid("checkpoint_interval", seconds, reason));
            }
        };
        // Before the claim, which leaves a file.
        let specs = match source {
            None => fresh()?,
            Some(_) => Vec::new(),
        };
        let file = target.map(StateFile::claim).transpose()?;
        if let Some(file) = file.as_ref().filter(|f| !f.is_locked()) {
            let text = "this file system has no locks; take care that no second run uses it";
            session.note(&format!("warning: {}: {text}", file.path().display()).into());
        }
        let checkpoint = file.map(|file| Checkpoint { file, interval });
        let Some(path) = source else {
            return Ok(Start {
                specs,
                resumed: None,
                checkpoint,
            });
        };
        let mut state = state::read(path)?;
        fit(&mut state)?;
        Ok(Start {
            specs: state.specs(),
            resumed: Some(state),
            checkpoint,
        })
    }
}
