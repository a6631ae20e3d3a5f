//! The activation as shaders compute it: the text that is tuned by hand where there is one,
//! straight-line code made from the tape where there is none.
//!
//! An operation that WGSL leaves too inaccurate is a function of `shaders/operations/`, good to 4
//! units in the last place or 1e-7 of the larger of its value and 1; sine and cosine up to |x| =
//! 10^5. Negation, modulus, sign, step, sums, products, lesser and greater are WGSL's own, and so
//! are quotients (2.5 units in the last place).

use serde::Serialize;

use crate::model::Builtin;
use crate::model::activation::{Binary, Dual, Op, Register, Tape, Unary};

/// The unit of `activation.wgsl` for arguments of erf, which makes the highest coefficients of its
/// fit 1 (`scripts/fit/erf.py`).
const ERF_UNIT: f64 = 0.05977065436;

/// The activation in `activation.wgsl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Code {
    /// `erf`, `relu`, `exp`, `tape`, or `dual` with the derivative.
    pub name: &'static str,
    /// The unit of the arguments.
    pub unit: f64,
    /// Whether it takes the variance of the pre-activation at the point.
    pub uses_variance: bool,
    /// Of a tape: the files of `shaders/operations/`, each after those that it needs.
    operations: Vec<&'static str>,
    /// Of a tape: the body of the function.
    statements: Vec<String>,
}

