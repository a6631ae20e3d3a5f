//! This module draws networks: hidden values, then outputs or covariances (twin of
//! `shaders/networks.wgsl` and `shaders/remainder.wgsl`).
//!
//! 16 networks are drawn side by side, network l in lane l of every number. All loops run
//! over rows of lanes, so that compilers turn them into vector code.

use super::activation::{Activation, Erf, Exp, Identity, Relu, exp};
use super::drawing::{ROWS, Source};
use super::inner::{self, Rooms, add_pairs};
pub use super::rows::{TILE, Tile};
use super::rows::{add_outputs, add_products, evaluate};
use super::tape::Scratch;
use super::{Code, Setup};
#[cfg(any(test, feature = "test-hooks"))]
use crate::model::activation::Tape;
use crate::model::{Builtin, Estimator};
use crate::plan::{By, Drawn};
use crate::simd::{Aligned, has_fma, madd, vectorised};
use crate::stream::{GROUP, Part, Words};

/// Number of hidden units of a full group.
pub(super) const UNITS: usize = GROUP as usize;

/// `Networks` draws networks, 16 at a time, and reduces each to its fields: the outputs f_a(x_p),
/// or D(x_p, x_q) = C - K for p <= q.
#[derive(Debug)]
pub struct Networks {
    setup: Setup,
    work: Work,
}

#[derive(Debug)]
pub(super) struct Work {
    pub source: Source,
    /// Variates of W0 and b0, or of a layer above, `[component][unit][lane]`.
    pub hidden: Aligned,
    /// Variates of W1, `[output][unit][lane]`.
    output: Aligned,
    /// Values z, then h_j(x_p), of one group, `[point][unit][lane]`.
    pub values: Aligned,
    /// Products of values at two and three points, `[product][unit][lane]`, where cumulants need
    /// them.
    products: Aligned,
    /// e^(n . step) of one group on a progression, `[unit][lane]`.
    step: Aligned,
    /// What a tape needs between its operations.
    pub scratch: Scratch,
    /// Sums over units: of outputs, or of products at two points and what else the fields are made
    /// of.
    pub sums: Vec<Tile>,
    /// What layers above the first need.
    pub rooms: Rooms,
    /// Inverse weights of the importance sampling.
    ratio: Tile,
    /// The unit that is shifted and the shift, if any, of each network.
    shifted: [Option<(usize, usize)>; TILE],
    /// The lane whose hidden values are recorded, if any, and those values, `[unit][point]`.
    trace: Option<(usize, Vec<Vec<f64>>)>,
}

/// `At` is a place in the units of 16 networks.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub experiment: u32,
    /// Number of the tile of 16 networks within the experiment.
    pub tile: u64,
    /// First hidden unit of the place.
    pub unit: usize,
}

impl Networks {
    /// Gets ready to draw any networks of a plan.
    pub fn new(drawn: &Drawn) -> Self {
        Self::of(Setup::new(drawn))
    }

    /// The networks of a plan with another activation, whose code is that of its tape even if
    /// there is other code for it. Scales and centre stay those of the plan.
    #[cfg(any(test, feature = "test-hooks"))]
    pub fn with_tape(drawn: &Drawn, tape: &Tape) -> Self {
        let mut setup = Setup::new(drawn);
        setup.code = Code::of_tape(tape, &setup.linear);
        Self::of(setup)
    }

    fn of(setup: Setup) -> Self {
        let inner = (setup.inner.iter()).map(|inner| match inner.by {
            By::Covariance { .. } => inner.layout.components as usize,
            // One at a time.
            By::Weights(_) => 1,
        });
        let components = inner.fold(setup.layout.hidden_components as usize, usize::max);
        let outputs = setup.layout.outputs as usize;
        let work = Work {
            source: Source::new(&setup),
            hidden: Aligned::new(0.0, components * ROWS),
            output: Aligned::new(0.0, outputs * ROWS),
            values: Aligned::new(0.0, setup.linear.len() * ROWS),
            products: Aligned::new(
                0.0,
                (setup.cumulants.as_ref()).map_or(0, |c| c.products() * ROWS),
            ),
            step: Aligned::new(0.0, ROWS),
            scratch: Scratch::default(),
            sums: vec![[0.0; TILE]; setup.sums()],
            rooms: Rooms::new(&setup),
            ratio: [0.0; TILE],
            shifted: [None; TILE],
            trace: None,
        };
        Self { setup, work }
    }

