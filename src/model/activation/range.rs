//! This module checks that an activation stays within the real numbers, and within 32-bit floats.

use std::cmp::Reverse;

use super::growth::Growth;
use super::interval::Interval;
use super::op::{Binary, Op, Register, Unary};
use super::{Fault, Tape};

/// Pre-activations farther out than this are not looked at.
const REACH: f64 = 256.0;
/// Variances of the pre-activation at which activations are checked.
const VARIANCES: [f64; 3] = [0.0, 1.0, 16.0];
/// Intervals shorter than this are not divided further.
const SHORTEST: f64 = 1e-7;
/// Operations on intervals that one search may take; they last less than a second.
const SEARCH: usize = 5_000_000;
/// Points on each side of zero at which 32-bit floats are tried.
const POINTS: i32 = 256;

/// Tells how far an activation of this growth fits 32-bit floats with room to spare.
fn reach(growth: Option<Growth>) -> f64 {
    let most: f64 = match growth {
        Some(Growth::Power(p)) => libm::exp2(128.0 / (p + 1.0)),
        Some(Growth::Exponential { rate }) => 64.0 / rate,
        Some(Growth::Bounded) | None => REACH,
    };
    most.min(REACH)
}

/// Checks that a tape has a real value everywhere, searched in intervals.
///
/// # Errors
/// A part that leaves the reals, or may do so for all that its parts tell.
pub(super) fn check_domain(tape: &Tape, growth: Option<Growth>) -> Result<(), Fault> {
    let reach = reach(growth);
    // What people would try themselves comes first.
    let simple = [0.0, 1.0, -1.0].map(|z| (z, z));
    let mut open = vec![(0.0, reach), (-reach, 0.0)];
    open.extend(simple.into_iter().rev());
    let mut search = SEARCH / tape.ops().len();
    while let Some((low, high)) = open.pop() {
        let z = Interval::new(low, high);
        let v = Interval::new(0.0, VARIANCES[VARIANCES.len() - 1]);
        let values = tape.interpret(|op, done| Interval::apply(op, done, z, v));
        let ops = tape.ops().iter().enumerate();
        // The gravest, and of these the first.
        let Some((leaving, Reverse(register))) = ops
            .filter_map(|(register, &op)| Some((leaves(op, &values)?, Reverse(register))))
            .max()
        else {
            continue;
        };
        search = search.saturating_sub(1);
        let middle = low + (high - low) / 2.0;
        if leaving != Leaving::Surely && high - low > SHORTEST && search > 0 {
            open.extend([(middle, high), (low, middle)]);
        } else if leaving != Leaving::Beyond || search == 0 {
            return Err(without_value(tape, register, leaving, middle));
        }
    }
    Ok(())
}

/// `Leaving` says how an operation may leave the reals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Leaving {
    /// The operation leaves the reals for some arguments, but not at the edge of its domain. Then
    /// there are others nearby for which it surely does.
    Beyond,
    /// The operation leaves the reals for some arguments; at one of these it becomes infinite.
    AtPole,
    /// The operation leaves the reals for all arguments.
    Surely,
}

fn leaves(op: Op, values: &[Interval]) -> Option<Leaving> {
    // The values above `edge` are allowed; at the edge there may be a pole.
    let above = |x: Interval, edge: f64, pole: bool| {
        if x.low > edge || (x.low == edge && !pole) {
            None
        } else if x.high < edge || (x.high == edge && pole) {
            Some(Leaving::Surely)
        } else {
            Some(if pole {
                Leaving::AtPole
            } else {
                Leaving::Beyond
            })
        }
    };
    match op {
        Op::Unary(Unary::Log, a) => above(values[a], 0.0, true),
        Op::Unary(Unary::Log1p, a) => above(values[a], -1.0, true),
        Op::Unary(Unary::Sqrt, a) => above(values[a], 0.0, false),
        Op::Binary(Binary::Pow, a, b) => above(values[a], 0.0, values[b].low < 0.0),
        Op::Binary(Binary::Div, _, b) if values[b] == Interval::new(0.0, 0.0) => {
            Some(Leaving::Surely)
        }
        Op::Binary(Binary::Div, _, b) if values[b].contains(0.0) => Some(Leaving::AtPole),
        Op::Z | Op::V | Op::Const(_) | Op::Unary(..) | Op::Binary(..) => None,
    }
}

fn without_value(tape: &Tape, register: Register, leaving: Leaving, z: f64) -> Fault {
    let needs = match tape.ops()[register] {
        Op::Unary(Unary::Log, _) => ": the argument of log must be positive",
        Op::Unary(Unary::Log1p, _) => ": the argument of log1p must be above -1",
        Op::Unary(Unary::Sqrt, _) => ": the argument of sqrt must not be negative",
        Op::Binary(Binary::Pow, ..) => {
            ": what is raised to a power that is not whole must not be negative"
        }
        Op::Binary(Binary::Div, ..) => ": the denominator must not be 0",
        _ => "",
    };
    Fault {
        register,
        message: match leaving {
            Leaving::Surely => format!("has no value at z = {}{needs}", place(z)),
            Leaving::AtPole | Leaving::Beyond => {
                format!("may have no value near z = {}{needs}", place(z))
            }
        },
    }
}

