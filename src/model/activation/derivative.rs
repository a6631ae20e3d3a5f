//! This module differentiates tapes with respect to z.

use super::builder::{Builder, NotFinite};
use super::op::{Binary, Op, Register, Unary};
use super::{Activation, Compiled, Parity, Tape, growth, pieces, range, symmetry};
use crate::{Error, Result};

/// `Derivative` is how an activation changes with z at fixed v, between its kinks; at a kink it is that of one
/// of the sides, or between both.
///
/// ```
/// use nnqft_gpu::model::activation::{Activation, Derivative};
///
/// let tanh: Activation = "tanh(z)".parse()?;
/// let [value, slope] = Derivative::of(&tanh)?.both().evaluate(0.0, 1.0);
/// assert_eq!((value, slope), (0.0, 1.0));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Derivative {
    both: Dual,
    slope: Slope,
}

/// `Slope` is a derivative by itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Slope {
    /// The derivative depends on v alone.
    Constant(Tape),
    /// The derivative depends on z, as activations do.
    Varying(Activation),
}

/// `Dual` computes an activation and its derivative at once, with the parts that they share computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dual {
    ops: Vec<Op>,
    results: [Register; 2],
}

impl Dual {
    /// Returns the operations; operands come before what they are operands of.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Returns which operations yield the activation and its derivative.
    pub fn results(&self) -> [Register; 2] {
        self.results
    }

    /// Evaluates the activation and its derivative at `z`, where the variance of `z` is `v`.
    pub fn evaluate(&self, z: f64, v: f64) -> [f64; 2] {
        let mut registers = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let value = op.apply(&registers, z, v);
            registers.push(value);
        }
        self.results.map(|result| registers[result])
    }
}

impl Derivative {
    /// Differentiates an activation.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the derivative is infinite somewhere, as that of sqrt(abs(z)) is at 0, or grows
    /// like no activation.
    pub fn of(activation: &Activation) -> Result<Self> {
        let refuse = |what: &str| {
            let reason = format!("its derivative {what}, and gradient descent needs it");
            Error::invalid("activation", activation.expression(), reason)
        };
        let infinite = |NotFinite| refuse("is not a finite number");
        let mut builder = Builder::default();
        let (value, slope) = differentiate(activation.tape(), &mut builder).map_err(infinite)?;
        let slope = match slope {
            Some(slope) => slope,
            None => builder.constant(0.0).map_err(infinite)?,
        };
        let (ops, results) = builder.finish_all(&[value, slope]);
        let both = Dual {
            ops,
            results: [results[0], results[1]],
        };
        let tape = Tape::of_ops(builder.finish(slope).0);
        if !tape.ops().contains(&Op::Z) {
            let slope = Slope::Constant(tape);
            return Ok(Self { both, slope });
        }
        let growth = growth::growth(&tape).map_err(|fault| refuse(&fault.message))?;
        let fastest = growth::faster(growth[0], growth[1]);
        range::check_domain(&tape, Some(fastest)).map_err(|_| refuse("is infinite for some z"))?;
        let slope = Slope::Varying(Activation::of(Compiled {
            expression: format!("d/dz {}", activation.expression()),
            parity: match activation.parity() {
                Parity::Even => Parity::Odd,
                Parity::Odd => Parity::Even,
                Parity::Neither => symmetry::parity(&tape),
            },
            homogeneous: symmetry::homogeneous(&tape),
            // Where the activation bends the derivative jumps.
            kinks: activation.kinks().to_vec(),
            is_piecewise_polynomial: pieces::is_piecewise_polynomial(&tape),
            growth,
            tape,
        }));
        Ok(Self { both, slope })
    }

    /// Returns the derivative by itself.
    pub fn slope(&self) -> &Slope {
        &self.slope
    }

    /// Returns what computes the activation and its derivative together.
    pub fn both(&self) -> &Dual {
        &self.both
    }
}

