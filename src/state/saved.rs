use std::path::Path;

use super::format::command;
use super::{Ensemble, EnsembleState, State, TrainState, file};
use crate::Result;

/// `Saved` is the state of a run of any command that saves one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Saved {
    /// Networks whose outputs are averaged.
    Ensemble(State),
    /// Networks that are trained.
    Train(State<TrainState>),
}

impl Saved {
    /// Reads the state of a run from the contents of its file.
    ///
    /// # Errors
    /// Those of [`State::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let command = command(bytes)?;
        match &command[..] {
            EnsembleState::COMMAND => State::from_bytes(bytes).map(Self::Ensemble),
            TrainState::COMMAND => State::from_bytes(bytes).map(Self::Train),
            other => Err(format!(
                "it holds a run of {}, of which parts cannot be merged",
                other.escape_default()
            )),
        }
    }

    /// Reads a state file.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) with what is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        file::read_as(path, Self::from_bytes)
    }

    /// Returns the command that made the run.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Ensemble(_) => EnsembleState::COMMAND,
            Self::Train(_) => TrainState::COMMAND,
        }
    }
}
