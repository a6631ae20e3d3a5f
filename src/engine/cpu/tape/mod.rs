//! Activations of any kind: tapes, one operation after the other over rows of numbers.

mod operation;
mod steps;

use std::ops::Range;

use operation::Operand;
use steps::{Source, Step, Steps};

use crate::model::activation::{Dual, Tape};
use crate::simd::{Aligned, has_fma, vectorised};

/// Numbers that an operation takes at a time: many against the choice of its code, few enough
/// for several rows to stay in the nearest cache.
const LANES: usize = 256;

/// An activation ready to be evaluated on rows of pre-activations.
///
/// Within the errors of its operations it yields what [`Tape::evaluate`] does, but where the
/// exponential is below e^-708 (0) or above e^709 (infinite).
#[derive(Debug, Clone)]
pub struct Evaluator(Steps);

/// Room for what an [`Evaluator`] needs between its operations; it grows to what is needed.
#[derive(Debug)]
pub struct Scratch {
    scalars: Vec<f64>,
    /// All rows but row 0, which is where z is, and row 1 where derivatives go elsewhere.
    rows: Aligned,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            scalars: Vec::new(),
            rows: Aligned::new(0.0, 0),
        }
    }
}

impl Evaluator {
    /// An evaluator of a tape.
    pub fn new(tape: &Tape) -> Self {
        Self(Steps::new(tape))
    }

    /// Replaces every pre-activation in `z` by the activation of it, where the variance is `v`.
    pub fn apply(&self, z: &mut [f64], v: f64, scratch: &mut Scratch) {
        let Scratch { scalars, rows } = scratch;
        prepare(&self.0, v, scalars, rows);
        let (second, rest) = rows.split_at_mut(LANES);
        for z in z.chunks_mut(LANES) {
            run(&self.0.steps, scalars, [z, second], rest);
        }
    }
}

/// An activation and its derivative, ready to be evaluated together on rows of pre-activations.
#[derive(Debug, Clone)]
pub struct DualEvaluator(Steps);

impl DualEvaluator {
    /// An evaluator of an activation and its derivative.
    pub fn new(dual: &Dual) -> Self {
        Self(Steps::dual(dual))
    }

    /// Replaces every pre-activation in `z` by the activation of it, where the variance is `v`, and puts the
    /// derivative there to `slopes`.
    pub fn apply(&self, z: &mut [f64], slopes: &mut [f64], v: f64, scratch: &mut Scratch) {
        let Scratch { scalars, rows } = scratch;
        prepare(&self.0, v, scalars, rows);
        let (_, rest) = rows.split_at_mut(LANES);
        for (z, slopes) in z.chunks_mut(LANES).zip(slopes.chunks_mut(LANES)) {
            run(&self.0.steps, scalars, [z, slopes], rest);
        }
    }
}

/// Computes what is the same for all z, and makes room for rows.
fn prepare(steps: &Steps, v: f64, scalars: &mut Vec<f64>, rows: &mut Aligned) {
    scalars.clear();
    for op in &steps.scalars {
        // None of them is z.
        let value = op.apply(scalars, f64::NAN, v);
        scalars.push(value);
    }
    let needed = (steps.rows.max(2) - 1) * LANES;
    if rows.len() < needed {
        *rows = Aligned::new(0.0, needed);
    }
}

vectorised! {
    fn run(steps: &[Step], scalars: &[f64], first: [&mut [f64]; 2], rest: &mut [f64]) {
        take_steps::<{ has_fma!() }>(steps, scalars, first, rest)
    }
}

/// Takes the steps on rows, of which `first` are the first two.
#[inline(always)]
fn take_steps<const FMA: bool>(
    steps: &[Step],
    scalars: &[f64],
    [z, second]: [&mut [f64]; 2],
    rest: &mut [f64],
) {
    let second = &mut second[..z.len()];
    let mut rows = Rows { z, second, rest };
    for step in steps {
        match *step {
            Step::Fill { row, scalar } => rows.one(row).fill(scalars[scalar]),
            Step::Copy { to, from } => {
                let [to, from] = rows.two(to, from);
                to.copy_from_slice(from);
            }
            Step::Square { row } => {
                for x in rows.one(row) {
                    *x *= *x;
                }
            }
            Step::TanhAndSlope { row, slope } => {
                let [values, slopes] = rows.two(row, slope);
                operation::tanh_and_slope::<FMA>(values, slopes);
            }
            Step::Unary { op, row } => {
                operation::unary::<FMA>(op, rows.one(row));
            }
            Step::Binary {
                op,
                row,
                other,
                swapped,
            } => {
                let (row, other) = match other {
                    Source::Scalar(other) => (rows.one(row), Operand::Scalar(scalars[other])),
                    Source::Row(other) => {
                        let [row, other] = rows.two(row, other);
                        (row, Operand::Row(other))
                    }
                };
                operation::binary::<FMA>(op, row, other, swapped);
            }
        }
    }
}

/// `Rows` finds rows by their numbers.
struct Rows<'a> {
    z: &'a mut [f64],
    second: &'a mut [f64],
    rest: &'a mut [f64],
}

impl Rows<'_> {
    fn one(&mut self, row: usize) -> &mut [f64] {
        match row {
            0 => self.z,
            1 => self.second,
            row => &mut self.rest[place(row, self.z.len())],
        }
    }

    /// Two rows that differ.
    fn two(&mut self, a: usize, b: usize) -> [&mut [f64]; 2] {
        let len = self.z.len();
        let Self { z, second, rest } = self;
        match (a, b) {
            (0, 1) => [z, second],
            (1, 0) => [second, z],
            (0, b) => [z, &mut rest[place(b, len)]],
            (1, b) => [second, &mut rest[place(b, len)]],
            (a, 0) => [&mut rest[place(a, len)], z],
            (a, 1) => [&mut rest[place(a, len)], second],
            (a, b) => {
                let places = [place(a, len), place(b, len)];
                rest.get_disjoint_mut(places).expect("rows that differ")
            }
        }
    }
}

/// Where a row beyond the first two is.
fn place(row: usize, len: usize) -> Range<usize> {
    let start = (row - 2) * LANES;
    start..start + len
}

#[cfg(test)]
mod tests;
