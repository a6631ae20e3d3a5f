use std::time::Duration;

use crate::Error;
use crate::model::EnsembleSpec;

/// Whom a run tells how far it has come. What is of no interest can be left out; `()` is told
/// everything and does nothing.
pub trait Progress: Send + Sync {
    /// So many networks are to be drawn, of which `done` are there already.
    fn begin(&self, _networks: u64, _done: u64) {}

    /// So many more networks of a spec are there.
    fn drawn(&self, _spec: &EnsembleSpec, _networks: u64) {}

    /// All networks of [`begin`](Self::begin) are there, or there will be no more of them.
    fn end(&self) {}

    /// The engine has been compiling for so long; said again and again.
    fn compiling(&self, _so_far: Duration) {}

    /// It has compiled.
    fn compiled(&self) {}

    /// A sentence that a user should see.
    fn note(&self, _text: &str) {}

    /// The run is to stop, but is in the middle of something that takes long. What can be saved is
    /// saved, as the error says: whoever does not want to wait can end the process here.
    fn overdue(&self, _interrupted: &Error) {}
}

impl Progress for () {}
