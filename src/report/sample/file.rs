//! This module holds a file of draws while networks come in.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use super::header::{LENGTH, header};
use crate::engine::Float;
use crate::run::{Chunk, Sink};
use crate::sentence::sentence;
use crate::state::Replacement;
use crate::{Error, Result, Sentence};

/// `DrawsFile` is a .npy file of the outputs of networks, of shape `(networks, points, d_out)`. It is
/// written beside its place, as `FILE.part`, and takes the place when it is closed: with all
/// networks, or with those that have come. If it is dropped before, nothing is left behind.
///
/// ```
/// use nnqft_gpu::engine::{Float, cpu::CpuEngine};
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::report::DrawsFile;
/// use nnqft_gpu::run::{Runner, Sample};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("draws.npy");
/// let sample = Sample::new(EnsembleSpec { nets: 100, ..EnsembleSpec::preset("relu", 1)? }, None)?;
/// let file = DrawsFile::create(&path, sample.shape(), Float::F64, false)?;
/// sample.draw(&mut Runner::new(Box::new(CpuEngine::new())), &file)?;
/// assert_eq!(std::fs::metadata(&path)?.len(), 192 + 1000 * 6 * 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DrawsFile {
    path: PathBuf,
    file: File,
    shape: [u64; 3],
    float: Float,
    state: RwLock<State>,
}

enum State {
    Open(Replacement),
    /// The sentence on what is kept, or why nothing is.
    Closed(std::result::Result<String, String>),
}

impl DrawsFile {
    /// Creates the file, if the disk has room for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the path is no name of a .npy file, if there is something at it (unless
    /// it is a file and may be replaced by `force`), if it cannot be written, or if the disk has too
    /// little room.
    pub fn create(path: &Path, shape: [u64; 3], float: Float, force: bool) -> Result<Self> {
        Self::check(path, force)?;
        let refuse = |reason: Sentence| Error::invalid("out", path.display(), reason);
        let (next, file) = Replacement::open(path).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => refuse("another run is writing this file".into()),
            _ => refuse(format!("the file cannot be written: {e}").into()),
        })?;
        let [networks, points, outputs] = shape;
        let needed = shape
            .iter()
            .fold(float.bytes().into(), |n: u128, &m| n * u128::from(m));
        let needed = needed + LENGTH as u128;
        // Where a file system does not tell, a full disk shows when it is.
        if let Ok(room) = fs4::available_space(folder(path))
            && u128::from(room) < needed
        {
            let all = format!("{networks} networks x {points} points x {outputs} outputs");
            return Err(refuse(sentence!(
                "{} take {} bytes, and the disk has room for {}; use fewer `nets` or `experiments`, a `shard`, or another disk",
                all,
                needed.to_string(),
                room.to_string()
            )));
        }
        let new = Self {
            path: path.into(),
            file,
            shape,
            float,
            state: RwLock::new(State::Open(next)),
        };
        // What a run that is killed leaves behind holds no networks.
        let written = new.write_header(0);
        written.map_err(|e| refuse(format!("the file cannot be written: {e}").into()))?;
        Ok(new)
    }

    /// Refuses what is no place for a file of draws, before anything is opened.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(path: &Path, force: bool) -> Result<()> {
        let refuse = |reason: Sentence| Err(Error::invalid("out", path.display(), reason));
        if path.as_os_str() == "-" {
            return refuse(sentence!(
                "the header is written last, which no pipe allows; give a file name"
            ));
        }
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return refuse(sentence!("this is a folder; give the name of a file"));
            }
            Ok(found) if !found.is_file() => {
                return refuse(sentence!(
                    "the header is written last, into a file; this is none"
                ));
            }
            _ => {}
        }
        if path.extension().is_none_or(|e| e != "npy") {
            return refuse(sentence!(
                "draws are .npy files; give a name that ends in .npy"
            ));
        }
        if path.exists() && !force {
            return refuse(sentence!(
                "the file exists; give another name, or use `force` to write over it"
            ));
        }
        Ok(())
    }

    fn write_header(&self, networks: u64) -> io::Result<()> {
        let [_, points, outputs] = self.shape;
        let header = header([networks, points, outputs], self.float);
        write_at(&self.file, &header, 0)
    }

    /// Tells where a network starts.
    fn place(&self, network: u64) -> u64 {
        let [_, points, outputs] = self.shape;
        LENGTH as u64 + network * points * outputs * self.float.bytes()
    }

    /// Ends the file after so many networks.
    fn end(&self, next: Replacement, networks: u64, of: u64) -> io::Result<()> {
        self.write_header(networks)?;
        self.file.set_len(self.place(networks))?;
        // A disk may take long: who interrupts does not wait for it.
        if networks == of {
            self.file.sync_all()?;
        }
        next.commit()
    }
}

