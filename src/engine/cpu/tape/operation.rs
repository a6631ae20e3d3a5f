//! Operations of tapes on rows of numbers, without branches, so that they run as vector code.

mod circle;
mod error;
mod exponential;
mod logarithm;
mod power;
mod steps;

use circle::{at_any_distance, cos, is_far, sin};
use error::erf;
use exponential::{sigmoid, tanh};
use logarithm::{log, log1p, softplus};
use power::pow;
use steps::{sign, step};

use crate::engine::cpu::activation::exp;
use crate::model::activation::{Binary, Unary};
use crate::simd::madd;

/// The second operand of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
    Row(&'a [f64]),
    Scalar(f64),
}

// Macros, not functions of closures: those would be compiled without the processor features of
// their caller.
macro_rules! map {
    ($row:ident, |$x:ident| $value:expr) => {
        for x in $row {
            *x = {
                let $x = *x;
                $value
            };
        }
    };
}

macro_rules! zip {
    ($row:ident, $other:ident, |$a:ident, $b:ident| $value:expr) => {
        match $other {
            Operand::Row(other) => {
                for ($a, $b) in $row.iter_mut().zip(other) {
                    *$a = {
                        let ($a, $b) = (*$a, *$b);
                        $value
                    };
                }
            }
            Operand::Scalar($b) => {
                for $a in $row {
                    *$a = {
                        let $a = *$a;
                        $value
                    };
                }
            }
        }
    };
}

/// Replaces every number of a row by the operation's value.
#[inline(always)]
pub(super) fn unary<const FMA: bool>(op: Unary, row: &mut [f64]) {
    match op {
        Unary::Neg => map!(row, |x| -x),
        Unary::Abs => map!(row, |x| x.abs()),
        Unary::Sign => map!(row, |x| sign(x)),
        Unary::Step => map!(row, |x| step(x)),
        Unary::Exp => map!(row, |x| exp::<FMA>(x)),
        Unary::Log => map!(row, |x| log::<FMA>(x)),
        Unary::Log1p => map!(row, |x| log1p::<FMA>(x)),
        Unary::Softplus => map!(row, |x| softplus::<FMA>(x)),
        Unary::Sqrt => map!(row, |x| x.sqrt()),
        Unary::Sin if is_far(row) => map!(row, |x| at_any_distance(x, sin::<FMA>, libm::sin)),
        Unary::Cos if is_far(row) => map!(row, |x| at_any_distance(x, cos::<FMA>, libm::cos)),
        Unary::Sin => map!(row, |x| sin::<FMA>(x)),
        Unary::Cos => map!(row, |x| cos::<FMA>(x)),
        Unary::Tanh => map!(row, |x| tanh::<FMA>(x)),
        Unary::Sigmoid => map!(row, |x| sigmoid::<FMA>(x)),
        Unary::Erf => map!(row, |x| erf::<FMA>(x)),
    }
}

/// Replaces every number of a row by its hyperbolic tangent, and puts the derivative to another row.
#[inline(always)]
pub(super) fn tanh_and_slope<const FMA: bool>(row: &mut [f64], slopes: &mut [f64]) {
    for (x, slope) in row.iter_mut().zip(slopes) {
        let value = tanh::<FMA>(*x);
        (*x, *slope) = (value, madd::<FMA>(-value, value, 1.0));
    }
}

/// Replaces every number of a row by the operation's value of it and the other operand, which
/// comes first if `swapped`.
#[inline(always)]
pub(super) fn binary<const FMA: bool>(op: Binary, row: &mut [f64], other: Operand, swapped: bool) {
    match (op, swapped) {
        (Binary::Add, _) => zip!(row, other, |a, b| a + b),
        (Binary::Mul, _) => zip!(row, other, |a, b| a * b),
        (Binary::Min, _) => zip!(row, other, |a, b| a.min(b)),
        (Binary::Max, _) => zip!(row, other, |a, b| a.max(b)),
        (Binary::Sub, false) => zip!(row, other, |a, b| a - b),
        (Binary::Sub, true) => zip!(row, other, |a, b| b - a),
        (Binary::Div, false) => zip!(row, other, |a, b| a / b),
        (Binary::Div, true) => zip!(row, other, |a, b| b / a),
        (Binary::Pow, false) => zip!(row, other, |a, b| pow::<FMA>(a, b)),
        (Binary::Pow, true) => zip!(row, other, |a, b| pow::<FMA>(b, a)),
    }
}

#[cfg(test)]
mod tests;
