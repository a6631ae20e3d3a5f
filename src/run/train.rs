//! Networks are trained: a run that can be stopped, saved and resumed, and its result.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::keeper::{Checkpoint, Keeper};
use super::trained::may_diverge;
use super::{Runner, TrainDocument};
use crate::analysis::trained::check_trained_range;
use crate::engine::cpu::CpuEngine;
use crate::engine::{DeviceKind, TrainQueue};
use crate::model::{Estimator, TrainSpec};
use crate::plan::TrainPlan;
use crate::state::{State, StateFile, TrainState};
use crate::{Error, Result};

/// Trains the networks of a sweep over widths, one spec each, and compares them with those of infinite width. Networks
/// that diverge are left out of the averages if `allow_diverged`.
///
/// # Errors
/// [`Error::Invalid`] for a spec that cannot be trained, without a width, and, unless it is allowed, where networks
/// diverge; [`Error::NotFinite`] where none is left; [`Error::Interrupted`].
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
/// use nnqft_gpu::run::{Runner, train};
///
/// let ensemble = EnsembleSpec {
///     nets: 1000,
///     experiments: 1,
///     ..EnsembleSpec::preset("tanh", 1)?.with_inputs(Inputs::parse("0.5")?).with_width(10)
/// };
/// let spec = TrainSpec::new(ensemble, TrainingData::parse("-1=0.5;1=0")?, vec![0, 20]);
/// let document = train(&mut Runner::new(Box::new(CpuEngine::new())), &[spec], false)?;
/// let [before, after] = &document.widths[0].steps[..] else { unreachable!("two steps") };
/// assert!(after.loss < before.loss && document.checks.iter().all(|check| check.pass));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn train(
    runner: &mut Runner,
    sweep: &[TrainSpec],
    allow_diverged: bool,
) -> Result<TrainDocument> {
    let Some(first) = sweep.first() else {
        return Err(Error::invalid("width", "''", "give at least one width"));
    };
    if let Some(mut runner) = runner.for_training(first) {
        return train(&mut runner, sweep, allow_diverged);
    }
    let specs = (sweep.iter())
        .map(|spec| spec.clone().validate())
        .collect::<Result<_>>()?;
    let mut run = TrainRun::begin(State::new(specs, None, runner.device()), None, runner)?;
    run.train(runner, allow_diverged)?;
    run.document(allow_diverged)
}

impl Runner {
    /// Returns the runner that trains the networks of a spec, where it is another one: readouts are averaged given their
    /// hidden layers on the CPU alone.
    pub fn for_training(&self, spec: &TrainSpec) -> Option<Self> {
        let is_ours = match spec.ensemble.estimator {
            Estimator::Direct => true,
            Estimator::Connected => self.device().backend == DeviceKind::Cpu,
        };
        if is_ours {
            return None;
        }
        self.note("readouts are averaged given their hidden layers in f64, on the CPU");
        Some(self.beside(Box::new(CpuEngine::new())))
    }
}

/// `TrainRun` is a training of networks of several widths that can be stopped, saved and resumed.
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
/// use nnqft_gpu::run::{Runner, TrainDocument, TrainRun};
/// use nnqft_gpu::state::{State, TrainState, merge};
///
/// let ensemble = EnsembleSpec {
///     nets: 600,
///     experiments: 1,
///     ..EnsembleSpec::preset("tanh", 1)?.with_inputs(Inputs::parse("0.5")?).with_width(4)
/// };
/// let spec = TrainSpec::new(ensemble, TrainingData::parse("-1=0.5")?, vec![5]).validate()?;
/// let mut runner = Runner::new(Box::new(CpuEngine::new()));
/// let mut shards: Vec<(String, State<TrainState>)> = Vec::new();
/// for name in ["0/2", "1/2"] {
///     let state = State::new(vec![spec.clone()], Some(name.parse()?), runner.device());
///     let mut run = TrainRun::begin(state, None, &mut runner)?;
///     run.train(&mut runner, false)?;
///     assert!(run.document(false)?.checks.is_empty());
///     // What a file would hold.
///     shards.push((name.into(), State::from_bytes(&run.state().to_bytes())?));
/// }
/// let document = TrainDocument::new(&merge(shards)?, false)?;
/// assert_eq!(document.checks.len(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrainRun {
    state: State<TrainState>,
    keeper: Keeper,
    /// Plans of the widths.
    plans: Vec<TrainPlan>,
}

