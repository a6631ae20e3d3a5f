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
    /// All rows but row 0, which is where z is.
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
        for z in z.chunks_mut(LANES) {
            run(&self.0.steps, scalars, z, rows);
        }
    }
}

/// An activation and its derivative, ready to be evaluated together on rows of pre-activations.
#[derive(Debug, Clone)]
pub struct DualEvaluator {
    steps: Steps,
    slope: Source,
}

impl DualEvaluator {
    /// An evaluator of an activation and its derivative.
    pub fn new(dual: &Dual) -> Self {
        let (steps, slope) = Steps::dual(dual);
        Self { steps, slope }
    }

    /// Replaces every pre-activation in `z` by the activation of it, where the variance is `v`, and puts the
    /// derivative there to `slopes`.
    pub fn apply(&self, z: &mut [f64], slopes: &mut [f64], v: f64, scratch: &mut Scratch) {
        let Scratch { scalars, rows } = scratch;
        prepare(&self.steps, v, scalars, rows);
        for (z, slopes) in z.chunks_mut(LANES).zip(slopes.chunks_mut(LANES)) {
            run(&self.steps.steps, scalars, z, rows);
            match self.slope {
                Source::Row(row) => slopes.copy_from_slice(&rows[place(row, z.len())]),
                Source::Scalar(scalar) => slopes.fill(scalars[scalar]),
            }
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
    let needed = (steps.rows - 1) * LANES;
    if rows.len() < needed {
        *rows = Aligned::new(0.0, needed);
    }
}

vectorised! {
    fn run(steps: &[Step], scalars: &[f64], z: &mut [f64], rows: &mut [f64]) {
        take_steps::<{ has_fma!() }>(steps, scalars, z, rows)
    }
}

#[inline(always)]
fn take_steps<const FMA: bool>(steps: &[Step], scalars: &[f64], z: &mut [f64], rows: &mut [f64]) {
    for step in steps {
        match *step {
            Step::Fill { row, scalar } => one(z, rows, row).fill(scalars[scalar]),
            Step::Copy { to, from } => {
                let (to, from) = two(z, rows, to, from);
                to.copy_from_slice(from);
            }
            Step::Square { row } => {
                for x in one(z, rows, row) {
                    *x *= *x;
                }
            }
            Step::Unary { op, row } => {
                operation::unary::<FMA>(op, one(z, rows, row));
            }
            Step::Binary {
                op,
                row,
                other,
                swapped,
            } => {
                let (row, other) = match other {
                    Source::Scalar(other) => (one(z, rows, row), Operand::Scalar(scalars[other])),
                    Source::Row(other) => {
                        let (row, other) = two(z, rows, row, other);
                        (row, Operand::Row(other))
                    }
                };
                operation::binary::<FMA>(op, row, other, swapped);
            }
        }
    }
}

/// Where a row other than row 0 is.
fn place(row: usize, len: usize) -> Range<usize> {
    let start = (row - 1) * LANES;
    start..start + len
}

fn one<'a>(z: &'a mut [f64], rows: &'a mut [f64], row: usize) -> &'a mut [f64] {
    match row {
        0 => z,
        row => &mut rows[place(row, z.len())],
    }
}

/// Two rows that differ.
fn two<'a>(
    z: &'a mut [f64],
    rows: &'a mut [f64],
    a: usize,
    b: usize,
) -> (&'a mut [f64], &'a [f64]) {
    let len = z.len();
    match (a, b) {
        (0, b) => (z, &rows[place(b, len)]),
        (a, 0) => (&mut rows[place(a, len)], z),
        (a, b) => {
            let places = [place(a, len), place(b, len)];
            let [a, b] = (rows.get_disjoint_mut(places)).expect("rows that differ");
            (a, b)
        }
    }
}

#[cfg(test)]
mod tests;