    /// Counts the fields per network.
    pub fn fields(&self) -> usize {
        self.setup.fields()
    }

    /// Returns the typical size of each field.
    pub fn scales(&self) -> &[f64] {
        &self.setup.scales
    }

    /// Counts the fields by which networks are heavy: the first ones, without cumulants that
    /// fluctuate little about what they are in all networks.
    pub fn scored_fields(&self) -> usize {
        match self.setup.estimator {
            Estimator::Direct => self.fields(),
            Estimator::Connected => self.setup.centre.len(),
        }
    }

    /// Tells whether networks have different weights.
    pub fn is_weighted(&self) -> bool {
        self.setup.tilt.is_some()
    }

    /// Draws networks 16 `tile` to 16 `tile` + 15 of an experiment into `fields`, one tile
    /// per field; returns their weights.
    pub fn draw(&mut self, experiment: u32, tile: u64, fields: &mut [Tile]) -> Tile {
        let Self { setup, work } = self;
        work.sums.fill([0.0; TILE]);
        work.ratio = [0.0; TILE];
        let mut at = At {
            experiment,
            tile,
            unit: 0,
        };
        work.pick_shifts(setup, at);
        for _ in 0..setup.layout.full_groups {
            add_group(setup, work, at);
            at.unit += UNITS;
        }
        add_remainder(setup, work, at);
        inner::draw(setup, work, at, fields);
        if !setup.draws_inner_outputs() {
            finish(setup, work, fields);
        }
        match &setup.tilt {
            None => [1.0; TILE],
            Some(tilt) => work.ratio.map(|ratio| 1.0 / (tilt.probability + ratio)),
        }
    }

    /// Computes h_j(x_p) of one network, `[unit][point]`, layer after layer.
    pub fn hidden_values(&mut self, experiment: u32, network: u64) -> Vec<Vec<f64>> {
        let lane = (network % GROUP) as usize;
        self.work.trace = Some((lane, Vec::new()));
        let mut ignored = vec![[0.0; TILE]; self.fields()];
        self.draw(experiment, network / GROUP, &mut ignored);
        self.work.trace.take().map(|t| t.1).unwrap_or_default()
    }
}

impl Work {
    /// Records the hidden values of some units of the lane that is traced.
    #[inline(always)]
    pub fn record(&mut self, points: usize, units: usize) {
        let Some((lane, trace)) = &mut self.trace else {
            return;
        };
        let values = |p: usize| &self.values[p * ROWS..][..ROWS];
        for unit in 0..units {
            trace.push(
                (0..points)
                    .map(|p| values(p)[unit * TILE + *lane])
                    .collect(),
            );
        }
    }

    /// Picks the hidden unit to shift and its shift, if any, of each network.
    fn pick_shifts(&mut self, setup: &Setup, at: At) {
        let Some(tilt) = &setup.tilt else { return };
        let mut words = [0; ROWS];
        Words::new(
            setup.seed,
            Part::Tilt.stream(at.experiment),
            at.tile * GROUP,
        )
        .fill(&mut words);
        let choose = |word: u32, n: u64| ((u64::from(word) * n) >> 32) as usize;
        for (l, words) in words.chunks_exact(UNITS).enumerate() {
            let unit = choose(words[1], setup.width as u64);
            // The first choice is none.
            let shift = choose(words[0], tilt.shifts.len() as u64 + 1).checked_sub(1);
            self.shifted[l] = shift.map(|shift| (unit, shift));
        }
    }
}

vectorised! {
    fn add_group(setup: &Setup, work: &mut Work, at: At) {
        group::<{ has_fma!() }>(setup, work, at);
    }
}

vectorised! {
    fn add_remainder(setup: &Setup, work: &mut Work, at: At) {
        remainder::<{ has_fma!() }>(setup, work, at);
    }
}

vectorised! {
    fn finish(setup: &Setup, work: &Work, fields: &mut [Tile]) {
        make_fields(setup, work, fields)
    }
}

