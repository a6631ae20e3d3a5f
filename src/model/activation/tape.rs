//! This module compiles expressions to single assignment form.

use super::builder::Builder;
use super::error::ExpressionError;
use super::expression::{Expression, Node};
use super::op::{Op, Register};
use std::ops::Range;

/// Tapes up to this length are evaluated without an allocation.
const SHORT: usize = 32;

/// A tape lists the operations of an expression, each of earlier values; the last one yields the
/// activation.
///
/// Common parts are shared, constants are folded, and trivial identities and the order of
/// operands are settled, so that the spellings of one function have the same tape.
///
/// ```
/// use nnqft_gpu::model::activation::Tape;
///
/// let tape = |text: &str| Tape::compile(&text.parse()?);
/// assert_eq!(tape("exp(-v + z)")?, tape("exp(z - v)")?);
/// # Ok::<(), nnqft_gpu::model::activation::ExpressionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tape {
    ops: Vec<Op>,
}

impl Tape {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A constant part has no finite value, such as `1/0`.
    pub fn compile(expression: &Expression) -> Result<Self, ExpressionError> {
        Self::with_places(expression).map(|(tape, _)| tape)
    }

    /// Returns the tape, and the part of the expression that each operation stems from.
    pub(super) fn with_places(
        expression: &Expression,
    ) -> Result<(Self, Vec<Range<usize>>), ExpressionError> {
        let mut builder = Builder::default();
        let mut registers: Vec<Register> = Vec::with_capacity(expression.nodes().len());
        // The node that each operation was first needed for.
        let mut nodes = vec![];
        for (i, &node) in expression.nodes().iter().enumerate() {
            let register = match node {
                Node::Z => Ok(builder.push(Op::Z)),
                Node::V => Ok(builder.push(Op::V)),
                Node::Pi => builder.constant(std::f64::consts::PI),
                Node::E => builder.constant(std::f64::consts::E),
                Node::Number(x) => builder.constant(x),
                Node::Unary(op, a) => builder.unary(op, registers[a]),
                Node::Binary(op, a, b) => builder.binary(op, registers[a], registers[b]),
            };
            let place = || expression.place(i);
            let no_number = |_| expression.error(place(), "is not a finite number");
            registers.push(register.map_err(no_number)?);
            nodes.resize(builder.ops().len(), i);
        }
        let Some(&result) = registers.last() else {
            unreachable!("expressions have a part")
        };
        let (ops, origins) = builder.finish(result);
        let places = origins.iter().map(|&i| expression.place(nodes[i]));
        Ok((Self { ops }, places.collect()))
    }

    /// Makes a tape of operations, of which the last one yields the value.
    pub(super) fn of_ops(ops: Vec<Op>) -> Self {
        Self { ops }
    }

    /// Returns the operations; operands come before what they are operands of.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Tells whether the activation takes the variance of its pre-activation.
    pub fn uses_variance(&self) -> bool {
        self.ops.contains(&Op::V)
    }

    /// Returns the activation's value at `z`, where the variance of `z` is `v`.
    pub fn evaluate(&self, z: f64, v: f64) -> f64 {
        let mut short = [0.0; SHORT];
        let mut long = vec![];
        let registers = if self.ops.len() <= SHORT {
            &mut short[..self.ops.len()]
        } else {
            long.resize(self.ops.len(), 0.0);
            &mut long[..]
        };
        let mut last = 0.0;
        for (i, op) in self.ops.iter().enumerate() {
            last = op.apply(registers, z, v);
            registers[i] = last;
        }
        last
    }