/// Pushes a tape and its derivative; `None` is a derivative of zero.
fn differentiate(
    tape: &Tape,
    b: &mut Builder,
) -> std::result::Result<(Register, Option<Register>), NotFinite> {
    let mut all: Vec<(Register, Option<Register>)> = Vec::with_capacity(tape.ops().len());
    for &op in tape.ops() {
        let next = match op {
            Op::Z => (b.push(Op::Z), Some(b.constant(1.0)?)),
            Op::V => (b.push(Op::V), None),
            Op::Const(c) => (b.constant(c)?, None),
            Op::Unary(op, a) => {
                let (x, dx) = all[a];
                let y = b.push(Op::Unary(op, x));
                let dy = match dx {
                    Some(dx) => of_unary(b, op, [x, y], dx)?,
                    None => None,
                };
                (y, dy)
            }
            Op::Binary(op, left, right) => {
                let (l, r) = (all[left], all[right]);
                let y = b.push(Op::Binary(op, l.0, r.0));
                (y, of_binary(b, op, y, l, r)?)
            }
        };
        all.push(next);
    }
    Ok(all[all.len() - 1])
}

/// Pushes the derivative of y = op(x), given that of x.
fn of_unary(
    b: &mut Builder,
    op: Unary,
    [x, y]: [Register; 2],
    dx: Register,
) -> std::result::Result<Option<Register>, NotFinite> {
    let one = b.constant(1.0)?;
    let by = match op {
        Unary::Neg => return b.unary(Unary::Neg, dx).map(Some),
        Unary::Sign | Unary::Step => return Ok(None),
        Unary::Abs => b.unary(Unary::Sign, x)?,
        Unary::Exp => y,
        Unary::Log => b.binary(Binary::Div, one, x)?,
        Unary::Log1p => {
            let sum = b.binary(Binary::Add, x, one)?;
            b.binary(Binary::Div, one, sum)?
        }
        Unary::Softplus => b.unary(Unary::Sigmoid, x)?,
        Unary::Sqrt => {
            let half = b.constant(0.5)?;
            b.binary(Binary::Div, half, y)?
        }
        Unary::Sin => b.unary(Unary::Cos, x)?,
        Unary::Cos => {
            let sine = b.unary(Unary::Sin, x)?;
            b.unary(Unary::Neg, sine)?
        }
        Unary::Tanh => {
            let square = b.binary(Binary::Mul, y, y)?;
            b.binary(Binary::Sub, one, square)?
        }
        Unary::Sigmoid => {
            let square = b.binary(Binary::Mul, y, y)?;
            b.binary(Binary::Sub, y, square)?
        }
        Unary::Erf => {
            let square = b.binary(Binary::Mul, x, x)?;
            let power = b.unary(Unary::Neg, square)?;
            let bell = b.unary(Unary::Exp, power)?;
            let height = b.constant(std::f64::consts::FRAC_2_SQRT_PI)?;
            b.binary(Binary::Mul, bell, height)?
        }
    };
    b.binary(Binary::Mul, by, dx).map(Some)
}

/// Pushes the derivative of y = op(l, r), given the values and derivatives of l and r.
fn of_binary(
    b: &mut Builder,
    op: Binary,
    y: Register,
    (l, dl): (Register, Option<Register>),
    (r, dr): (Register, Option<Register>),
) -> std::result::Result<Option<Register>, NotFinite> {
    let scaled = |b: &mut Builder, by: Register, d: Option<Register>| match d {
        Some(d) => b.binary(Binary::Mul, by, d).map(Some),
        None => Ok(None),
    };
    let (left, right) = match op {
        Binary::Add => (dl, dr),
        Binary::Sub => (dl, negated(b, dr)?),
        Binary::Mul => (scaled(b, r, dl)?, scaled(b, l, dr)?),
        Binary::Div => {
            // (l' - y r') / r
            let rest = scaled(b, y, dr)?;
            let rest = negated(b, rest)?;
            return match added(b, dl, rest)? {
                Some(sum) => b.binary(Binary::Div, sum, r).map(Some),
                None => Ok(None),
            };
        }
        Binary::Pow => {
            // The exponent is a constant on every tape.
            let Some(dl) = dl else { return Ok(None) };
            let one = b.constant(1.0)?;
            let less = b.binary(Binary::Sub, r, one)?;
            let power = b.binary(Binary::Pow, l, less)?;
            let by = b.binary(Binary::Mul, power, r)?;
            (Some(b.binary(Binary::Mul, by, dl)?), None)
        }
        Binary::Min | Binary::Max => {
            // 1 where an operand is the one that counts.
            let mut part = |own: Register, other: Register, d: Option<Register>| {
                let Some(d) = d else { return Ok(None) };
                let [above, below] = if op == Binary::Max {
                    [own, other]
                } else {
                    [other, own]
                };
                let distance = b.binary(Binary::Sub, above, below)?;
                let counts = b.unary(Unary::Step, distance)?;
                b.binary(Binary::Mul, counts, d).map(Some)
            };
            (part(l, r, dl)?, part(r, l, dr)?)
        }
    };
    added(b, left, right)
}

