//! This module draws ensembles and makes their n-point functions.

use std::time::Instant;

use super::keeper::{Checkpoint, Keeper};
use super::{EnsembleDocument, Runner};
use crate::Result;
use crate::engine::{BlockPlan, Queue};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::state::{State, StateFile};
use crate::theory::Values;

/// Draws ensembles of one net at the same inputs, say of several widths, and holds their n-point
/// functions against theory.
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::run::{Runner, ensemble};
///
/// let spec = EnsembleSpec { nets: 100, ..EnsembleSpec::preset("relu", 1)? };
/// let mut runner = Runner::new(Box::new(CpuEngine::new()));
/// let documents = ensemble(&mut runner, vec![spec.validate()?])?;
/// assert_eq!(documents[0].correlators[1].order, 4);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
///
/// # Errors
/// Those of [`Runner::draw`] and of [`crate::analysis::correlators`].
pub fn ensemble(runner: &mut Runner, specs: Vec<EnsembleSpec>) -> Result<Vec<EnsembleDocument>> {
    let widths = specs.len();
    let mut run = EnsembleRun::begin(State::new(specs, None, runner.device()), None, runner)?;
    (0..widths)
        .map(|k| {
            run.draw(k, runner)?;
            run.document(k)
        })
        .collect()
}

/// `EnsembleRun` is a run over ensembles that can be stopped, saved and resumed.
pub struct EnsembleRun {
    state: State,
    keeper: Keeper,
    /// Number and plan of the ensemble that was asked for last.
    plan: Option<(usize, Plan)>,
    /// What theory knows of the run's net and inputs, at any width.
    values: Option<Values>,
}

impl EnsembleRun {
    /// Begins a run, or goes on with one, and saves its state for the first time.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if another backend has begun it;
    /// [`Error::Invalid`](crate::Error::Invalid) if the file cannot be written.
    pub fn begin(
        mut state: State,
        checkpoint: Option<Checkpoint>,
        runner: &mut Runner,
    ) -> Result<Self> {
        Ok(Self {
            keeper: Keeper::begin(&mut state, checkpoint, runner)?,
            state,
            plan: None,
            values: None,
        })
    }

    /// Returns the state: how far the run has come.
    pub fn state(&self) -> &State {
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

    /// Makes the plan of ensemble `k`, which shares what it can with the one before.
    fn plan(&mut self, k: usize) -> Result<Plan> {
        let spec = &self.state.ensembles[k].spec;
        let plan = match self.plan.take() {
            Some((same, plan)) if same == k => plan,
            Some((_, other)) => other.beside(spec.clone())?,
            None => Plan::new(spec.clone())?,
        };
        self.plan = Some((k, plan.clone()));
        Ok(plan)
    }

    /// Draws what is left of ensemble `k`, and saves the state.
    ///
    /// # Errors
    /// Those of [`Runner::draw`]; what was drawn before is in the state, and in the file if there
    /// is one. [`Error::Incomplete`](crate::Error::Incomplete) if the run was interrupted and could
    /// not be saved.
    pub fn draw(&mut self, k: usize, runner: &mut Runner) -> Result<()> {
        let plan = self.plan(k)?;
        self.state.ensembles[k].compile_seconds = match self.state.missing(k)[..] {
            [] => 0.0,
            _ => runner.prepare(&plan)?,
        };
        let (engine, progress, stop) = runner.parts();
        let (state, blocks) = (&self.state, self.state.blocks(k));
        let ensemble = &state.ensembles[k];
        let networks = BlockPlan::new(&ensemble.spec).networks(blocks.clone());
        progress.begin(networks, ensemble.elements.networks());
        let tell = |networks| progress.drawn(&ensemble.spec, networks);
        let queue = Queue::resume(&ensemble.spec, blocks, ensemble.elements.clone())
            .with_progress(&tell)
            .until(stop);
        let start = Instant::now();
        let now = || {
            let mut now = state.clone();
            now.ensembles[k].elements = queue.elements();
            now.ensembles[k].seconds += start.elapsed().as_secs_f64();
            now
        };
        let look = || progress.look(&now);
        let accumulate = || engine.accumulate(&plan, &queue);
        let drawn = (self.keeper).during((progress, stop), &now, &look, accumulate);
        let now = now();
        progress.end();
        self.state = now;
        self.keeper.save(&self.state, runner);
        drawn?;
        match self.state.missing(k).is_empty() {
            true => Ok(()),
            false => Err(self.keeper.interrupted(&self.state)),
        }
    }

    /// Makes the result of ensemble `k`, as far as it has come.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn document(&mut self, k: usize) -> Result<EnsembleDocument> {
        let plan = self.plan(k)?;
        // Widths share what is known, depths do not.
        let known = self.values.take();
        let values = known.and_then(|values| values.at_widths_of(&plan.spec().net));
        let values = self.values.insert(values.unwrap_or_else(|| plan.values()));
        EnsembleDocument::beside(values, &plan, &self.state, k)
    }

    /// Ends the run, and saves it once more if that has failed before; returns the file that holds
    /// it, if there is one.
    ///
    /// # Errors
    /// [`Error::Incomplete`](crate::Error::Incomplete) if the file does not hold the end of the run.
    pub fn end(self, runner: &mut Runner) -> Result<Option<StateFile>> {
        self.keeper.end(&self.state, runner)
    }
}