impl Code {
    /// The text that is tuned by hand.
    pub fn builtin(builtin: Builtin) -> Self {
        let (name, unit) = match builtin {
            Builtin::Erf => ("erf", ERF_UNIT),
            Builtin::Relu => ("relu", 1.0),
            // Powers of two.
            Builtin::ExpNormalised => ("exp", std::f64::consts::LOG2_E),
        };
        Self {
            name,
            unit,
            uses_variance: false,
            operations: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// A statement for each operation of a tape.
    pub fn tape(tape: &Tape) -> Self {
        let results = tape.ops().len().checked_sub(1);
        let last = results.map(|last| format!("return {};", vector(tape.ops(), last)));
        Self::straight("tape", tape.ops(), last)
    }

    /// The same of an activation with its derivative, for `train/dual.wgsl`.
    pub fn dual(dual: &Dual) -> Self {
        let [value, slope] = dual.results().map(|result| vector(dual.ops(), result));
        Self::straight(
            "dual",
            dual.ops(),
            Some(format!("return Dual({value}, {slope});")),
        )
    }

    fn straight(name: &'static str, ops: &[Op], last: Option<String>) -> Self {
        let mut operations = Vec::new();
        for &op in ops {
            for &file in files(op) {
                if !operations.contains(&file) {
                    operations.push(file);
                }
            }
        }
        let mut statements = statements(ops);
        statements.extend(last);
        Self {
            name,
            unit: 1.0,
            uses_variance: ops.contains(&Op::V),
            operations,
            statements,
        }
    }

    /// How many statements it takes, about.
    pub fn length(&self) -> usize {
        self.statements.len() + OPERATION * self.operations.len()
    }

    /// Whether it costs no more than a few products.
    pub fn is_cheap(&self) -> bool {
        match self.name {
            "tape" => self.operations.is_empty() && self.statements.len() <= CHEAP,
            name => name == "relu",
        }
    }

    /// What it adds to [`statements`](super::networks::statements) for each evaluation of four
    /// units: what is longer than the longest text tuned by hand.
    pub fn excess(&self) -> usize {
        self.length() / LONGEST_BY_HAND
    }
}

/// Statements up to which a tape without functions is cheap.
const CHEAP: usize = 4;
/// Statements of a function of `shaders/operations/`, about.
const OPERATION: usize = 10;
/// Operations of the longest text tuned by hand, about.
const LONGEST_BY_HAND: usize = 20;

/// The files that an operation needs.
fn files(op: Op) -> &'static [&'static str] {
    match op {
        Op::Z | Op::V | Op::Const(_) => &[],
        Op::Unary(op, _) => match op {
            Unary::Neg | Unary::Abs | Unary::Sign | Unary::Step => &[],
            Unary::Exp => &["exponential", "exp"],
            Unary::Log => &["logarithm", "log"],
            Unary::Log1p => &["logarithm", "log1p"],
            Unary::Softplus => &["exponential", "exp", "softplus"],
            Unary::Sqrt => &["sqrt"],
            Unary::Sin => &["quarters", "sin"],
            Unary::Cos => &["quarters", "cos"],
            Unary::Tanh => &["exponential", "tanh"],
            Unary::Sigmoid => &["exponential", "exp", "sigmoid"],
            Unary::Erf => &["exponential", "exp", "erf"],
        },
        Op::Binary(Binary::Pow, ..) => &["pow"],
        Op::Binary(..) => &[],
    }
}

/// The body of a function of `z`, and `v`, that the operations are, but what it returns.
fn statements(ops: &[Op]) -> Vec<String> {
    (ops.iter().enumerate())
        .filter_map(|(register, &op)| {
            let value = value(ops, op)?;
            Some(format!("let r{register} = {value};"))
        })
        .collect()
}

/// The expression of an operation that has a statement of its own.
fn value(ops: &[Op], op: Op) -> Option<String> {
    let vector = |a| vector(ops, a);
    Some(match op {
        Op::Z | Op::Const(_) => return None,
        Op::V => "vec4f(v)".into(),
        Op::Unary(op, a) => match (op, vector(a)) {
            (Unary::Neg, a) => format!("-{a}"),
            (Unary::Abs | Unary::Sign, a) => format!("{}({a})", op.name()),
            (Unary::Step, a) => format!("select(vec4f(0.0), vec4f(1.0), {a} > vec4f(0.0))"),
            (
                Unary::Exp
                | Unary::Log
                | Unary::Log1p
                | Unary::Softplus
                | Unary::Sqrt
                | Unary::Sin
                | Unary::Cos
                | Unary::Tanh
                | Unary::Sigmoid
                | Unary::Erf,
                a,
            ) => format!("op_{}({a})", op.name()),
        },
        Op::Binary(op, a, b) => match (op, ops[b]) {
            (Binary::Min | Binary::Max, _) => {
                format!("{}({}, {})", op.name(), vector(a), vector(b))
            }
            (Binary::Pow, Op::Const(c)) => power(&vector(a), c),
            (Binary::Pow, _) => unreachable!("exponents on tapes are constants"),
            // The product has less to wait for.
            (Binary::Div, Op::Const(c)) if is_normal(1.0 / c) => {
                format!("{} * {}", vector(a), literal(1.0 / c))
            }
            (Binary::Add | Binary::Sub | Binary::Mul | Binary::Div, Op::Const(c)) => {
                format!("{} {} {}", vector(a), op.name(), literal(c))
            }
            (Binary::Add | Binary::Sub | Binary::Mul | Binary::Div, _) => {
                format!("{} {} {}", scalar(ops, a), op.name(), vector(b))
            }
        },
    })
}

/// A value as a vector.
fn vector(ops: &[Op], register: Register) -> String {
    match ops[register] {
        Op::Z => "z".into(),
        Op::Const(c) => format!("vec4f({})", literal(c)),
        Op::V | Op::Unary(..) | Op::Binary(..) => format!("r{register}"),
    }
}

/// A value beside a vector, where a number will do.
fn scalar(ops: &[Op], register: Register) -> String {
    match ops[register] {
        Op::Const(c) => literal(c),
        _ => vector(ops, register),
    }
}

/// A call of `op_pow` with its constants in parts: the first ones are so short that their products
/// with an exponent of f32 and with 12 bits are exact.
fn power(base: &str, exponent: f64) -> String {
    let scale = exponent * std::f64::consts::LOG2_E;
    let (high, scale_high) = (shortened(exponent, 16), shortened(scale, 12));
    let parts = [high, exponent - high, scale, scale_high, scale - scale_high];
    let [a, b, c, d, e] = parts.map(literal);
    format!("op_pow({base}, vec2f({a}, {b}), vec3f({c}, {d}, {e}))")
}

/// The leading bits of a number.
fn shortened(x: f64, bits: u32) -> f64 {
    f64::from_bits(x.to_bits() & (u64::MAX << (f64::MANTISSA_DIGITS - bits)))
}

/// Whether f32 holds a number to full precision.
fn is_normal(x: f64) -> bool {
    (x as f32).is_normal()
}

/// The nearest f32 that every adapter has, with the digits of its exact value.
pub fn literal(x: f64) -> String {
    let nearest = (x as f32).clamp(f32::MIN, f32::MAX);
    let normal = if nearest.is_normal() { nearest } else { 0.0 };
    format!("{:?}", f64::from(normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        Code::tape(&Tape::compile(&text.parse().unwrap()).unwrap())
    }

    #[test]
    fn a_tape_is_straight_line_code() {
        let code = code("z*tanh(softplus(z)) + max(z, 0.1) - v/3");
        assert_eq!(code.operations, ["exponential", "exp", "softplus", "tanh"]);
        assert!(code.uses_variance);
        let wanted = [
            "= op_softplus(z);",
            "= vec4f(v);",
            "max(z, vec4f(0.10000000149011612));",
            "* 0.3333333432674408;",
        ];
        for part in wanted {
            let found = code.statements.iter().any(|s| s.ends_with(part));
            assert!(found, "{part}: {:#?}", code.statements);
        }
        assert!(code.statements.iter().all(|s| s.ends_with(';')));
    }

    #[test]
    fn constants_are_the_nearest_f32() {
        for (x, text) in [
            (0.1, "0.10000000149011612"),
            (-2.0, "-2.0"),
            (1e-40, "0.0"),
            (1e40, "3.4028234663852886e38"),
        ] {
            assert_eq!(literal(x), text);
        }
        for c in [0.3, 1.7, -2.5, 12.3] {
            let high = shortened(c, 16);
            assert!((c - high).abs() < c.abs() * 2f64.powi(-15));
            assert_eq!(high * 255.0, f64::from((high * 255.0) as f32));
        }
    }

    #[test]
    fn only_products_are_cheap() {
        assert!(code("max(z, 0.01*z)").is_cheap());
        assert!(!code("tanh(z)").is_cheap());
        assert!(!code("z^9 + z^7 + z^3").is_cheap());
    }
}
