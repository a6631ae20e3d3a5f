//! State on disk.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::State;
use crate::{Error, Result};

/// A state file that belongs to this run alone.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Held until dropped; `None` where the file system has no locks.
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a second run would be noticed: not on every network file system.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Replaces the file: at every moment there is a whole state on the disk, the old one or
    /// the new one.
    ///
    /// # Errors
    /// What the file system says; the old state is still there.
    pub fn save(&self, state: &State) -> io::Result<()> {
        let part = sibling(&self.path, ".part");
        let written = write(&part, &state.to_bytes())
            .and_then(|()| std::fs::rename(&part, &self.path))
            .and_then(|()| sync_folder(&self.path));
        if written.is_err() {
            // On a full disk it is in the way; if it cannot be removed it does no harm.
            let _ = std::fs::remove_file(&part);
        }
        written
    }
}

/// Reads a state file.
///
/// # Errors
/// [`Error::File`] with what is wrong: see [`State::from_bytes`].
pub fn read(path: &Path) -> Result<State> {
    let bytes = std::fs::read(path).map_err(|e| bad(path, format!("cannot read it: {e}")))?;
    State::from_bytes(&bytes).map_err(|reason| bad(path, reason))
}

fn bad(path: &Path, reason: String) -> Error {
    Error::File {
        path: path.into(),
        line: None,
        reason,
    }
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The rename itself must reach the disk, too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new(".")))?.sync_all() {
        // Some network file systems cannot.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Folders cannot be opened there.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