    /// Returns the values of all operations, in whatever sense `value` computes one from an
    /// operation and all earlier values.
    pub fn interpret<T>(&self, mut value: impl FnMut(Op, &[T]) -> T) -> Vec<T> {
        let mut values = Vec::with_capacity(self.ops.len());
        for &op in &self.ops {
            let next = value(op, &values);
            values.push(next);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tape(text: &str) -> Tape {
        Tape::compile(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn spellings_of_one_function_have_one_tape() {
        for spellings in [
            &["max(z,0)", "max(0, z)", "max(-0, z*1)", "max(0+z, 0^2)"][..],
            &[
                "exp(z-v)",
                "exp(-v+z)",
                "exp(-(v-z))",
                "e^(z-v)",
                "exp(z+-v)",
            ],
            &["erf(z)", "-erf(-z)", "erf(--z)", "erf(z)^1", "0+erf(z)/1"],
            &["z^2", "z*z", "(-z)^2", "z^1*z^(3-2)+0*v-0"],
            &["z^3", "z*z*z", "-(-z)^3", "z*z^2"],
            &["cos(z)", "cos(-z)", "cos(0-z)", "cos(z)^(2-1)"],
            &["2*z", "z*2", "-z*-2", "z/0.5", "z+z", "-(-2*z)"],
            &["z-2", "z+-2", "-(2-z)", "-2+z"],
            &["1/z^2", "z^-2", "(-z)^(-2)"],
            &["sqrt(abs(z))", "abs(z)^0.5", "abs(-z)^(1/2)"],
            &[
                "log(1+exp(z))",
                "softplus(z)",
                "log1p(e^z)",
                "max(z,0)+log1p(exp(-abs(z)))",
            ],
            &["softplus(-z)", "log1p(exp(-abs(z)))+max(0,-z)"],
            &["min(max(z,-1),1)", "max(-1,min(1,z))", "-min(max(-z,-1),1)"],
            &["abs(z)", "max(z,-z)", "-min(z,-z)", "abs(abs(z))"],
            &["z*erf(z/sqrt(2))", "erf(z/2^0.5)*z"],
            &["sin(1-z)", "-sin(z-1)"],
        ] {
            for other in &spellings[1..] {
                assert_eq!(tape(spellings[0]), tape(other), "{} {other}", spellings[0]);
            }
        }
        for (a, b) in [
            ("max(z,0)", "min(z,0)"),
            ("exp(z-v)", "exp(v-z)"),
            ("z", "v"),
            ("z/2", "z/3"),
            ("z^2", "z^2.5"),
            ("log(z)", "log1p(z)"),
        ] {
            assert_ne!(tape(a), tape(b), "{a} {b}");
        }
    }

    #[test]
    fn common_parts_are_shared_and_dead_ones_left_out() {
        assert_eq!(tape("erf(z)").ops().len(), 2);
        assert_eq!(tape("tanh(z)*tanh(z)+tanh(z)").ops().len(), 4);
        assert_eq!(tape("0*sin(z)+z").ops(), [Op::Z]);
        // By squaring.
        assert_eq!(tape("z^64").ops().len(), 7);
    }

    #[test]
    fn constants_without_a_value_are_shown() {
        for (text, part) in [
            ("z+1/0", "1/0"),
            ("z*(2-log(-1))", "log(-1)"),
            ("exp(1000)*z", "exp(1000)"),
            ("(1/(2-2))*z", "(1/(2-2))"),
            ("z/(1-1)", "z/(1-1)"),
            ("z+(-8)^0.3", "(-8)^0.3"),
            ("0^-1*z", "0^-1"),
            ("(-2)^z", "(-2)^z"),
        ] {
            let error = Tape::compile(&text.parse().unwrap()).unwrap_err();
            assert_eq!(&text[error.place()], part);
            assert_eq!(error.message(), format!("{part} is not a finite number"));
        }
    }

    #[test]
    fn values_are_those_of_the_closed_formulas() {
        type Formula = fn(f64, f64) -> f64;
        let formulas: [(&str, Formula); 14] = [
            ("1e-3*z-2", |z, _| 1e-3 * z - 2.0),
            ("-z^2", |z, _| -(z * z)),
            ("2^3^2*z", |z, _| 512.0 * z),
            ("2^-z", |z, _| (-z).exp2()),
            ("z/2/4", |z, _| z / 8.0),
            ("1-z-v", |z, v| 1.0 - z - v),
            ("pi*e^z", |z, _| std::f64::consts::PI * z.exp()),
            ("z^5", |z, _| z.powi(5)),
            ("abs(z)^1.7", |z, _| z.abs().powf(1.7)),
            ("(2+sin(z))^v", |z, v| (2.0 + z.sin()).powf(v)),
            ("z^-3", |z, _| z.powi(-3)),
            ("sign(z)+step(z)", |z, _| {
                z.signum() + f64::from(u8::from(z > 0.0))
            }),
            ("log(1+exp(z))", |z, _| z.exp().ln_1p()),
            ("z*sigmoid(z)", |z, _| z / (1.0 + (-z).exp())),
        ];
        for (text, formula) in formulas {
            for z in [-3.3, -1.0, -0.1, 0.2, 1.0, 2.7] {
                let (value, exact) = (tape(text).evaluate(z, 0.8), formula(z, 0.8));
                let error = (value - exact).abs();
                assert!(error <= 1e-14 * exact.abs().max(1.0), "{text} {z}: {error}");
            }
        }
    }

    /// Computes the value of an expression part by part, without a tape.
    fn value(expression: &Expression, z: f64, v: f64) -> f64 {
        let mut values: Vec<f64> = vec![];
        for node in expression.nodes() {
            values.push(match *node {
                Node::Z => z,
                Node::V => v,
                Node::Pi => std::f64::consts::PI,
                Node::E => std::f64::consts::E,
                Node::Number(x) => x,
                Node::Unary(op, a) => op.apply(values[a]),
                Node::Binary(op, a, b) => op.apply(values[a], values[b]),
            });
        }
        values[values.len() - 1]
    }

    proptest! {
        #[test]
        fn identities_do_not_change_values(
            text in super::super::expression::tests::expressions(),
            z in -3.0..3.0f64,
            v in 0.0..2.0f64,
        ) {
            let expression: Expression = text.parse().unwrap();
            let exact = value(&expression, z, v);
            if let Ok(tape) = Tape::compile(&expression) {
                let value = tape.evaluate(z, v);
                // Where parts cancel or overflow, rounding decides.
                let largest = tape.interpret(|op, done: &[f64]| op.apply(done, z, v));
                let sane = largest.iter().all(|x| x.abs() < 1e6);
                if sane && exact.abs() < 1e6 {
                    // Close to a jump either side may be met.
                    let near = tape.evaluate(z + 1e-9, v) - tape.evaluate(z - 1e-9, v);
                    prop_assume!(near.abs() < 1e-3);
                    prop_assert!((value - exact).abs() <= 1e-6 * exact.abs().max(1.0));
                }
            }
        }
    }
}