/// Makes fields of the sums over units.
#[inline(always)]
fn make_fields(setup: &Setup, work: &Work, fields: &mut [Tile]) {
    let p = &setup.parameters;
    match setup.estimator {
        Estimator::Direct => {
            let (points, remainder) = (p.weights.len(), setup.layout.remainder as usize);
            for (k, (f, sum)) in fields.iter_mut().zip(&work.sums).enumerate() {
                // b1 is the last row of the remainder; without bias it counts nothing.
                let b1 = &work.output[(k / points * (remainder + 1) + remainder) * TILE..][..TILE];
                for l in 0..TILE {
                    f[l] = p.readout_bias * b1[l] + p.readout * sum[l];
                }
            }
        }
        Estimator::Connected => {
            for ((d, sum), centre) in fields.iter_mut().zip(&work.sums).zip(&setup.centre) {
                for l in 0..TILE {
                    d[l] = p.readout * p.readout * (sum[l] - setup.width * centre);
                }
            }
            if let Some(cumulants) = &setup.cumulants {
                let pairs = setup.centre.len();
                let all = fields[pairs..].iter_mut().zip(&work.sums[pairs..]);
                for ((c, sum), (factor, constant)) in all.zip(cumulants.terms()) {
                    for l in 0..TILE {
                        c[l] = factor * sum[l] + constant;
                    }
                }
            }
        }
    }
}

/// Adds a full group.
#[inline(always)]
fn group<const FMA: bool>(setup: &Setup, work: &mut Work, at: At) {
    (work.source).hidden_group::<FMA>(setup, at, &mut work.hidden);
    if setup.sums_outputs() {
        (work.source).output_group::<FMA>(setup, at, &mut work.output);
    }
    add_units::<FMA>(setup, work, at, UNITS, UNITS);
}

/// Adds the units that fill no group.
#[inline(always)]
fn remainder<const FMA: bool>(setup: &Setup, work: &mut Work, at: At) {
    let units = setup.layout.remainder as usize;
    if units > 0 {
        (work.source).hidden_remainder::<FMA>(setup, at, &mut work.hidden);
    }
    if setup.sums_outputs() && (units > 0 || setup.layout.has_bias()) {
        (work.source).output_remainder::<FMA>(setup, at, &mut work.output);
    }
    if units > 0 {
        add_units::<FMA>(setup, work, at, units, units + 1);
    }
}

/// Adds `units` hidden units whose variates are drawn; an output's variates have
/// `output_rows` rows.
#[inline(always)]
fn add_units<const FMA: bool>(
    setup: &Setup,
    work: &mut Work,
    at: At,
    units: usize,
    output_rows: usize,
) {
    let rows = units * TILE;
    if let Some(tilt) = &setup.tilt {
        for (l, shifted) in work.shifted.iter().enumerate() {
            if let Some((unit, shift)) = *shifted
                && (at.unit..at.unit + units).contains(&unit)
            {
                for (c, t) in tilt.shifts[shift].iter().enumerate() {
                    work.hidden[c * rows + (unit - at.unit) * TILE + l] += t;
                }
            }
        }
    }
    match &setup.code {
        Code::Builtin(Builtin::Erf) => add_fields::<FMA, Erf>(setup, work, rows, output_rows),
        Code::Builtin(Builtin::Relu) => add_fields::<FMA, Relu>(setup, work, rows, output_rows),
        Code::Builtin(Builtin::ExpNormalised) => {
            add_fields::<FMA, Exp>(setup, work, rows, output_rows);
        }
        Code::Tape {
            evaluator,
            variances,
        } => {
            fill_values::<FMA, Identity>(setup, work, rows);
            for (z, v) in work.values.chunks_exact_mut(ROWS).zip(variances) {
                evaluator.apply(&mut z[..rows], *v, &mut work.scratch);
            }
            add_values::<FMA>(setup, work, rows, output_rows);
        }
    }
    if let Some(tilt) = &setup.tilt {
        for (t, log) in tilt.shifts.iter().zip(&tilt.logarithms) {
            let mut along = [*log; ROWS];
            let along = &mut along[..rows];
            for (c, t) in t.iter().enumerate() {
                for (a, g) in along.iter_mut().zip(&work.hidden[c * rows..]) {
                    *a = madd::<FMA>(*g, *t, *a);
                }
            }
            along.iter_mut().for_each(|a| *a = exp::<FMA>(*a));
            for along in along.as_chunks::<TILE>().0 {
                for (ratio, along) in work.ratio.iter_mut().zip(along) {
                    *ratio += along;
                }
            }
        }
    }
    if setup.takes_values(0) {
        work.rooms.keep(&work.values, at.unit, units);
    }
    work.record(setup.linear.len(), units);
}

