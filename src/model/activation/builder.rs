//! This module applies the identities by which the spellings of one function become one tape.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::op::{Binary, Op, Register, Unary};

/// The largest whole exponent that becomes products.
const MAX_POWER: f64 = 1000.0;

/// `NotFinite` says that a constant has no finite value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotFinite;

type Result<T> = std::result::Result<T, NotFinite>;

/// `Builder` holds the operations so far, each once.
///
/// The rules hold in floating point too, to rounding; log1p and softplus are the more accurate.
#[derive(Debug, Default)]
pub(super) struct Builder {
    ops: Vec<Op>,
    /// Keys by which operands are ordered: they tell what is computed, not when it was pushed.
    keys: Vec<(u8, u64)>,
    known: HashMap<Op, Register>,
}

impl Builder {
    pub(super) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Pushes an operation as it is, without any rule, and returns its register.
    pub(super) fn push(&mut self, op: Op) -> Register {
        if let Some(&register) = self.known.get(&op) {
            return register;
        }
        let mut hasher = DefaultHasher::new();
        let class = match op {
            Op::Z => 0,
            Op::V => 1,
            Op::Unary(op, a) => {
                (op, self.keys[a]).hash(&mut hasher);
                2
            }
            Op::Binary(op, a, b) => {
                (op, self.keys[a], self.keys[b]).hash(&mut hasher);
                2
            }
            // Constants come last, as people write them.
            Op::Const(c) => {
                c.to_bits().hash(&mut hasher);
                3
            }
        };
        self.ops.push(op);
        self.keys.push((class, hasher.finish()));
        self.known.insert(op, self.ops.len() - 1);
        self.ops.len() - 1
    }

    /// Returns the register of a number.
    pub(super) fn constant(&mut self, c: f64) -> Result<Register> {
        if !c.is_finite() {
            return Err(NotFinite);
        }
        // -0 and 0 are one.
        Ok(self.push(Op::Const(c + 0.0)))
    }

    fn value(&self, a: Register) -> Option<f64> {
        match self.ops[a] {
            Op::Const(c) => Some(c),
            Op::Z | Op::V | Op::Unary(..) | Op::Binary(..) => None,
        }
    }

    fn is(&self, a: Register, c: f64) -> bool {
        self.value(a) == Some(c)
    }

    fn negated(&self, a: Register) -> Option<Register> {
        match self.ops[a] {
            Op::Unary(Unary::Neg, a) => Some(a),
            _ => None,
        }
    }

    /// Draws a sign (true for minus) out of a value, and returns it with what is left. The outcome
    /// for -a has the other sign and the same rest, wherever a has one.
    fn signed(&mut self, a: Register) -> Result<(bool, Register)> {
        Ok(match self.ops[a] {
            Op::Unary(Unary::Neg, a) => (true, a),
            Op::Const(c) if c < 0.0 => (true, self.constant(-c)?),
            Op::Binary(Binary::Sub, a, b) if self.keys[b] < self.keys[a] => {
                (true, self.binary(Binary::Sub, b, a)?)
            }
            _ => (false, a),
        })
    }

    fn with_sign(&mut self, minus: bool, a: Register) -> Result<Register> {
        if minus {
            self.unary(Unary::Neg, a)
        } else {
            Ok(a)
        }
    }

    /// Returns the register of a function of a value.
    pub(super) fn unary(&mut self, op: Unary, a: Register) -> Result<Register> {
        if let Some(c) = self.value(a) {
            return self.constant(op.apply(c));
        }
        match (op, self.ops[a]) {
            (Unary::Neg, Op::Unary(Unary::Neg, a)) => Ok(a),
            (Unary::Neg, Op::Binary(Binary::Sub, a, b)) => self.binary(Binary::Sub, b, a),
            (Unary::Abs, Op::Unary(Unary::Abs, _)) => Ok(a),
            (Unary::Sign | Unary::Sin | Unary::Tanh | Unary::Erf, _) => {
                let (minus, a) = self.signed(a)?;
                let value = self.push(Op::Unary(op, a));
                self.with_sign(minus, value)
            }
            (Unary::Abs | Unary::Cos, _) => {
                let (_, a) = self.signed(a)?;
                Ok(self.push(Op::Unary(op, a)))
            }
            (Unary::Log, Op::Binary(Binary::Add, a, b)) if self.is(b, 1.0) => {
                self.unary(Unary::Log1p, a)
            }
            // Where the exponent is a negative modulus nothing overflows: half of a softplus.
            (Unary::Log1p, Op::Unary(Unary::Exp, x)) if self.modulus(x).is_none() => {
                self.unary(Unary::Softplus, x)
            }
            (
                Unary::Neg
                | Unary::Step
                | Unary::Exp
                | Unary::Log
                | Unary::Log1p
                | Unary::Softplus
                | Unary::Sqrt
                | Unary::Sigmoid,
                _,
            ) => Ok(self.push(Op::Unary(op, a))),
        }
    }

