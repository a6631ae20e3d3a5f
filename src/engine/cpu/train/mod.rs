//! This module trains networks, 16 side by side, and averages what becomes of them.

mod all;
mod connected;
mod inspect;
mod parameters;
mod readout;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::Instant;

use super::networks::{TILE, Tile};
use super::{PIECE_TIME, Setup, next_size};
use crate::engine::{Block, BlockPlan, Work};
use crate::model::{Estimator, Learning, TrainSpec};
use crate::plan::TrainPlan;
use crate::tensor::{MomentSums, ROW, Row, Training};
use all::All;
use connected::Connected;
pub use inspect::descend;
use parameters::Parameters;
use readout::Readout;

/// Trains blocks of networks until there are no more, on all cores.
pub fn train(plan: &TrainPlan, work: &dyn Work<Training>, cancelled: &(dyn Fn() -> bool + Sync)) {
    let spec = plan.spec();
    let all_blocks = BlockPlan::new(&spec.ensemble);
    rayon::broadcast(|worker| {
        if worker.index() >= spec.workers(worker.num_threads()) {
            return;
        }
        let mut blocks: Box<dyn Averages> = match spec.ensemble.estimator {
            Estimator::Direct => Box::new(Blocks::new(plan)),
            Estimator::Connected => Box::new(Connected::new(plan)),
        };
        let mut size = 1;
        loop {
            // Small pieces at the end: no core idles while another has much to do.
            let share = work.left() / (2 * worker.num_threads() as u64);
            let Some(range) = work.take(share.clamp(1, size)) else {
                return;
            };
            let start = Instant::now();
            let mut training = Training::new(plan.stops().len());
            for number in range.clone() {
                let group = plan.group(number, all_blocks.blocks());
                let block = all_blocks.block(number);
                if !blocks.add(&block, group, &mut training, cancelled) {
                    return work.give_back(range);
                }
            }
            size = next_size(size, range.end - range.start, start.elapsed(), PIECE_TIME);
            work.finish(range, training);
        }
    });
}

/// `Averages` trains blocks of networks and averages over them.
trait Averages {
    /// Trains the networks of a block, and adds their moments; returns false if it was cancelled.
    fn add(
        &mut self,
        block: &Block,
        place: (u32, u64),
        training: &mut Training,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> bool;
}

/// `Problem` is what all networks learn, with every constant folded.
#[derive(Debug)]
pub(super) struct Problem {
    pub setup: Setup,
    /// Var z at every point.
    pub variances: Vec<f64>,
    /// Targets, `[data][output]`.
    pub targets: Vec<Vec<f64>>,
    pub rate: f64,
    pub bound: f64,
}

impl Problem {
    pub fn new(plan: &TrainPlan) -> Self {
        let setup = Setup::new(plan.drawn());
        let square = |form: &Vec<f64>| form.iter().map(|x| x * x).sum();
        Self {
            variances: setup.linear.iter().map(square).collect(),
            setup,
            targets: plan.spec().data.targets().to_vec(),
            rate: plan.rate(),
            bound: plan.bound(),
        }
    }

    pub fn data(&self) -> usize {
        self.targets.len()
    }

    pub fn points(&self) -> usize {
        self.setup.linear.len()
    }

    pub fn outputs(&self) -> usize {
        self.setup.layout.outputs as usize
    }
}

/// `State` is what 16 networks yield.
#[derive(Debug)]
pub(super) struct State {
    /// f, `[point][output]`: at the data after every step, at the other points once they were asked for.
    pub outputs: Vec<Tile>,
    /// f - y at the data, `[data][output]`; zero where a network has diverged.
    pub errors: Vec<Tile>,
    pub has_diverged: [bool; TILE],
}

impl State {
    fn new(problem: &Problem) -> Self {
        Self {
            outputs: vec![[0.0; TILE]; problem.points() * problem.outputs()],
            errors: vec![[0.0; TILE]; problem.data() * problem.outputs()],
            has_diverged: [false; TILE],
        }
    }

