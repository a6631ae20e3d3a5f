//! This module finds the kinks of activations: the roots of arguments at which functions are not
//! smooth.

use super::interval::Interval;
use super::op::{Binary, Op, Register, Unary};
use super::{Fault, Tape};

/// Kinks are searched for up to this |z|, unless they are roots of a linear argument.
pub const KINKS_WITHIN: f64 = 1024.0;
/// The largest number of kinks of an activation.
pub const MAX_KINKS: usize = 1024;
/// Operations on intervals that one search may take; they last less than a second.
const SEARCH: usize = 5_000_000;

/// `Affine` is the exact form `slope z + intercept`.
#[derive(Debug, Clone, Copy)]
struct Affine {
    slope: f64,
    intercept: f64,
}

impl Affine {
    fn sum(self, other: Self, sign: f64) -> Self {
        Self {
            slope: self.slope + sign * other.slope,
            intercept: self.intercept + sign * other.intercept,
        }
    }

    fn scale(self, c: f64) -> Self {
        Self {
            slope: c * self.slope,
            intercept: c * self.intercept,
        }
    }

    fn of(op: Op, done: &[Option<Self>]) -> Option<Self> {
        let constant = |a: Register| done[a].filter(|x| x.slope == 0.0).map(|x| x.intercept);
        match op {
            Op::Z => Some(Self {
                slope: 1.0,
                intercept: 0.0,
            }),
            Op::Const(intercept) => Some(Self {
                slope: 0.0,
                intercept,
            }),
            Op::Unary(Unary::Neg, a) => Some(done[a]?.scale(-1.0)),
            Op::Binary(Binary::Add, a, b) => Some(done[a]?.sum(done[b]?, 1.0)),
            Op::Binary(Binary::Sub, a, b) => Some(done[a]?.sum(done[b]?, -1.0)),
            Op::Binary(Binary::Mul, a, b) => Some(done[a]?.scale(constant(b)?)),
            Op::Binary(Binary::Div, a, b) => Some(done[a]?.scale(1.0 / constant(b)?)),
            Op::V | Op::Unary(..) | Op::Binary(..) => None,
        }
    }
}

/// `Argument` is the difference of two values, or one value.
type Argument = (Register, Option<Register>);

/// Finds the places where an activation need not be smooth, in order.
///
/// # Errors
/// The kinks depend on v, there are too many, or arguments keep too close to zero.
pub(super) fn kinks(tape: &Tape) -> Result<Vec<f64>, Fault> {
    let affine = tape.interpret(Affine::of);
    let mut search = SEARCH / tape.ops().len();
    let mut kinks = vec![];
    for (register, &op) in tape.ops().iter().enumerate() {
        let argument: Argument = match op {
            Op::Unary(Unary::Abs | Unary::Sign | Unary::Step | Unary::Sqrt, a) => (a, None),
            Op::Binary(Binary::Pow, a, _) => (a, None),
            Op::Binary(Binary::Min | Binary::Max, a, b) => (a, Some(b)),
            Op::Z | Op::V | Op::Const(_) | Op::Unary(..) | Op::Binary(..) => continue,
        };
        let line = match argument {
            (a, None) => affine[a],
            (a, Some(b)) => affine[a].zip(affine[b]).map(|(a, b)| a.sum(b, -1.0)),
        };
        match line {
            Some(Affine { slope: 0.0, .. }) => {}
            // -0 and 0 are one.
            Some(Affine { slope, intercept }) => kinks.push(-intercept / slope + 0.0),
            None => roots(tape, argument, &mut search, &mut kinks).map_err(|message| Fault {
                register,
                message: message.into(),
            })?,
        }
        if kinks.len() > MAX_KINKS {
            return Err(Fault {
                register,
                message: TOO_MANY.into(),
            });
        }
    }
    kinks.sort_by(f64::total_cmp);
    kinks.dedup_by(|a, b| (*a - *b).abs() <= 1e-9 * b.abs().max(1.0));
    Ok(kinks)
}

const TOO_LONG: &str = "takes too long to be searched for kinks";
const TOO_MANY: &str = "has too many kinks";
const MOVING: &str = "has a kink whose place depends on v";

/// Tells whether each operation depends on z and on v.
fn dependence(tape: &Tape) -> Vec<(bool, bool)> {
    tape.interpret(|op, done: &[(bool, bool)]| match op {
        Op::Z => (true, false),
        Op::V => (false, true),
        Op::Const(_) => (false, false),
        Op::Unary(_, a) => done[a],
        Op::Binary(_, a, b) => (done[a].0 || done[b].0, done[a].1 || done[b].1),
    })
}