    /// Returns the |x| of a value -|x|.
    fn modulus(&self, a: Register) -> Option<Register> {
        let a = self.negated(a)?;
        matches!(self.ops[a], Op::Unary(Unary::Abs, _)).then_some(a)
    }

    /// Returns the register of an operation of two values.
    pub(super) fn binary(&mut self, op: Binary, a: Register, b: Register) -> Result<Register> {
        if let (Some(a), Some(b)) = (self.value(a), self.value(b)) {
            return self.constant(op.apply(a, b));
        }
        let (a, b) = match op.commutes() && self.keys[b] < self.keys[a] {
            true => (b, a),
            false => (a, b),
        };
        match op {
            Binary::Add => self.add(a, b),
            Binary::Sub => self.sub(a, b),
            Binary::Mul => self.mul(a, b),
            Binary::Div => self.div(a, b),
            Binary::Pow => self.pow(a, b),
            Binary::Min => self.extreme(Binary::Min, Binary::Max, a, b),
            Binary::Max => self.extreme(Binary::Max, Binary::Min, a, b),
        }
    }

    fn add(&mut self, a: Register, b: Register) -> Result<Register> {
        for (a, b) in [(a, b), (b, a)] {
            if let Some(x) = self.softplus(a, b)? {
                return self.unary(Unary::Softplus, x);
            }
        }
        if a == b {
            let two = self.constant(2.0)?;
            return self.binary(Binary::Mul, a, two);
        }
        if let Some(c) = self.value(b) {
            if c == 0.0 {
                return Ok(a);
            }
            if c < 0.0 {
                let c = self.constant(-c)?;
                return self.binary(Binary::Sub, a, c);
            }
        }
        if let Some(b) = self.negated(b) {
            return self.binary(Binary::Sub, a, b);
        }
        if let Some(a) = self.negated(a) {
            return self.binary(Binary::Sub, b, a);
        }
        Ok(self.push(Op::Binary(Binary::Add, a, b)))
    }

    /// Returns the x of a softplus, max(x,0) + log1p(exp(-|x|)).
    fn softplus(&mut self, a: Register, b: Register) -> Result<Option<Register>> {
        let (Op::Unary(Unary::Log1p, exp), x) = (self.ops[b], self.positive_part(a)?) else {
            return Ok(None);
        };
        let (Op::Unary(Unary::Exp, y), Some(x)) = (self.ops[exp], x) else {
            return Ok(None);
        };
        let modulus = self.unary(Unary::Abs, x)?;
        Ok((self.modulus(y) == Some(modulus)).then_some(x))
    }