/// Adds what rows of units contribute to the sums of the fields.
#[inline(always)]
fn add_fields<const FMA: bool, A: Activation>(
    setup: &Setup,
    work: &mut Work,
    rows: usize,
    output_rows: usize,
) {
    if let (true, true, 1, None) = (
        A::IS_CHEAP,
        setup.sums_outputs(),
        setup.layout.outputs,
        &work.trace,
    ) {
        // An activation so cheap that its value is not worth storing.
        let points = setup.linear.iter().zip(&setup.parameters.offset);
        for ((x, offset), sum) in points.zip(&mut work.sums) {
            let (variates, readout) = (&work.hidden, &work.output[..rows]);
            match x[..] {
                [x] => add_outputs::<FMA, A, 1>(sum, [x], *offset, variates, readout),
                [x, y] => add_outputs::<FMA, A, 2>(sum, [x, y], *offset, variates, readout),
                _ => {
                    let values = &mut work.values[..rows];
                    evaluate::<FMA, A>(x, *offset, variates, values);
                    add_products::<FMA>(sum, readout, values);
                }
            }
        }
        return;
    }
    fill_values::<FMA, A>(setup, work, rows);
    add_values::<FMA>(setup, work, rows, output_rows);
}

/// Hidden values at all points.
#[inline(always)]
fn fill_values<const FMA: bool, A: Activation>(setup: &Setup, work: &mut Work, rows: usize) {
    // On a progression only the first point is evaluated, the rest are multiples of it.
    let evaluated = match setup.progression {
        Some(_) => 1,
        None => setup.linear.len(),
    };
    let evaluated = setup.linear[..evaluated]
        .iter()
        .zip(&setup.parameters.offset);
    for ((x, offset), values) in evaluated.zip(work.values.chunks_exact_mut(ROWS)) {
        evaluate::<FMA, A>(x, *offset, &work.hidden, &mut values[..rows]);
    }
    if let Some(progression) = &setup.progression {
        let ratio = &mut work.step[..rows];
        evaluate::<FMA, A>(&progression.step, 0.0, &work.hidden, ratio);
        for (p, factor) in progression.factors.iter().enumerate().skip(1) {
            let (before, values) = work.values[(p - 1) * ROWS..].split_at_mut(ROWS);
            let values = values[..rows].iter_mut().zip(&before[..rows]);
            for ((h, before), ratio) in values.zip(ratio.iter()) {
                *h = before * (ratio * factor);
            }
        }
    }
}

/// Adds products of hidden values to the sums of the fields.
#[inline(always)]
fn add_values<const FMA: bool>(setup: &Setup, work: &mut Work, rows: usize, output_rows: usize) {
    let points = setup.linear.len();
    if setup.sums_outputs() {
        let outputs = work.output.chunks_exact(output_rows * TILE);
        for (sums, readout) in work.sums.chunks_exact_mut(points).zip(outputs) {
            let values = work.values.chunks_exact(ROWS);
            for (sum, values) in sums.iter_mut().zip(values) {
                add_products::<FMA>(sum, &readout[..rows], &values[..rows]);
            }
        }
        return;
    }
    if setup.takes_values(0) {
        return;
    }
    add_pairs::<FMA>(&work.values, &mut work.sums, points, rows);
    if setup.inner.is_empty() {
        add_cumulants::<FMA>(setup, work, rows);
    }
}

/// Adds products of four and six values of the last hidden layer, where cumulants need them.
#[inline(always)]
pub(super) fn add_cumulants<const FMA: bool>(setup: &Setup, work: &mut Work, rows: usize) {
    if let Some(cumulants) = &setup.cumulants {
        let (_, sums) = work.sums.split_at_mut(setup.centre.len());
        cumulants.add::<FMA>(&work.values, &mut work.products, sums, rows);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod written_out;
