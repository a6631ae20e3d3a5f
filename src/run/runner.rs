use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::Progress;
use super::Timing;
use crate::analysis::{Correlator, correlators_beside};
use crate::engine::{DeviceInfo, Engine, Float, Queue};
use crate::plan::Plan;
use crate::tensor::Accumulator;
use crate::theory::Values;
use crate::{Error, Result, Sentence};

/// The longest wait for what an engine is in the middle of, once a run is to stop.
const LAST_BATCH: Duration = Duration::from_millis(1200);

/// A runner draws the networks of a measurement: it has the engine, and knows whom to tell how
/// far it has come and when to stop.
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::plan::Plan;
/// use nnqft_gpu::run::Runner;
///
/// let spec = EnsembleSpec { nets: 100, ..EnsembleSpec::preset("relu", 1)? };
/// let mut runner = Runner::new(Box::new(CpuEngine::new()));
/// let (elements, timing) = runner.draw(&Plan::new(spec)?)?;
/// assert_eq!(elements.networks(), 1000); // in ten experiments
/// assert!(timing.networks_per_s.is_some());
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub struct Runner<E: Engine + ?Sized = dyn Engine> {
    progress: Arc<dyn Progress>,
    stop: Arc<AtomicBool>,
    engine: Box<E>,
}

impl Runner {
    /// Makes a runner that tells nobody and is never stopped.
    pub fn new(engine: Box<dyn Engine>) -> Self {
        Self::on(engine)
    }
}

impl<E: Engine + ?Sized> Runner<E> {
    /// Makes a runner for an engine whose kind matters; it tells nobody and is never stopped.
    pub fn on(engine: Box<E>) -> Self {
        Self {
            progress: Arc::new(()),
            stop: Arc::default(),
            engine,
        }
    }

    /// Tells `progress` from now on how far the run has come.
    pub fn with_progress(self, progress: Arc<dyn Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Makes the runner stop soon after `stop` is set, with [`Error::Interrupted`].
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// Makes a runner for another engine, which tells the same and is stopped with this one.
    pub(crate) fn beside(&self, engine: Box<dyn Engine>) -> Runner {
        Runner {
            progress: self.progress.clone(),
            stop: self.stop.clone(),
            engine,
        }
    }

    /// Returns the device that the engine runs on.
    pub fn device(&self) -> DeviceInfo {
        self.engine.device()
    }

    /// Returns the type of the outputs that the engine draws.
    pub fn float(&self) -> Float {
        self.engine.float()
    }

    /// Fails if the run is to stop.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(lost()),
            false => Ok(()),
        }
    }

    /// Passes on a sentence that a user should see.
    pub fn note(&self, note: impl Into<Sentence>) {
        self.progress.note(&note.into());
    }

    /// Does `work`, in which so many networks are drawn, and tells of its begin and end.
    pub(super) fn drawing<T>(&mut self, networks: u64, work: impl FnOnce(&mut Self) -> T) -> T {
        self.progress.begin(networks, 0);
        let done = work(self);
        self.progress.end();
        done
    }

    /// Draws all networks of a plan.
    ///
    /// # Errors
    /// Those of [`Engine::accumulate`]; [`Error::Interrupted`].
    pub fn draw(&mut self, plan: &Plan) -> Result<(Accumulator, Timing)> {
        let spec = plan.spec();
        let compile_s = self.prepare(plan)?;
        let tell = |networks| self.progress.drawn(spec, networks);
        let queue = (Queue::new(spec).with_progress(&tell)).until(&self.stop);
        let start = Instant::now();
        self.engine.accumulate(plan, &queue)?;
        let timing = Timing::new(spec, start.elapsed().as_secs_f64()).after(compile_s);
        let elements = queue.into_elements();
        match elements.networks() == spec.networks() {
            true => Ok((elements, timing)),
            false => Err(lost()),
        }
    }

    /// Draws all networks of a plan and holds their n-point functions against what theory knows of
    /// the same net and inputs, at any width.
    ///
    /// # Errors
    /// Those of [`draw`](Self::draw) and of [`correlators_beside`].
    pub fn measure(&mut self, plan: &Plan, values: &Values) -> Result<(Vec<Correlator>, Timing)> {
        let (elements, timing) = self.draw(plan)?;
        Ok((correlators_beside(values, plan, &elements)?, timing))
    }

    /// Readies the engine for a plan, or not if the run is to stop; returns the seconds that this
    /// took.
    pub(super) fn prepare(&mut self, plan: &Plan) -> Result<f64> {
        self.compile(|engine, stopped| engine.prepare(plan, stopped))
    }

    /// Readies the engine by a function that takes it, and what tells that the run is to stop; returns
    /// the seconds that this took.
    pub(super) fn compile(
        &mut self,
        prepare: impl FnOnce(&mut E, &(dyn Fn() -> bool + Sync)) -> Result<()>,
    ) -> Result<f64> {
        let start = Instant::now();
        let (progress, stop) = (&self.progress, &self.stop);
        let stopped = || {
            progress.compiling(start.elapsed());
            stop.load(Ordering::Relaxed)
        };
        let done = prepare(&mut self.engine, &stopped);
        self.progress.compiled();
        done.map(|()| start.elapsed().as_secs_f64())
    }

    /// Returns the engine.
    pub fn engine_mut(&mut self) -> &mut E {
        &mut self.engine
    }

    /// Returns the engine, whom the runner tells, and what stops it.
    pub(super) fn parts(&mut self) -> (&mut E, &dyn Progress, &AtomicBool) {
        (&mut *self.engine, &*self.progress, &self.stop)
    }
}