    /// Returns the x of max(x,0), which may be written -min(-x,0).
    fn positive_part(&mut self, a: Register) -> Result<Option<Register>> {
        Ok(match self.ops[a] {
            Op::Binary(Binary::Max, x, zero) if self.is(zero, 0.0) => Some(x),
            Op::Unary(Unary::Neg, a) => match self.ops[a] {
                Op::Binary(Binary::Min, x, zero) if self.is(zero, 0.0) => {
                    Some(self.unary(Unary::Neg, x)?)
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn sub(&mut self, a: Register, b: Register) -> Result<Register> {
        if a == b {
            return self.constant(0.0);
        }
        match (self.value(a), self.value(b)) {
            (_, Some(0.0)) => return Ok(a),
            (Some(0.0), _) => return self.unary(Unary::Neg, b),
            (_, Some(c)) if c < 0.0 => {
                let c = self.constant(-c)?;
                return self.binary(Binary::Add, a, c);
            }
            (Some(c), _) if c < 0.0 => {
                let c = self.constant(-c)?;
                let sum = self.binary(Binary::Add, b, c)?;
                return self.unary(Unary::Neg, sum);
            }
            _ => {}
        }
        match (self.negated(a), self.negated(b)) {
            (Some(a), Some(b)) => self.binary(Binary::Sub, b, a),
            (None, Some(b)) => self.binary(Binary::Add, a, b),
            (Some(a), None) => {
                let sum = self.binary(Binary::Add, a, b)?;
                self.unary(Unary::Neg, sum)
            }
            (None, None) => Ok(self.push(Op::Binary(Binary::Sub, a, b))),
        }
    }

    fn mul(&mut self, a: Register, b: Register) -> Result<Register> {
        let ((minus_a, a), (minus_b, b)) = (self.signed(a)?, self.signed(b)?);
        let product = match self.value(b) {
            Some(0.0) => b,
            Some(1.0) => a,
            _ if self.keys[b] < self.keys[a] => self.push(Op::Binary(Binary::Mul, b, a)),
            _ => self.push(Op::Binary(Binary::Mul, a, b)),
        };
        self.with_sign(minus_a != minus_b, product)
    }

    fn div(&mut self, a: Register, b: Register) -> Result<Register> {
        if let Some(c) = self.value(b) {
            if c == 0.0 {
                return Err(NotFinite);
            }
            // By a power of two: the product is the same.
            let inverse = 1.0 / c;
            if inverse.is_normal() && c.to_bits().trailing_zeros() >= 52 {
                let inverse = self.constant(inverse)?;
                return self.binary(Binary::Mul, a, inverse);
            }
        }
        let ((minus_a, a), (minus_b, b)) = (self.signed(a)?, self.signed(b)?);
        let ratio = match self.value(a) {
            Some(0.0) => a,
            _ => self.push(Op::Binary(Binary::Div, a, b)),
        };
        self.with_sign(minus_a != minus_b, ratio)
    }

    fn pow(&mut self, a: Register, b: Register) -> Result<Register> {
        match (self.value(a), self.value(b)) {
            (_, Some(n)) if n.fract() == 0.0 && n.abs() <= MAX_POWER => {
                let power = self.whole_power(a, n.abs() as u32)?;
                if n >= 0.0 {
                    return Ok(power);
                }
                let one = self.constant(1.0)?;
                self.binary(Binary::Div, one, power)
            }
            (_, Some(0.5)) => self.unary(Unary::Sqrt, a),
            (_, Some(_)) => Ok(self.push(Op::Binary(Binary::Pow, a, b))),
            (Some(c), None) => {
                let log = self.constant(libm::log(c))?;
                let exponent = self.binary(Binary::Mul, b, log)?;
                self.unary(Unary::Exp, exponent)
            }
            (None, None) => {
                let log = self.unary(Unary::Log, a)?;
                let exponent = self.binary(Binary::Mul, b, log)?;
                self.unary(Unary::Exp, exponent)
            }
        }
    }

    /// Raises a value to a whole power by squaring.
    fn whole_power(&mut self, a: Register, n: u32) -> Result<Register> {
        let (mut power, mut square) = (self.constant(1.0)?, a);
        for bit in 0..u32::BITS - n.leading_zeros() {
            if bit > 0 {
                square = self.binary(Binary::Mul, square, square)?;
            }
            if n >> bit & 1 == 1 {
                power = self.binary(Binary::Mul, power, square)?;
            }
        }
        Ok(power)
    }

    /// Returns the greater or lesser of two values; `other` is the opposite of `op`.
    fn extreme(&mut self, op: Binary, other: Binary, a: Register, b: Register) -> Result<Register> {
        if a == b {
            return Ok(a);
        }
        if self.negated(a) == Some(b) || self.negated(b) == Some(a) {
            let modulus = self.unary(Unary::Abs, a)?;
            return self.with_sign(op == Binary::Min, modulus);
        }
        let opposite = match (self.negated(a), self.negated(b), self.value(b)) {
            (Some(a), Some(b), _) => Some((a, b)),
            (Some(a), _, Some(c)) => Some((a, self.constant(-c)?)),
            _ => None,
        };
        if let Some((a, b)) = opposite {
            let value = self.binary(other, a, b)?;
            return self.unary(Unary::Neg, value);
        }
        // Between two bounds: the lower one first.
        if let (Binary::Max, Op::Binary(Binary::Min, x, high), Some(low)) =
            (op, self.ops[a], self.value(b))
            && self.value(high).is_some_and(|high| low <= high)
        {
            let raised = self.binary(Binary::Max, x, b)?;
            return self.binary(Binary::Min, raised, high);
        }
        Ok(self.push(Op::Binary(op, a, b)))
    }

    /// Lists the operations that a value needs, in an order that depends on the value alone, and
    /// where they stand in `ops`.
    pub(super) fn finish(&self, result: Register) -> (Vec<Op>, Vec<Register>) {
        let (mut ops, mut origins) = (vec![], vec![]);
        self.order(result, &mut HashMap::new(), &mut ops, &mut origins);
        (ops, origins)
    }

    /// Lists the operations that several values need, and where in the list these are.
    pub(super) fn finish_all(&self, results: &[Register]) -> (Vec<Op>, Vec<Register>) {
        let mut places = HashMap::new();
        let (mut ops, mut origins) = (vec![], vec![]);
        for &result in results {
            self.order(result, &mut places, &mut ops, &mut origins);
        }
        (ops, results.iter().map(|result| places[result]).collect())
    }

    /// Adds the operations that a value needs to those that have their places already.
    fn order(
        &self,
        result: Register,
        places: &mut HashMap<Register, Register>,
        ops: &mut Vec<Op>,
        origins: &mut Vec<Register>,
    ) {
        if places.contains_key(&result) {
            return;
        }
        let mut open = vec![result];
        while let Some(&register) = open.last() {
            let op = self.ops[register];
            let operands = match op {
                Op::Z | Op::V | Op::Const(_) => [None, None],
                Op::Unary(_, a) => [Some(a), None],
                Op::Binary(_, a, b) => [Some(a), Some(b)],
            };
            let missing = |a: &Register| !places.contains_key(a);
            if let Some(operand) = operands.into_iter().flatten().find(missing) {
                open.push(operand);
                continue;
            }
            open.pop();
            let op = match op {
                Op::Unary(op, a) => Op::Unary(op, places[&a]),
                Op::Binary(op, a, b) => Op::Binary(op, places[&a], places[&b]),
                Op::Z | Op::V | Op::Const(_) => op,
            };
            places.insert(register, ops.len());
            ops.push(op);
            origins.push(register);
        }
    }
}