impl Sink for DrawsFile {
    fn put(&self, chunk: Chunk) -> io::Result<()> {
        if chunk.draws.float() != self.float {
            let (file, draws) = (self.float, chunk.draws.float());
            let text = format!("a file of {file} cannot hold draws of {draws}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(_) => write_at(&self.file, chunk.draws.bytes(), self.place(chunk.first)),
            State::Closed(_) => Ok(()),
        }
    }

    fn close(&self, networks: u64, of: u64) -> Result<String> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.display();
        let kept = match std::mem::replace(&mut *state, State::Closed(Ok(String::new()))) {
            State::Closed(kept) => kept,
            State::Open(_) if networks == 0 => Ok("nothing was written".into()),
            State::Open(next) => match self.end(next, networks, of) {
                Ok(()) => Ok(format!("{networks} of {of} networks are in {path}")),
                Err(e) => Err(format!("{path} cannot be written: {e}")),
            },
        };
        *state = State::Closed(kept.clone());
        kept.map_err(Error::Incomplete)
    }
}

/// Returns the folder of a file.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        (bytes, at) = (&bytes[written..], at + written as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Draws;

    fn chunk(first: u64, values: &[f64]) -> Chunk {
        Chunk {
            first,
            draws: Draws::F64(values.to_vec()),
        }
    }

    fn read(path: &Path) -> (Vec<u64>, Vec<f64>) {
        let file = npyz::NpyFile::new(File::open(path).unwrap()).unwrap();
        (file.shape().to_vec(), file.into_vec().unwrap())
    }

    #[test]
    fn chunks_find_their_places_and_a_gap_ends_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("draws.npy");
        let file = DrawsFile::create(&path, [5, 1, 2], Float::F64, false).unwrap();
        file.put(chunk(2, &[5.0, 6.0])).unwrap();
        file.put(chunk(0, &[1.0, 2.0, 3.0, 4.0])).unwrap();
        file.put(chunk(4, &[9.0, 10.0])).unwrap();
        assert!(!path.exists());
        let kept = file.close(3, 5).unwrap();
        assert!(kept.starts_with("3 of 5 networks are in "), "{kept}");
        // What comes late is lost.
        file.put(chunk(3, &[7.0, 8.0])).unwrap();
        assert_eq!(file.close(5, 5).unwrap(), kept);
        let values = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(read(&path), (vec![3, 1, 2], values));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn numbers_of_another_type_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("draws.npy");
        let file = DrawsFile::create(&path, [5, 1, 2], Float::F32, false).unwrap();
        let message = file.put(chunk(0, &[1.0, 2.0])).unwrap_err().to_string();
        assert_eq!(message, "a file of float32 cannot hold draws of float64");
    }

    #[test]
    fn without_networks_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("draws.npy");
        let create = || DrawsFile::create(&path, [5, 1, 2], Float::F64, false);
        let file = create().unwrap();
        assert_eq!(file.close(0, 5).unwrap(), "nothing was written");
        drop(file);
        let file = create().unwrap();
        file.put(chunk(0, &[1.0, 2.0])).unwrap();
        // What a killed run would leave holds no networks.
        assert_eq!(read(&path.with_extension("npy.part")).0, [0, 1, 2]);
        let second = create().err().unwrap().to_string();
        assert!(second.contains("another run is writing"), "{second}");
        drop(file);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }
}
