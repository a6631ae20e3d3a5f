//! This module tells how activations grow: it follows the leading behaviour of every operation as z
//! goes to infinity.

mod tail;

use super::interval::Interval;
use super::op::{Binary, Op, Register};
use super::{Fault, Tape};
use tail::{FAR, Line, Order, Tail};

/// `Growth` says how an activation grows with |z|, on the side where it grows faster. Growth
/// decides how heavy the tails of products of neurons are.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Growth {
    /// The activation stays within bounds.
    Bounded,
    /// The activation grows at most like this power of |z|, up to logarithms: products have the
    /// tails of powers of normals. Power 0 is a logarithm.
    Power(f64),
    /// The activation grows at most like `exp(rate |z|)`, up to slower factors: products are
    /// log-normal, and rare neurons carry them.
    Exponential {
        /// The factor of |z| in the exponent.
        rate: f64,
    },
}

/// Follows the tails of all operations on one side.
fn tails(tape: &Tape, side: f64) -> Vec<Tail> {
    let (near, far) = (side * FAR, side * f64::INFINITY);
    let z = Interval::new(near.min(far), near.max(far));
    let v = Interval::new(0.0, f64::INFINITY);
    let bounds = tape.interpret(|op, done| Interval::apply(op, done, z, v));
    let ops = tape.ops();
    tape.interpret(|op, done: &[Tail]| {
        let tail = match op {
            Op::Z => Tail::new(Order::LINEAR, Some(side)).on(Some(Line {
                slope: side,
                intercept: Some(0.0),
            })),
            // Some number: what it is depends on the point.
            Op::V => Tail::at_most(Order::CONSTANT),
            Op::Const(c) => Tail::constant(c),
            Op::Unary(op, a) => done[a].unary(op),
            Op::Binary(op, a, b) => match (op, done[a], done[b]) {
                (Binary::Add, a, b) => a.sum(b),
                (Binary::Sub, a, b) => a.sum(b.scale(-1.0)),
                (Binary::Mul, x, y) => match ops[b] {
                    Op::Const(c) => x.scale(c),
                    _ => x.product(y),
                },
                (Binary::Div, x, y) => match ops[b] {
                    Op::Const(c) => x.scale(1.0 / c),
                    _ => x.product(y.inverse()),
                },
                (Binary::Pow, x, _) => match ops[b] {
                    Op::Const(p) => x.power(p),
                    _ => Tail::at_most(Order::UNKNOWN),
                },
                (Binary::Min, a, b) => a.extreme(b, -1.0),
                (Binary::Max, a, b) => a.extreme(b, 1.0),
            },
        };
        tail.settle(bounds[done.len()])
    })
}

fn class(tail: &Tail) -> Option<Growth> {
    let Order { rate, power, log } = tail.order;
    if rate == f64::INFINITY || (rate == 0.0 && power == f64::INFINITY) {
        None
    } else if rate > 0.0 {
        Some(Growth::Exponential { rate })
    } else if rate < 0.0 || power < 0.0 {
        Some(Growth::Bounded)
    } else if power > 0.0 || log > 0.0 {
        Some(Growth::Power(power))
    } else {
        Some(Growth::Bounded)
    }
}

/// Returns the faster of two growths.
pub(super) fn faster(a: Growth, b: Growth) -> Growth {
    match (a, b) {
        (Growth::Exponential { rate: a }, Growth::Exponential { rate: b }) => {
            Growth::Exponential { rate: a.max(b) }
        }
        (Growth::Exponential { .. }, _) => a,
        (_, Growth::Exponential { .. }) => b,
        (Growth::Power(a), Growth::Power(b)) => Growth::Power(a.max(b)),
        (Growth::Power(_), Growth::Bounded) => a,
        (Growth::Bounded, _) => b,
    }
}

/// Tells how a tape grows towards plus and minus infinity.
///
/// # Errors
/// The tape grows faster than any exponential of z, or in a way that cannot be told.
pub(super) fn growth(tape: &Tape) -> Result<[Growth; 2], Fault> {
    let towards = |side| {
        let tails = tails(tape, side);
        class(&tails[tails.len() - 1]).ok_or_else(|| cause(&tails))
    };
    Ok([towards(1.0)?, towards(-1.0)?])
}

/// Returns the first operation whose growth is that of no activation.
fn cause(tails: &[Tail]) -> Fault {
    let first = |tail: &Tail| class(tail).is_none();
    let register: Register = tails.iter().position(first).unwrap_or(tails.len() - 1);
    let Tail { order, factor, .. } = tails[register];
    let message = if order == Order::UNKNOWN && factor.is_none() {
        "grows with z in a way that its parts do not tell"
    } else if order.rate == f64::INFINITY {
        "grows faster with z than exp(c*z) for any c: its averages diverge"
    } else {
        "grows with z like neither a power nor an exponential"
    };
    Fault {
        register,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests;
