use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

/// `PARTS` holds the files of this process that wait for their names; `None` once no more are
/// written.
static PARTS: Mutex<Option<BTreeSet<PathBuf>>> = Mutex::new(Some(BTreeSet::new()));

fn parts() -> MutexGuard<'static, Option<BTreeSet<PathBuf>>> {
    PARTS.lock().unwrap_or_else(|e| e.into_inner())
}

/// `Replacement` is the next contents of a file, written beside it as `FILE.part`: at every moment
/// there is a whole file on the disk, the old one or the new one. A replacement dropped without
/// [`commit`](Self::commit) leaves nothing behind.
///
/// ```
/// use nnqft_gpu::state::Replacement;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("result.json");
/// let next = Replacement::write(&path, b"{}")?;
/// assert!(!path.exists());
/// next.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    part: PathBuf,
    is_committed: bool,
}

impl Replacement {
    /// Writes the contents and waits until the disk has them.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        Self::write_with(path, |part| std::fs::write(part, bytes))
    }

    /// Writes the contents by a function that takes the name of the file to write.
    ///
    /// # Errors
    /// Those of the function.
    pub fn write_with(
        path: &Path,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let next = Self {
            path: path.into(),
            part: sibling(path, ".part"),
            is_committed: false,
        };
        next.remember()?;
        write(&next.part)?;
        File::options().append(true).open(&next.part)?.sync_all()?;
        Ok(next)
    }

    /// Opens the file of the contents, empty, for those who write it bit by bit. They wait for the
    /// disk themselves.
    ///
    /// # Errors
    /// The error of the file system; of the kind [`io::ErrorKind::WouldBlock`] if another process has
    /// opened it so, as far as the file system has locks.
    pub fn open(path: &Path) -> io::Result<(Self, File)> {
        let part = sibling(path, ".part");
        let mut options = File::options();
        // The file of another process is not to be emptied.
        let file = (options.create(true).write(true).truncate(false)).open(&part)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // Before it was locked, another process may have put it in its place or removed it.
        if !part.exists() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let next = Self {
            path: path.into(),
            part,
            is_committed: false,
        };
        next.remember()?;
        file.set_len(0)?;
        Ok((next, file))
    }

    /// Returns the path of the file that is to be replaced.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the new contents the file's name, in one step.
    ///
    /// # Errors
    /// The error of the file system; the old file is still there.
    pub fn commit(mut self) -> io::Result<()> {
        std::fs::rename(&self.part, &self.path)?;
        self.is_committed = true;
        self.forget();
        sync_folder(&self.path)
    }

    /// Removes what every replacement of this process has written that is not committed, and lets no
    /// other one write: for a program that ends without running destructors.
    pub fn discard_all() {
        for part in parts().take().into_iter().flatten() {
            let _ = std::fs::remove_file(part);
        }
    }

    fn remember(&self) -> io::Result<()> {
        match &mut *parts() {
            Some(parts) => _ = parts.insert(self.part.clone()),
            None => return Err(io::Error::other("the program is about to end")),
        }
        Ok(())
    }

    fn forget(&self) {
        if let Some(parts) = &mut *parts() {
            parts.remove(&self.part);
        }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_committed {
            // On a full disk it is in the way; if it cannot be removed it does no harm.
            let _ = std::fs::remove_file(&self.part);
            self.forget();
        }
    }
}

/// Replaces a file in one step.
///
/// # Errors
/// The error of the file system; the old file is still there.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Replacement::write(path, bytes)?.commit()
}

pub(super) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Waits until the rename itself has reached the disk, too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new(".")))?.sync_all() {
        // Some network file systems cannot.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Does nothing: folders cannot be opened on such systems.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old").unwrap();
        drop(Replacement::write(&path, b"new").unwrap());
        let failed = Replacement::write_with(&path, |part| {
            std::fs::write(part, b"half")?;
            Err(io::Error::other("no space"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
