use std::time::Duration;

use crate::model::EnsembleSpec;
use crate::state::State;
use crate::{Error, Sentence};

/// `Progress` is told by a run how far it has come. An implementation can leave out what is of no
/// interest; `()` is told everything and does nothing.
pub trait Progress: Send + Sync {
    /// Hears that so many networks are to be drawn, of which `done` are there already.
    fn begin(&self, _networks: u64, _done: u64) {}

    /// Hears that so many more networks of a spec are there.
    fn drawn(&self, _spec: &EnsembleSpec, _networks: u64) {}

    /// Hears that all networks of [`begin`](Self::begin) are there, or that there will be no more
    /// of them.
    fn end(&self) {}

    /// Can look at an ensemble while it is drawn: `now` copies its state. Called every tenth of a second.
    fn look(&self, _now: &dyn Fn() -> State) {}

    /// Hears that the engine has been compiling for so long; called again and again.
    fn compiling(&self, _so_far: Duration) {}

    /// Hears that the engine has compiled.
    fn compiled(&self) {}

    /// Hears what a run that counts no networks is at.
    fn at(&self, _what: &str) {}

    /// Takes a sentence that a user should see.
    fn note(&self, _note: &Sentence) {}

    /// Hears that the run is to stop, but is in the middle of something that takes long. What can
    /// be saved is saved, as the error says: whoever does not want to wait can end the process
    /// here.
    fn overdue(&self, _interrupted: &Error) {}
}

impl Progress for () {}