    /// Compares the outputs at the data with the targets, and finds out who diverges.
    fn compare(&mut self, problem: &Problem) {
        let mut loss = [0.0; TILE];
        let targets = problem.targets.iter().flatten();
        for ((error, f), y) in self.errors.iter_mut().zip(&self.outputs).zip(targets) {
            for l in 0..TILE {
                error[l] = f[l] - y;
                loss[l] += error[l] * error[l];
            }
        }
        for (l, loss) in loss.into_iter().enumerate() {
            // NaN is no number below the bound.
            if loss.is_nan() || loss > problem.bound {
                self.has_diverged[l] = true;
            }
            if self.has_diverged[l] {
                self.errors.iter_mut().for_each(|error| error[l] = 0.0);
            }
        }
    }
}

/// A descent moves the parameters of 16 networks. Its functions depend on nothing but the networks' own parameters
/// and the problem.
trait Descent {
    /// Takes networks as they were drawn.
    fn begin(&mut self, problem: &Problem, parameters: &Parameters);
    /// Computes the outputs at the data.
    fn forward(&mut self, problem: &Problem, outputs: &mut [Tile]);
    /// Computes the outputs at the other points.
    fn look(&mut self, problem: &Problem, outputs: &mut [Tile]);
    /// Takes one step against the gradient of the loss, and computes the outputs at the data.
    fn step(&mut self, problem: &Problem, errors: &[Tile], outputs: &mut [Tile]);
}

/// `Trainer` draws networks and trains them.
pub(super) struct Trainer {
    problem: Problem,
    parameters: Parameters,
    descent: Box<dyn Descent>,
    state: State,
}

impl Trainer {
    pub fn new(plan: &TrainPlan) -> Self {
        let problem = Problem::new(plan);
        let TrainSpec { train, .. } = plan.spec();
        let descent: Box<dyn Descent> = match (train, plan.dual()) {
            (Learning::All, Some(dual)) => Box::new(All::new(&problem, dual)),
            (Learning::All, None) => unreachable!("plans of all parameters have a derivative"),
            (Learning::Readout, _) => {
                let tape = plan.untrained().net.activation().tape();
                Box::new(Readout::new(&problem, tape))
            }
        };
        Self {
            parameters: Parameters::new(&problem.setup),
            state: State::new(&problem),
            problem,
            descent,
        }
    }

    /// Trains the networks of a tile, and shows them to `look` with the number of the stop, at every one of `stops`.
    /// Returns false if it was cancelled.
    pub fn train(
        &mut self,
        (experiment, tile): (u32, u64),
        stops: &[u64],
        mut look: impl FnMut(usize, &State),
        cancelled: &dyn Fn() -> bool,
    ) -> bool {
        let Self {
            problem,
            parameters,
            descent,
            state,
        } = self;
        parameters.draw(&problem.setup, experiment, tile);
        state.has_diverged = [false; TILE];
        descent.begin(problem, parameters);
        descent.forward(problem, &mut state.outputs);
        let mut step = 0;
        for (k, &stop) in stops.iter().enumerate() {
            loop {
                state.compare(problem);
                if step == stop {
                    break;
                }
                if cancelled() {
                    return false;
                }
                descent.step(problem, &state.errors, &mut state.outputs);
                step += 1;
            }
            descent.look(problem, &mut state.outputs);
            for l in 0..TILE {
                state.has_diverged[l] |= !state.outputs.iter().all(|f| f[l].is_finite());
            }
            look(k, state);
        }
        true
    }
}

/// `Blocks` trains blocks of networks and averages the products of their fields; it keeps its buffers from block to
/// block.
struct Blocks<'a> {
    plan: &'a TrainPlan,
    trainer: Trainer,
    sums: BlockSums<'a>,
}

/// `BlockSums` adds up what the networks of a block yield, at every stop; engines that train have it in common.
pub(in crate::engine) struct BlockSums<'a> {
    plan: &'a TrainPlan,
    stops: Vec<Sums<'a>>,
}

/// `Sums` holds what a block has added up at one stop.
struct Sums<'a> {
    sums: MomentSums<'a>,
    centre: Vec<f64>,
    batch: Vec<Row>,
    /// Networks that have not diverged, and those that have.
    networks: u64,
    diverged: u64,
    /// Places of the batch that are taken.
    filled: usize,
}

impl<'a> Blocks<'a> {
    fn new(plan: &'a TrainPlan) -> Self {
        Self {
            trainer: Trainer::new(plan),
            sums: BlockSums::new(plan),
            plan,
        }
    }
}