impl TrainRun {
    /// Begins a run, or goes on with one, and saves its state for the first time. Its runner is that
    /// [for training](Runner::for_training).
    ///
    /// # Errors
    /// Those of [`TrainPlan::new`]; [`Error::Mismatch`] if another backend has begun it; [`Error::Invalid`] without a
    /// width, or if the file cannot be written.
    pub fn begin(
        mut state: State<TrainState>,
        checkpoint: Option<Checkpoint>,
        runner: &mut Runner,
    ) -> Result<Self> {
        let plans = TrainDocument::plans(&state)?;
        check_trained_range(plans[0].spec())?;
        for plan in &plans {
            let cohorts = plan.cohorts()?;
            let mut cohorts = cohorts.iter().map(|(_, plan)| plan);
            cohorts.try_for_each(|plan| runner.parts().0.check_training(plan))?;
        }
        Ok(Self {
            keeper: Keeper::begin(&mut state, checkpoint, runner)?,
            state,
            plans,
        })
    }

    /// Returns the state: how far the run has come.
    pub fn state(&self) -> &State<TrainState> {
        &self.state
    }

    /// Returns where the state is kept, if the file holds all of it.
    pub fn saved(&self) -> Option<&StateFile> {
        self.keeper.saved()
    }

    /// Says how many networks are where.
    pub fn standing(&self) -> String {
        self.keeper.standing(&self.state)
    }

    /// Trains what is left of the networks, those of checks, too, and saves the state.
    ///
    /// # Errors
    /// [`Error::Invalid`] where networks diverge, unless it is allowed; those of
    /// [`Engine::train`](crate::engine::Engine::train). What was made before is in the state, and in the file if there is
    /// one. [`Error::Interrupted`], or [`Error::Incomplete`] if the run could not be saved then.
    pub fn train(&mut self, runner: &mut Runner, allow_diverged: bool) -> Result<()> {
        let (done, all) = self.state.networks();
        runner.parts().1.begin(all, done);
        let trained = (0..self.plans.len()).try_for_each(|k| {
            let cohorts = self.plans[k].cohorts()?;
            for (c, (_, plan)) in cohorts.iter().enumerate() {
                self.train_cohort((k, c), plan, runner)?;
                if c == 0 {
                    // Before others are trained for nothing.
                    let training = self.state.ensembles[k].trained[c].training();
                    if let Err(error) = may_diverge(plan, training, allow_diverged) {
                        self.keeper.save(&self.state, runner);
                        return Err(error);
                    }
                }
            }
            Ok(())
        });
        runner.parts().1.end();
        if trained.is_ok() {
            self.keeper.save(&self.state, runner);
        }
        trained
    }

    /// Trains what is left of cohort `c` of ensemble `k`.
    fn train_cohort(
        &mut self,
        (k, c): (usize, usize),
        plan: &TrainPlan,
        runner: &mut Runner,
    ) -> Result<()> {
        let (state, blocks) = (&self.state, self.state.blocks(k, c));
        let trained = &state.ensembles[k].trained[c];
        if trained.missing(blocks.clone()).is_empty() {
            return Ok(());
        }
        let (engine, progress, stop) = runner.parts();
        let spec = &plan.spec().ensemble;
        let tell = |networks| progress.drawn(spec, networks);
        let stopped = || stop.load(Ordering::Relaxed);
        let queue = TrainQueue::resume(spec, blocks.clone(), trained.clone(), &tell, stop);
        let start = Instant::now();
        let now = || {
            let mut now = state.clone();
            now.ensembles[k].trained[c] = queue.trained();
            now.ensembles[k].seconds += start.elapsed().as_secs_f64();
            now
        };
        let train = || engine.train(plan, &queue, &stopped);
        let done = (self.keeper).during((progress, stop), &now, &|| {}, train);
        self.state = now();
        let missing = self.state.ensembles[k].trained[c].missing(blocks);
        if done.is_ok() && missing.is_empty() {
            self.keeper.save_if_due(&self.state, runner);
            return Ok(());
        }
        self.keeper.save(&self.state, runner);
        done?;
        Err(self.keeper.interrupted(&self.state))
    }

    /// Makes the result, as far as the run has come.
    ///
    /// # Errors
    /// Those of [`TrainDocument::new`].
    pub fn document(&self, allow_diverged: bool) -> Result<TrainDocument> {
        TrainDocument::of_plans(&self.plans, &self.state, allow_diverged)
    }

    /// Ends the run, and saves it once more if that has failed before; returns the file that holds
    /// it, if there is one.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if the file does not hold the end of the run.
    pub fn end(self, runner: &mut Runner) -> Result<Option<StateFile>> {
        self.keeper.end(&self.state, runner)
    }
}
