//! A reproduction keeps its documents in a folder, under names that tell net and measurement.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::plan::Plan;
use super::source::SourceNet;
use crate::sentence::sentence;
use crate::state::replace;
use crate::{Error, Result};

/// An origin is where the moments come from that a coupling is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Direct,
    Connected,
    Exact,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Direct, Self::Connected, Self::Exact];

    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Connected => "connected",
            Self::Exact => "exact",
        }
    }
}

/// Each of a net's documents has a name.
impl SourceNet {
    pub fn falloff_name(&self) -> String {
        format!("falloff-{}", self.name())
    }

    pub fn width_name(&self, width: u64) -> String {
        format!("falloff-{}-n{width}", self.name())
    }

    pub fn couplings_name(&self, d_in: usize, origin: Origin) -> String {
        format!("eft-{}-d{d_in}-{}", self.name(), origin.name())
    }

    pub fn flow_name(&self, d_in: usize, origin: Origin) -> String {
        format!("rg-{}-d{d_in}-{}", self.name(), origin.name())
    }

    pub fn weight_flow_name(&self, d_in: usize) -> String {
        format!("rg-{}-d{d_in}-weight", self.name())
    }

    pub fn fixed_points_name(&self) -> String {
        format!("rg-{}-fixed-points", self.name())
    }

    pub fn symmetry_name(&self) -> String {
        format!("symmetry-{}", self.name())
    }

    pub fn fit_name(&self, origin: Origin) -> String {
        format!("fit-{}-{}", self.name(), origin.name())
    }
}

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

    /// Refuses a folder whose documents are all of another scale, seed or version. A document that
    /// is torn, or strange among others that fit, is measured again.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a refused folder.
    pub fn refuse_another_plan(&self, plan: &Plan) -> Result<()> {
        let documents = std::fs::read_dir(self.0.join("data"));
        let mut documents = documents.into_iter().flatten().flatten();
        let is_document = |e: std::fs::DirEntry| {
            let text = std::fs::read(e.path()).unwrap_or_default();
            serde_json::from_slice::<serde_json::Value>(&text).is_ok()
        };
        if !documents.any(is_document) || plan.tasks.iter().any(|task| task.load(self).is_some()) {
            return Ok(());
        }
        let reason = sentence!(
            "the folder holds the measurements of another scale, seed or version; give another folder, or add `force` to write over them"
        );
        Err(Error::invalid("out", self.0.display(), reason))
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
