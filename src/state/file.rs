//! A state file holds the state of a run on disk.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::replace::{replace, sibling};
use super::{Ensemble, State};
use crate::{Error, Result};

/// `StateFile` is a state file that belongs to one run alone.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Lock that is held until dropped; `None` where the file system has no locks.
    lock: Option<File>,
}

impl StateFile {
    /// Claims a path: a second run that claims it is refused. The lock is a file of its own,
    /// `FILE.lock`, because saving replaces `FILE`; it stays, empty, and locks nothing once
    /// its run has ended, however that was.
    ///
    /// # Errors
    /// [`Error::File`] if another run has it, or its folder cannot be written.
    pub fn claim(path: &Path) -> Result<Self> {
        let beside = sibling(path, ".lock");
        let lock = (File::options().create(true).append(true).open(&beside))
            .map_err(|e| bad(path, format!("its folder cannot be written: {e}")))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => {
                let reason = "another run is using it; wait for that one, or give another file";
                return Err(bad(path, reason.into()));
            }
            Err(TryLockError::Error(_)) => None,
        };
        Ok(Self {
            path: path.into(),
            lock,
        })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whether a second run would be noticed: not on every network file system.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Replaces the file: at every moment there is a whole state on the disk, the old one or
    /// the new one.
    ///
    /// # Errors
    /// The error of the file system; the old state is still there.
    pub fn save<E: Ensemble>(&self, state: &State<E>) -> io::Result<()> {
        replace(&self.path, &state.to_bytes())
    }
}

/// Reads a state file of a command's.
///
/// # Errors
/// [`Error::File`] with what is wrong, as [`State::from_bytes`] says it.
pub fn read<E: Ensemble>(path: &Path) -> Result<State<E>> {
    read_as(path, State::from_bytes)
}

/// Reads a state file by a function that takes its contents.
pub(super) fn read_as<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> std::result::Result<T, String>,
) -> Result<T> {
    let bytes = std::fs::read(path).map_err(|e| bad(path, format!("cannot read it: {e}")))?;
    parse(&bytes).map_err(|reason| bad(path, reason))
}

fn bad(path: &Path, reason: String) -> Error {
    Error::File {
        path: path.into(),
        line: None,
        reason,
    }
}
