//! A reproduction keeps its documents in a folder.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::state::replace;
use crate::{Error, Result};

/// The folder of a report has documents in `data/` and figures in `figures/`.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder and what it needs, if they are not there.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it cannot be written.
    pub fn open(out: &Path) -> Result<Self> {
        let data = out.join("data");
        let probe = data.join(".nnqft-gpu-probe");
        (std::fs::create_dir_all(&data))
            .and_then(|()| std::fs::create_dir_all(out.join("figures")))
            .and_then(|()| std::fs::write(&probe, b""))
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| {
                let reason = format!("the folder cannot be written: {e}");
                Error::invalid("out", out.display(), reason)
            })?;
        Ok(Self(out.into()))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the path of a document.
    pub(super) fn document(&self, name: &str) -> PathBuf {
        self.0.join("data").join(format!("{name}.json"))
    }

    /// Returns the path of the view of a document.
    pub(super) fn view(&self, name: &str) -> PathBuf {
        self.0.join("data").join(format!("{name}.html"))
    }

    /// Tells whether the folder holds any document that is whole.
    pub(super) fn has_documents(&self) -> bool {
        let files = std::fs::read_dir(self.0.join("data"));
        (files.into_iter().flatten().flatten()).any(|file| {
            let text = std::fs::read(file.path()).unwrap_or_default();
            serde_json::from_slice::<serde_json::Value>(&text).is_ok()
        })
    }

    /// Reads a document, if it is whole and fits.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        fits: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let text = std::fs::read_to_string(self.document(name)).ok()?;
        serde_json::from_str(&text).ok().filter(fits)
    }

    /// Writes a document whole or not at all.
    pub(super) fn write<T: Serialize>(&self, name: &str, document: &T) -> io::Result<()> {
        let text = serde_json::to_string(document)? + "\n";
        replace(&self.document(name), text.as_bytes())
    }
}