fn negated(
    b: &mut Builder,
    d: Option<Register>,
) -> std::result::Result<Option<Register>, NotFinite> {
    d.map(|d| b.unary(Unary::Neg, d)).transpose()
}

fn added(
    b: &mut Builder,
    left: Option<Register>,
    right: Option<Register>,
) -> std::result::Result<Option<Register>, NotFinite> {
    match (left, right) {
        (Some(left), Some(right)) => b.binary(Binary::Add, left, right).map(Some),
        (one, other) => Ok(one.or(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CatalogueEntry;
    use crate::model::activation::Growth;

    fn of(text: &str) -> Derivative {
        Derivative::of(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn derivatives_are_quotients_of_small_differences() {
        let own = [
            "z*exp(-z^2)",
            "abs(z)^1.7",
            "min(max(z,-1),1)",
            "log(1+z^2)/(1+abs(z))",
            "sqrt(1+z^2)-cos(2*z)",
            "exp(z-v)*sigmoid(z)",
            "max(sin(z),cos(z))",
            "log1p(z^2)*softplus(z)",
            "z^3/(2+v)",
        ];
        let catalogue = CatalogueEntry::all().iter().map(|e| &e.activation[..]);
        for text in catalogue.chain(own) {
            let activation: Activation = text.parse().unwrap();
            let both = of(text).both.clone();
            for z in [-2.3, -0.6, -0.1, 0.3, 0.9, 2.7] {
                let [value, slope] = both.evaluate(z, 0.8);
                let at = |step: f64| activation.evaluate(z + step, 0.8);
                // Richardson: the error is of order step^4.
                let quotient = |step: f64| (at(step) - at(-step)) / (2.0 * step);
                let want = (4.0 * quotient(1e-3) - quotient(2e-3)) / 3.0;
                assert_eq!(value, activation.evaluate(z, 0.8), "{text} {z}");
                let size = want.abs().max(1.0);
                assert!(
                    (slope - want).abs() < 1e-9 * size,
                    "{text} {z}: {slope} {want}"
                );
                let alone = match of(text).slope() {
                    Slope::Constant(tape) => tape.evaluate(f64::NAN, 0.8),
                    Slope::Varying(slope) => slope.evaluate(z, 0.8),
                };
                assert!((alone - slope).abs() < 1e-14 * size, "{text} {z}");
            }
        }
    }

    #[test]
    fn derivatives_have_the_properties_of_activations() {
        let varying = |text: &str| match of(text).slope() {
            Slope::Varying(slope) => slope.clone(),
            Slope::Constant(_) => panic!("{text}"),
        };
        let tanh = varying("tanh(z)");
        assert_eq!(
            (tanh.parity(), tanh.growth()),
            (Parity::Even, Growth::Bounded)
        );
        let relu = varying("max(z,0)");
        assert_eq!(relu, "step(z)".parse().unwrap());
        assert_eq!((relu.kinks(), relu.homogeneous()), (&[0.0][..], Some(0.0)));
        // The same tape, with its closed forms.
        assert_eq!(varying("exp(z-v)"), "exp(z-v)".parse().unwrap());
        for (text, value) in [("3*z", 3.0), ("z*v", 2.0), ("step(z)", 0.0)] {
            let Slope::Constant(tape) = of(text).slope().clone() else {
                panic!("{text}");
            };
            assert_eq!(tape.evaluate(f64::NAN, 2.0), value);
        }
    }

    #[test]
    fn a_derivative_that_is_infinite_is_refused() {
        let error = Derivative::of(&"sqrt(abs(z))".parse().unwrap()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with("activation abs(z)^0.5")
                || message.starts_with("activation sqrt(abs(z))"),
            "{message}"
        );
        assert!(message.contains("infinite"), "{message}");
    }
}