impl Averages for Blocks<'_> {
    fn add(
        &mut self,
        block: &Block,
        place: (u32, u64),
        training: &mut Training,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> bool {
        let Self {
            plan,
            trainer,
            sums,
        } = self;
        for tile in tiles(block) {
            let look = |stop: usize, state: &State| {
                sums.add(stop, block, tile, &state.outputs, &state.has_diverged);
            };
            if !trainer.train((block.experiment, tile), plan.stops(), look, cancelled) {
                sums.clear();
                return false;
            }
        }
        sums.finish(place, training);
        true
    }
}

/// Numbers the tiles of 16 networks that a block has networks of.
pub(in crate::engine) fn tiles(block: &Block) -> Range<u64> {
    let size = TILE as u64;
    block.first / size..(block.first + block.networks).div_ceil(size)
}

impl<'a> BlockSums<'a> {
    pub fn new(plan: &'a TrainPlan) -> Self {
        let sums = |stop: usize| Sums {
            sums: MomentSums::new(plan.moments()),
            centre: plan.centre(stop),
            batch: vec![[0.0; ROW]; plan.fields().len()],
            networks: 0,
            diverged: 0,
            filled: 0,
        };
        Self {
            stops: (0..plan.stops().len()).map(sums).collect(),
            plan,
        }
    }

    /// Adds the networks of a tile that belong to the block and have not diverged, given their outputs
    /// `[point][output]`.
    pub fn add(
        &mut self,
        stop: usize,
        block: &Block,
        tile: u64,
        outputs: &[Tile],
        has_diverged: &[bool; TILE],
    ) {
        let networks = block.first..block.first + block.networks;
        let is_ours = std::array::from_fn(|l| networks.contains(&(tile * TILE as u64 + l as u64)));
        let count = self.plan.untrained().net.d_out();
        self.stops[stop].add(self.plan.fields(), count, is_ours, (outputs, has_diverged));
    }

    /// Hands in what a block has added up, of which the group and its number there are given; nothing is left.
    pub fn finish(&mut self, (group, index): (u32, u64), training: &mut Training) {
        for (sums, stop) in self.stops.iter_mut().zip(&mut training.stops) {
            stop.diverged += sums.diverged;
            if let Some((networks, means)) = sums.take() {
                stop.elements.add_block(group, index, networks, means);
            }
        }
    }

    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.stops.iter_mut().for_each(Sums::clear);
    }
}

impl Sums<'_> {
    /// Adds the networks of a tile that belong to the block and have not diverged.
    fn add(
        &mut self,
        fields: &[(usize, usize)],
        outputs: usize,
        is_ours: [bool; TILE],
        (values, has_diverged): (&[Tile], &[bool; TILE]),
    ) {
        let mut is_kept = is_ours;
        for l in 0..TILE {
            is_kept[l] &= !has_diverged[l];
            self.networks += u64::from(is_kept[l]);
            self.diverged += u64::from(is_ours[l] && has_diverged[l]);
        }
        let range = self.filled..self.filled + TILE;
        for ((row, &(a, p)), centre) in self.batch.iter_mut().zip(fields).zip(&self.centre) {
            let f = &values[p * outputs + a];
            for (l, x) in row[range.clone()].iter_mut().enumerate() {
                *x = if is_kept[l] { f[l] - centre } else { 0.0 };
            }
        }
        self.filled += TILE;
        if self.filled == ROW {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let filled = std::mem::take(&mut self.filled);
        self.batch
            .iter_mut()
            .for_each(|row| row[filled..].fill(0.0));
        self.sums.add(&self.batch);
    }

    /// Takes the number of networks and the mean of every moment over them, if there are any; nothing is left.
    fn take(&mut self) -> Option<(u64, Vec<f64>)> {
        if self.filled > 0 {
            self.flush();
        }
        let networks = self.networks;
        let mut means = self.sums.take();
        self.clear();
        means.iter_mut().for_each(|mean| *mean /= networks as f64);
        (networks > 0).then_some((networks, means))
    }

    /// Forgets what was added.
    fn clear(&mut self) {
        self.sums.take();
        (self.filled, self.networks, self.diverged) = (0, 0, 0);
    }
}
