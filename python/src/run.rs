//! A run draws or calculates on a thread of its own, while Python looks at it, waits, or stops it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nnqft_gpu::engine::DeviceInfo;
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::run::{EngineChoice, EnsembleDocument, Progress, Runner};
use nnqft_gpu::state::State;
use nnqft_gpu::{Error, Result, Sentence};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{exception, spelled};
use crate::outcome::Document;
use crate::value::Value;

/// What a run has made.
pub enum Finished {
    Documents(Vec<Document>),
    Value(Value),
}

impl Finished {
    fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Documents(documents) => documents.into_py_any(py),
            Self::Value(value) => value.into_python(py),
        }
    }
}

impl From<Document> for Finished {
    fn from(document: Document) -> Self {
        Self::Documents(vec![document])
    }
}

/// Why a run has made nothing, or only a part.
pub struct Failure {
    pub error: Error,
    pub partial: Option<Box<Finished>>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let partial = None;
        Self { error, partial }
    }
}

/// A run says so far as it has come, and hears what it is to do.
pub struct Session {
    stop: Arc<AtomicBool>,
    of: AtomicU64,
    networks: AtomicU64,
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    notes: Vec<String>,
    look: Look,
    done: Option<std::thread::Result<Result<Finished, Failure>>>,
}

/// Whether somebody asks for the state of the run.
enum Look {
    Idle,
    Wanted,
    There(Box<State>),
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Opens an engine for a run that `device` has begun, or that begins now.
    pub fn runner(
        self: &Arc<Self>,
        choice: &EngineChoice,
        device: Option<&DeviceInfo>,
    ) -> Result<Runner> {
        let progress: Arc<dyn Progress> = self.clone();
        let engine = choice.open_like(device, &progress)?;
        Ok(self.watch(Runner::new(engine)))
    }

    /// Has a runner tell this session, and stop when it is told to.
    pub fn watch<E: nnqft_gpu::engine::Engine + ?Sized>(
        self: &Arc<Self>,
        runner: Runner<E>,
    ) -> Runner<E> {
        runner.with_progress(self.clone()).until(self.stop.clone())
    }
}

impl Progress for Session {
    fn begin(&self, networks: u64, done: u64) {
        self.of.store(networks, Ordering::Relaxed);
        self.networks.store(done, Ordering::Relaxed);
    }

    fn drawn(&self, _: &EnsembleSpec, networks: u64) {
        self.networks.fetch_add(networks, Ordering::Relaxed);
    }

    fn note(&self, note: &Sentence) {
        self.lock().notes.push(spelled(note));
    }

    fn look(&self, now: &dyn Fn() -> State) {
        if matches!(self.lock().look, Look::Wanted) {
            let state = Box::new(now());
            self.lock().look = Look::There(state);
            self.changed.notify_all();
        }
    }
}

/// A run that goes on by itself.
#[pyclass(frozen, module = "nnqft._engine")]
pub struct Run {
    session: Arc<Session>,
}

impl Run {
    /// Starts a run.
    pub fn start(
        work: impl FnOnce(&Arc<Session>) -> Result<Finished, Failure> + Send + 'static,
    ) -> Self {
        let session = Arc::new(Session {
            stop: Arc::default(),
            of: AtomicU64::new(0),
            networks: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                notes: Vec::new(),
                look: Look::Idle,
                done: None,
            }),
            changed: Condvar::new(),
        });
        let ours = session.clone();
        std::thread::spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(|| pool(0).install(|| work(&ours))));
            ours.lock().done = Some(done);
            ours.changed.notify_all();
        });
        Self { session }
    }

    /// Waits until something is so, and tells whether it is.
    fn wait_until(&self, py: Python<'_>, seconds: f64, so: impl Fn(&Inner) -> bool + Sync) -> bool {
        let end = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 1e6));
        py.detach(|| {
            let mut inner = self.session.lock();
            loop {
                if so(&inner) {
                    return true;
                }
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                let waited = self.session.changed.wait_timeout(inner, left);
                inner = waited.unwrap_or_else(|e| e.into_inner()).0;
            }
        })
    }
}

/// Makes threads that nothing else waits for: a run keeps its own busy until it ends. 0 stands for all cores.
fn pool(threads: usize) -> ThreadPool {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("the system has threads")
}

/// Makes the result of an ensemble as far as it has come; one block of networks has no error bars.
pub fn so_far(state: &State, k: usize) -> Result<Option<Document>> {
    let blocks: u64 = (state.ensembles[k].elements.subtrees())
        .map(|(_, _, s)| s.blocks)
        .sum();
    match blocks {
        0 | 1 => Ok(None),
        _ => Ok(Some(Document::of_ensemble(EnsembleDocument::new(
            state, k,
        )?))),
    }
}

#[pymethods]
impl Run {
    /// Waits until the run has ended, for so many seconds at most; tells whether it has.
    fn wait(&self, py: Python<'_>, seconds: f64) -> bool {
        self.wait_until(py, seconds, |inner| inner.done.is_some())
    }

    /// Networks drawn, and networks to draw.
    fn progress(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.session.networks), read(&self.session.of))
    }

    /// The notes since this was last asked.
    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.session.lock().notes)
    }

    /// Stops the run soon.
    fn abort(&self) {
        self.session.stop.store(true, Ordering::Relaxed);
    }

    /// The ensemble as far as it has come, while it is drawn; None if there is too little of it, or if the run
    /// does not answer for so many seconds.
    fn look(&self, py: Python<'_>, seconds: f64) -> PyResult<Option<Document>> {
        self.session.lock().look = Look::Wanted;
        self.wait_until(py, seconds, |inner| {
            inner.done.is_some() || matches!(inner.look, Look::There(_))
        });
        let look = std::mem::replace(&mut self.session.lock().look, Look::Idle);
        let Look::There(state) = look else {
            return Ok(None);
        };
        let with_networks = (0..state.ensembles.len()).rev();
        let mut drawn = with_networks.filter(|&k| state.ensembles[k].elements.networks() > 0);
        let Some(k) = drawn.next() else {
            return Ok(None);
        };
        py.detach(|| pool(1).install(|| so_far(&state, k)))
            .map_err(|e| exception(&e))
    }

    /// What the run has made, once it has ended: the result, and None; or what there is of it, and why it was
    /// interrupted. Raises what made the run fail; can be asked once.
    fn take(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Option<String>)> {
        let done = self.session.lock().done.take();
        match done {
            None => Err(PyRuntimeError::new_err("the run has not ended")),
            Some(Ok(Ok(finished))) => Ok((finished.into_python(py)?, None)),
            Some(Ok(Err(Failure { error, partial }))) => match error {
                Error::Interrupted(_) => {
                    let partial = partial.map(|p| p.into_python(py)).transpose()?;
                    Ok((
                        partial.unwrap_or_else(|| py.None()),
                        Some(error.to_string()),
                    ))
                }
                error => Err(exception(&error)),
            },
            Some(Err(panic)) => {
                let text = (panic.downcast_ref::<String>().map(String::as_str))
                    .or(panic.downcast_ref::<&str>().copied());
                let text = format!("nnqft has a bug: {}", text.unwrap_or("a panic"));
                Err(PyRuntimeError::new_err(text))
            }
        }
    }
}