/// Adds the roots of an argument, found by halving intervals that may hold one; `search` of them
/// may be looked at.
fn roots(
    tape: &Tape,
    argument: Argument,
    search: &mut usize,
    to: &mut Vec<f64>,
) -> Result<(), &'static str> {
    let depends = dependence(tape);
    let any = |which: fn(&(bool, bool)) -> bool| {
        which(&depends[argument.0]) || argument.1.is_some_and(|b| which(&depends[b]))
    };
    if !any(|of| of.0) {
        return Ok(());
    }
    let v = Interval::new(0.0, f64::INFINITY);
    let values = |low: f64, high: f64| {
        let z = Interval::new(low, high);
        let all = tape.interpret(|op, done| Interval::apply(op, done, z, v));
        match argument {
            (a, None) => all[a],
            (a, Some(b)) => all[a].difference(all[b]),
        }
    };
    // In rising order, as the lower half is looked at first.
    let mut open = vec![(0.0, KINKS_WITHIN), (-KINKS_WITHIN, 0.0)];
    let mut clusters: Vec<(f64, f64)> = vec![];
    while let Some((low, high)) = open.pop() {
        *search = search.checked_sub(1).ok_or(TOO_LONG)?;
        let inside = values(low, high);
        // Where it is zero throughout there is no kink, but at either end.
        if !inside.contains(0.0) || inside.low == inside.high {
            continue;
        }
        if clusters.len() > MAX_KINKS {
            return Err(TOO_MANY);
        }
        let middle = low + (high - low) / 2.0;
        let smallest = 1e-10 * middle.abs().max(1.0);
        if high - low > smallest {
            open.extend([(middle, high), (low, middle)]);
            continue;
        }
        if any(|of| of.1) {
            return Err(MOVING);
        }
        match clusters.last_mut() {
            Some(last) if low - last.1 <= 1e-9 * low.abs().max(1.0) => last.1 = high,
            _ => clusters.push((low, high)),
        }
    }
    let value = |z: f64| {
        let all = tape.interpret(|op, done| op.apply(done, z, 0.0));
        all[argument.0] - argument.1.map_or(0.0, |b| all[b])
    };
    to.extend(
        clusters
            .into_iter()
            .map(|(low, high)| root(value, low, high)),
    );
    Ok(())
}

/// Locates the root within a narrow interval: a whole number, the place where the sign changes, or
/// the middle.
fn root(value: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let exact = [0.0, low.round(), high.round()];
    let within = |z: &f64| (low..=high).contains(z) && value(*z) == 0.0;
    if let Some(z) = exact.into_iter().find(within) {
        return z;
    }
    let (mut low, mut high) = (low, high);
    let rising = value(high) > 0.0;
    if (value(low) > 0.0) != rising {
        loop {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if (value(middle) > 0.0) == rising {
                high = middle;
            } else {
                low = middle;
            }
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(text: &str) -> Tape {
        Tape::compile(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn kinks_are_the_roots_of_arguments() {
        use std::f64::consts::PI;
        for (text, places) in [
            ("max(z,0)", vec![0.0]),
            ("abs(2*z-3)", vec![1.5]),
            ("max(min(z,1),-1)", vec![-1.0, 1.0]),
            ("step(z^2-2)", vec![-2f64.sqrt(), 2f64.sqrt()]),
            ("sqrt(z^2)", vec![0.0]),
            ("abs(z)^1.5+sign(z-4)", vec![0.0, 4.0]),
            ("abs(z^3-8)", vec![2.0]),
            ("max(z,0.1*z)+max(z,3-z)", vec![0.0, 1.5]),
            ("abs(max(z,0))", vec![0.0]),
            ("max(exp(z),1)", vec![0.0]),
            ("step(exp(z)-2)", vec![2f64.ln()]),
            ("sqrt(1+z^2+v)", vec![]),
            ("max(v,1)*z", vec![]),
            ("abs(2+tanh(z))", vec![]),
        ] {
            let found = kinks(&tape(text)).unwrap();
            assert_eq!(found.len(), places.len(), "{text}: {found:?}");
            for (found, place) in found.into_iter().zip(places) {
                assert!((found - place).abs() < 1e-12, "{text}: {found}");
            }
        }
        // Where the argument touches zero, rounding leaves a wider interval.
        for place in kinks(&tape("sqrt(1-cos(z))")).unwrap() {
            let turns = place / (2.0 * PI);
            assert!((turns - turns.round()).abs() < 1e-8, "{place}");
        }
        // Up to the documented limit.
        let many = kinks(&tape("abs(sin(z))")).unwrap();
        let half = (KINKS_WITHIN / PI).floor();
        assert_eq!(many.len(), 2 * half as usize + 1);
        for (n, place) in (0..).map(|n| f64::from(n) - half).zip(many) {
            assert!((place - n * PI).abs() < 1e-11, "{place}");
        }
    }

    #[test]
    fn kinks_that_move_or_are_too_many_are_refused() {
        for (text, message) in [
            ("max(z-v,0)", MOVING),
            ("abs(z-v)", MOVING),
            ("sign(sin(20*z))", TOO_MANY),
        ] {
            assert_eq!(kinks(&tape(text)).unwrap_err().message, message, "{text}");
        }
    }
}