/// Rounds a place to four digits.
fn place(z: f64) -> f64 {
    let rounded: f64 = format!("{z:.3e}").parse().unwrap_or(z);
    if rounded.abs() < 1e-6 { 0.0 } else { rounded }
}

/// Checks that 32-bit floats hold the activation wherever its growth lets it fit them.
///
/// # Errors
/// A part that spoils the result by its overflow.
pub(super) fn check_floats(tape: &Tape, growth: Growth) -> Result<(), Fault> {
    let large = |op: &Op| matches!(op, Op::Const(c) if !single(*c).is_finite());
    if let Some(register) = tape.ops().iter().position(large) {
        return Err(Fault {
            register,
            message: "is beyond 32-bit floats".into(),
        });
    }
    let reach = reach(Some(growth));
    // From 0 outwards.
    let points = (0..=POINTS).map(|i| reach * f64::from(i) / f64::from(POINTS));
    for z in points.flat_map(|z| [z, -z]) {
        for v in VARIANCES {
            let values = tape.interpret(|op, done| single(op.apply(done, z, v)));
            if values.last().is_some_and(|x| x.is_finite()) {
                continue;
            }
            let first = values.iter().position(|x| !x.is_finite());
            return Err(Fault {
                register: first.unwrap_or(0),
                message: format!(
                    "is beyond 32-bit floats at z = {}, where the activation is not",
                    place(z)
                ),
            });
        }
    }
    Ok(())
}

/// Rounds a number to what GPUs hold, to whom subnormal numbers are zero.
fn single(x: f64) -> f64 {
    let x = x as f32;
    f64::from(if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x })
}

#[cfg(test)]
mod tests {
    use super::super::growth::{faster, growth};
    use super::*;

    fn check(text: &str) -> Result<(), (String, String)> {
        let expression = text.parse().unwrap();
        let (tape, places) = Tape::with_places(&expression).unwrap();
        let known = growth(&tape).map(|[right, left]| faster(right, left));
        let part = |fault: Fault| {
            (
                text[places[fault.register].clone()].to_string(),
                fault.message,
            )
        };
        check_domain(&tape, known.clone().ok()).map_err(part)?;
        check_floats(&tape, known.map_err(part)?).map_err(part)
    }

    #[test]
    fn parts_that_leave_the_reals_are_named() {
        for (text, part, sentence) in [
            ("sqrt(z)", "sqrt(z)", "z = -1: the argument of sqrt"),
            ("2+log(z)", "log(z)", "z = 0: the argument of log"),
            ("log1p(z)", "log1p(z)", "z = -1: the argument of log1p"),
            ("z+1/z", "1/z", "z = 0"),
            ("tanh(z/sin(z))", "z/sin(z)", "z = 0"),
            ("1/(z-0.1)", "1/(z-0.1)", "z = 0.1"),
            ("1/(z^2-30)", "1/(z^2-30)", "z = -5.477"),
            ("z^1.5", "z^1.5", "z = -1: what is raised"),
            ("abs(z)^-0.5", "abs(z)^-0.5", "z = 0"),
            ("1/max(z,0)", "1/max(z,0)", "z = 0"),
            ("z/sqrt(v)", "z/sqrt(v)", "z = 0"),
            ("sqrt(10-abs(z))", "sqrt(10-abs(z))", "sqrt"),
            ("log(tanh(z)+0.9)", "log(tanh(z)+0.9)", "log"),
        ] {
            let (found, message) = check(text).unwrap_err();
            assert_eq!(found, part);
            assert!(message.contains(sentence), "{text}: {message}");
        }
    }

    #[test]
    fn overflow_that_spoils_the_result_is_named() {
        for (text, part) in [
            ("exp(z)/(1+exp(z))", "exp(z)"),
            ("(exp(z)-exp(-z))/(exp(z)+exp(-z))", "exp(z)"),
            ("log(2+exp(z))", "exp(z)"),
            ("sin(exp(z))", "sin(exp(z))"),
            ("z*1e39", "1e39"),
            ("z/1e-39", "z/1e-39"),
            ("1e35*z^2*1e-35", "1e35*z^2"),
        ] {
            let (found, message) = check(text).unwrap_err();
            assert!(message.contains("32-bit floats"), "{text}: {message}");
            if !text.starts_with("sin") {
                assert_eq!(found, part, "{message}");
            }
        }
    }

    #[test]
    fn what_is_real_everywhere_passes() {
        for text in [
            "z^15",
            "1/(1+z^2)",
            "z/(z^2+z+1)",
            "1/(1.01+sin(z)*cos(z))",
            "1/(1+exp(-z))",
            "1/(1+exp(z^2))",
            "z*exp(-z^2)",
            "z^8*exp(-z^2)",
            "exp(z-v)",
            "exp(20*z)",
            "exp(z)-exp(-z)",
            "1/exp(z)",
            "log(1+exp(z))",
            "sqrt(abs(z))",
            "sqrt(1-cos(z))",
            "sqrt(z^2-z^2/2)",
            "z*tanh(softplus(z))",
            "z/sqrt(v+1e-6)",
            "abs(z)^0.3",
            "log(1.001-tanh(z))",
            "step(z)*z",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }
}
