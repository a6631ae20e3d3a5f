//! This module finds the symmetries of activations: reflection and scaling of z.

use super::Tape;
use super::builder::{Builder, NotFinite};
use super::op::{Binary, Op, Register, Unary};

/// `Parity` says how an activation behaves under z -> -z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// `act(-z) = act(z)`
    Even,
    /// `act(-z) = -act(z)`
    Odd,
    /// Neither parity, as far as the identities of tapes tell.
    Neither,
}

/// Returns the parity of a tape: the tape of act(-z) may be that of act(z) or of -act(z).
pub(super) fn parity(tape: &Tape) -> Parity {
    let reflect = || -> Result<Parity, NotFinite> {
        let mut builder = Builder::default();
        let z = builder.push(Op::Z);
        let minus_z = builder.unary(Unary::Neg, z)?;
        let here = replay(tape, &mut builder, z)?;
        let there = replay(tape, &mut builder, minus_z)?;
        let minus_here = builder.unary(Unary::Neg, here)?;
        Ok(if there == here {
            Parity::Even
        } else if there == minus_here {
            Parity::Odd
        } else {
            Parity::Neither
        })
    };
    reflect().unwrap_or(Parity::Neither)
}

/// Builds the tape with another value for z.
fn replay(tape: &Tape, builder: &mut Builder, z: Register) -> Result<Register, NotFinite> {
    let mut registers: Vec<Register> = vec![];
    for &op in tape.ops() {
        registers.push(match op {
            Op::Z => z,
            Op::V => builder.push(Op::V),
            Op::Const(c) => builder.constant(c)?,
            Op::Unary(op, a) => builder.unary(op, registers[a])?,
            Op::Binary(op, a, b) => builder.binary(op, registers[a], registers[b])?,
        });
    }
    Ok(registers[registers.len() - 1])
}

/// `Degree` says how a value scales under z -> c z, v -> c^2 v.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Degree {
    /// A zero, which is of every degree.
    Zero,
    Of(f64),
    None,
}

impl Degree {
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Of(p) => Self::Of(f(p)),
            Self::Zero | Self::None => self,
        }
    }

    fn product(self, other: Self, sign: f64) -> Self {
        match (self, other) {
            (Self::Zero, _) => Self::Zero,
            (Self::Of(p), Self::Of(q)) => Self::Of(p + sign * q),
            (Self::Of(_), Self::Zero) if sign > 0.0 => Self::Zero,
            _ => Self::None,
        }
    }

    fn common(self, other: Self) -> Self {
        match (self, other) {
            (Self::Zero, one) | (one, Self::Zero) => one,
            _ if self == other => self,
            _ => Self::None,
        }
    }
}

/// Returns the degree p of `act(c z) = c^p act(z)`, c > 0, where the variance goes with c^2.
pub(super) fn homogeneous(tape: &Tape) -> Option<f64> {
    let ops = tape.ops();
    let degrees = tape.interpret(|op, done: &[Degree]| match op {
        Op::Z => Degree::Of(1.0),
        Op::V => Degree::Of(2.0),
        Op::Const(0.0) => Degree::Zero,
        Op::Const(_) => Degree::Of(0.0),
        Op::Unary(op, a) => match op {
            Unary::Neg | Unary::Abs => done[a],
            Unary::Sign | Unary::Step => done[a].map(|_| 0.0),
            Unary::Sqrt => done[a].map(|p| p / 2.0),
            // Of what does not change.
            Unary::Exp
            | Unary::Log
            | Unary::Log1p
            | Unary::Softplus
            | Unary::Sin
            | Unary::Cos
            | Unary::Tanh
            | Unary::Sigmoid
            | Unary::Erf => match done[a] {
                Degree::Of(0.0) => done[a],
                _ => Degree::None,
            },
        },
        Op::Binary(op, a, b) => match op {
            Binary::Add | Binary::Sub | Binary::Min | Binary::Max => done[a].common(done[b]),
            Binary::Mul => done[a].product(done[b], 1.0),
            Binary::Div => done[a].product(done[b], -1.0),
            Binary::Pow => match ops[b] {
                Op::Const(power) => done[a].map(|p| p * power),
                _ => Degree::None,
            },
        },
    });
    match degrees[degrees.len() - 1] {
        Degree::Of(p) => Some(p),
        Degree::Zero | Degree::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(text: &str) -> Tape {
        Tape::compile(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn parity_is_found_through_odd_and_even_parts() {
        for (text, found) in [
            ("z", Parity::Odd),
            ("z^3-z/2", Parity::Odd),
            ("sin(z-z^3)*cos(z)", Parity::Odd),
            ("exp(z)-exp(-z)", Parity::Odd),
            ("(exp(z)-exp(-z))/(exp(z)+exp(-z))", Parity::Odd),
            ("max(min(z,1),-1)", Parity::Odd),
            ("z*exp(-z^2-v)", Parity::Odd),
            ("z/(1+abs(z))", Parity::Odd),
            ("max(z,0)-max(-z,0)", Parity::Odd),
            ("z*sign(z)", Parity::Even),
            ("exp(z)+exp(-z)", Parity::Even),
            ("max(z,-z)+z*tanh(z)", Parity::Even),
            ("cos(z+z^3)", Parity::Even),
            ("softplus(z)+softplus(-z)", Parity::Even),
            ("step(z)*z", Parity::Neither),
            ("cos(z+1)", Parity::Neither),
            ("exp(z)", Parity::Neither),
            ("z+v", Parity::Neither),
        ] {
            assert_eq!(parity(&tape(text)), found, "{text}");
        }
    }

    #[test]
    fn degrees_are_found() {
        for (text, degree) in [
            ("max(z,0)^2", Some(2.0)),
            ("abs(z)^1.5", Some(1.5)),
            ("sqrt(z^2+v)", Some(1.0)),
            ("z*tanh(z/abs(z))", Some(1.0)),
            ("z^2/abs(z)-2*z", Some(1.0)),
            ("sign(z)", Some(0.0)),
            ("z^2+z", None),
            ("max(z,1)", None),
            ("z+v", None),
            ("exp(log(abs(z)))", None),
        ] {
            assert_eq!(homogeneous(&tape(text)), degree, "{text}");
            // By value.
            if let Some(p) = degree {
                for z in [-1.7, 0.4] {
                    let (one, other) = (
                        tape(text).evaluate(z, 0.3),
                        tape(text).evaluate(3.0 * z, 2.7),
                    );
                    assert!((other - one * 3f64.powf(p)).abs() < 1e-12 * other.abs().max(1.0));
                }
            }
        }
    }
}
