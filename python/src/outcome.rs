//! A result that Python holds: its values, its verdict, its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nnqft_gpu::Error;
use nnqft_gpu::report::check_folder;
use nnqft_gpu::report::outcome::Outcome;
use nnqft_gpu::run::EnsembleDocument;
use nnqft_gpu::state::Replacement;
use pyo3::prelude::*;

use crate::error::exception;
use crate::value::Value;

/// A result whose kind does not matter.
trait Kept: Send + Sync {
    fn name(&self) -> &'static str;
    fn value(&self) -> Value;
    fn verdict(&self) -> nnqft_gpu::Result<()>;
    fn write(&self, dir: &Path) -> std::io::Result<Vec<Replacement>>;
}

impl<T: Outcome + Send + Sync> Kept for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn value(&self) -> Value {
        Value::of(self)
    }

    fn verdict(&self) -> nnqft_gpu::Result<()> {
        T::verdict(std::slice::from_ref(self))
    }

    /// Writes what `--out` does: the files have their names once all are committed.
    fn write(&self, dir: &Path) -> std::io::Result<Vec<Replacement>> {
        let json = serde_json::to_string(self)? + "\n";
        let document = dir.join(format!("{}.json", T::NAME));
        let mut files = vec![Replacement::write(&document, json.as_bytes())?];
        if let Some(figure) = self.figure(1) {
            for (extension, text) in [("svg", figure.svg()), ("csv", figure.csv())] {
                let path = dir.join(format!("{}.{extension}", figure.name));
                files.push(Replacement::write(&path, text.as_bytes())?);
            }
        }
        if let Some(name) = self.arrays(1) {
            let write = |part: &Path| self.write_arrays(part);
            files.push(Replacement::write_with(&dir.join(name), write)?);
        }
        Ok(files)
    }
}

/// A result of the library.
#[pyclass(frozen, module = "nnqft._engine")]
pub struct Document {
    kept: Arc<dyn Kept>,
    ensemble: Option<Arc<EnsembleDocument>>,
}

impl Document {
    pub fn new(document: impl Outcome + Send + Sync + 'static) -> Self {
        Self {
            kept: Arc::new(document),
            ensemble: None,
        }
    }

    /// Keeps an ensemble, on which couplings can be measured.
    pub fn of_ensemble(document: EnsembleDocument) -> Self {
        let document = Arc::new(document);
        Self {
            kept: document.clone(),
            ensemble: Some(document),
        }
    }

    /// Returns the ensemble, if it is one.
    pub fn ensemble(&self) -> Option<&Arc<EnsembleDocument>> {
        self.ensemble.as_ref()
    }
}

#[pymethods]
impl Document {
    /// The document, as its JSON has it.
    fn value(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        py.detach(|| self.kept.value()).into_python(py)
    }

    /// The arrays that the NPZ has and the JSON has not, by their names there.
    fn arrays(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut entries = Vec::new();
        if let Some(document) = &self.ensemble {
            entries.push(("kernel".into(), Value::rows(&document.kernel)));
            for c in &document.correlators {
                let name = |what: &str| format!("G{}_{what}", c.order);
                entries.push((name("delta"), Value::of(&c.delta)));
                entries.push((name("experiments"), Value::rows(&c.experiments)));
                let deltas = Value::rows(&c.delta_experiments);
                entries.push((name("delta_experiments"), deltas));
            }
        }
        Value::Map(entries).into_python(py)
    }

    /// Why what is concluded does not hold, or cannot be relied on; None if it holds.
    fn verdict(&self) -> Option<String> {
        self.kept.verdict().err().map(|e: Error| e.to_string())
    }

    /// Writes the files of `--out` to a folder, and lists them.
    fn save(&self, py: Python<'_>, dir: PathBuf, force: bool) -> PyResult<Vec<PathBuf>> {
        py.detach(|| {
            if !force {
                let is_ensemble = self.ensemble.is_some();
                check_folder(&dir, !is_ensemble).map_err(|e| exception(&e))?;
            }
            std::fs::create_dir_all(&dir)?;
            let mut paths = Vec::new();
            for file in self.kept.write(&dir)? {
                paths.push(file.path().to_path_buf());
                file.commit()?;
            }
            Ok(paths)
        })
    }

    fn __repr__(&self) -> String {
        format!("<nnqft document {}>", self.kept.name())
    }
}