fn lost() -> Error {
    Error::Interrupted("this measurement is lost".into())
}

/// Does `work`, which is to return soon after `stop` is set; if `work` does not within a second or
/// so, calls `overdue`, once, which may end the process.
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// let stop = AtomicBool::new(false);
/// assert_eq!(nnqft_gpu::run::watch(&stop, || unreachable!(), || 7), 7);
/// ```
pub fn watch<T>(stop: &AtomicBool, overdue: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    let (tell, told) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut since = None;
            while told.recv_timeout(LAST_BATCH / 20) == Err(RecvTimeoutError::Timeout) {
                if stop.load(Ordering::Relaxed)
                    && since.get_or_insert_with(Instant::now).elapsed() > LAST_BATCH
                {
                    return overdue();
                }
            }
        });
        let done = work();
        drop(tell);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::model::EnsembleSpec;

    /// `Said` records what a runner has said.
    #[derive(Default)]
    struct Said {
        drawn: std::sync::atomic::AtomicU64,
    }

    impl Progress for Said {
        fn drawn(&self, _: &EnsembleSpec, networks: u64) {
            self.drawn.fetch_add(networks, Ordering::Relaxed);
        }
    }

    fn runner() -> (Runner, Arc<Said>, Arc<AtomicBool>) {
        let (said, stop) = (Arc::new(Said::default()), Arc::new(AtomicBool::new(false)));
        let runner = Runner::new(Box::new(CpuEngine::new()))
            .with_progress(said.clone())
            .until(stop.clone());
        (runner, said, stop)
    }

    fn plan(nets: u64) -> Plan {
        let spec = EnsembleSpec::preset("relu", 1).unwrap().with_width(3);
        Plan::new(EnsembleSpec { nets, ..spec }).unwrap()
    }

    #[test]
    fn tells_of_every_network_that_is_drawn() {
        let (mut runner, said, _) = runner();
        let (elements, _) = runner.draw(&plan(700)).unwrap();
        assert_eq!(elements.networks(), 7000);
        assert_eq!(said.drawn.load(Ordering::Relaxed), 7000);
    }

    #[test]
    fn a_stop_ends_a_run_that_would_take_days() {
        let (mut runner, _, stop) = runner();
        let overdue = AtomicBool::new(false);
        let setter = stop.clone();
        let setter = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            setter.store(true, Ordering::Relaxed);
        });
        let done = watch(
            &stop,
            || overdue.store(true, Ordering::Relaxed),
            || runner.draw(&plan(4_000_000_000)),
        );
        assert!(matches!(done, Err(Error::Interrupted(_))));
        setter.join().unwrap();
        assert!(!overdue.into_inner());
    }

    #[test]
    fn work_that_does_not_look_is_reported_once() {
        let overdue = std::sync::atomic::AtomicU64::new(0);
        let count = || _ = overdue.fetch_add(1, Ordering::Relaxed);
        let long = || {
            std::thread::sleep(2 * LAST_BATCH);
            7
        };
        assert_eq!(watch(&AtomicBool::new(true), count, long), 7);
        assert_eq!(overdue.into_inner(), 1);
    }
}
