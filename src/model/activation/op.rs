//! This module lists the operations that activations are made of.

use std::hash::{Hash, Hasher};

/// A register is a value of a tape, known by the position of the operation that yields it.
pub type Register = usize;

/// `Unary` is an operation of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unary {
    /// `-x`
    Neg,
    /// `|x|`
    Abs,
    /// -1, 0 or 1, as x is negative, zero or positive.
    Sign,
    /// 1 where x is positive, otherwise 0.
    Step,
    /// The exponential.
    Exp,
    /// The natural logarithm.
    Log,
    /// `log(1 + x)`, accurate for small x.
    Log1p,
    /// `log(1 + exp(x))`, which overflows nowhere.
    Softplus,
    /// The square root.
    Sqrt,
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// The error function.
    Erf,
}

impl Unary {
    /// Every operation of one operand.
    pub const ALL: [Self; 14] = [
        Self::Neg,
        Self::Abs,
        Self::Sign,
        Self::Step,
        Self::Exp,
        Self::Log,
        Self::Log1p,
        Self::Softplus,
        Self::Sqrt,
        Self::Sin,
        Self::Cos,
        Self::Tanh,
        Self::Sigmoid,
        Self::Erf,
    ];

    /// Returns the name of the function in expressions; `-` is written as an operator.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neg => "-",
            Self::Abs => "abs",
            Self::Sign => "sign",
            Self::Step => "step",
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Log1p => "log1p",
            Self::Softplus => "softplus",
            Self::Sqrt => "sqrt",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Erf => "erf",
        }
    }

    /// Applies the operation at `x`.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Neg => -x,
            Self::Abs => x.abs(),
            Self::Sign => f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
            Self::Step => f64::from(u8::from(x > 0.0)),
            Self::Exp => libm::exp(x),
            Self::Log => libm::log(x),
            Self::Log1p => libm::log1p(x),
            Self::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Self::Sqrt => x.sqrt(),
            Self::Sin => libm::sin(x),
            Self::Cos => libm::cos(x),
            Self::Tanh => libm::tanh(x),
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Self::Erf => libm::erf(x),
        }
    }
}

/// `Binary` is an operation of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a ^ b`. On a tape `b` is a constant that is no whole number (those are products) and `a`
    /// is not negative.
    Pow,
    /// The lesser of two operands.
    Min,
    /// The greater of two operands.
    Max,
}

impl Binary {
    /// Every operation of two operands.
    pub const ALL: [Self; 7] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Pow,
        Self::Min,
        Self::Max,
    ];

    /// Returns the name of the operator or function in expressions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Pow => "^",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    /// Applies the operation at `a` and `b`.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow => libm::pow(a, b),
            Self::Min => a.min(b),
            Self::Max => a.max(b),
        }
    }

    /// Tells whether the operands may be swapped.
    pub(super) fn commutes(self) -> bool {
        match self {
            Self::Add | Self::Mul | Self::Min | Self::Max => true,
            Self::Sub | Self::Div | Self::Pow => false,
        }
    }
}

/// `Op` is one step of a tape.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The pre-activation.
    Z,
    /// The variance of the pre-activation at the point.
    V,
    /// A finite number, never -0.
    Const(f64),
    /// An operation of one earlier value.
    Unary(Unary, Register),
    /// An operation of two earlier values.
    Binary(Binary, Register, Register),
}

// Constants are finite, so that equality is an equivalence.
impl Eq for Op {}

impl Hash for Op {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::Z | Self::V => {}
            Self::Const(c) => c.to_bits().hash(state),
            Self::Unary(op, a) => (op, a).hash(state),
            Self::Binary(op, a, b) => (op, a, b).hash(state),
        }
    }
}

impl Op {
    /// Computes the value of the step, given `z`, `v` and all earlier values.
    pub fn apply(self, registers: &[f64], z: f64, v: f64) -> f64 {
        match self {
            Self::Z => z,
            Self::V => v,
            Self::Const(c) => c,
            Self::Unary(op, a) => op.apply(registers[a]),
            Self::Binary(op, a, b) => op.apply(registers[a], registers[b]),
        }
    }
}
