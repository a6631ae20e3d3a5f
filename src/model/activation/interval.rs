//! This module evaluates tapes on intervals: it finds all values that an operation can take.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::op::{Binary, Op, Unary};

/// `Interval` holds the numbers from `low` to `high`, which may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Interval {
    pub(super) const ALL: Self = Self::new(f64::NEG_INFINITY, f64::INFINITY);

    pub(super) const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    pub(super) fn contains(self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    pub(super) fn is_bounded(self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }

    /// Returns the hull of numbers; an unknown number makes it all numbers.
    fn hull(values: [f64; 4]) -> Self {
        if values.iter().any(|x| x.is_nan()) {
            return Self::ALL;
        }
        let low = values.into_iter().fold(f64::INFINITY, f64::min);
        let high = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Self { low, high }
    }

    /// Applies a function that grows; outside its domain it is not evaluated.
    fn grow(self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(f(self.low), f(self.high))
    }

    /// Applies a wave with period 2 pi and its crests at `crest`.
    fn wave(self, crest: f64, f: impl Fn(f64) -> f64) -> Self {
        let largest = self.low.abs().max(self.high.abs());
        // Far out the phase is lost.
        if largest.is_nan() || largest > 1e9 || self.high - self.low >= TAU {
            return Self::new(-1.0, 1.0);
        }
        let (slack, ends) = (1e-15 * largest, [f(self.low), f(self.high)]);
        let meets = |place: f64| {
            let first = ((self.low - slack - place) / TAU).ceil();
            place + TAU * first <= self.high + slack
        };
        let low = if meets(crest + PI) {
            -1.0
        } else {
            ends[0].min(ends[1])
        };
        let high = if meets(crest) {
            1.0
        } else {
            ends[0].max(ends[1])
        };
        Self { low, high }
    }

    fn unary(self, op: Unary) -> Self {
        let from = |least: f64| Self::new(self.low.max(least), self.high.max(least));
        let apply = |x| op.apply(x);
        match op {
            Unary::Neg => Self::new(-self.high, -self.low),
            Unary::Abs if self.contains(0.0) => Self::new(0.0, self.high.max(-self.low)),
            Unary::Abs if self.high < 0.0 => self.unary(Unary::Neg),
            Unary::Abs => self,
            Unary::Log | Unary::Sqrt => from(0.0).grow(apply),
            Unary::Log1p => from(-1.0).grow(apply),
            Unary::Sin => self.wave(FRAC_PI_2, apply),
            Unary::Cos => self.wave(0.0, apply),
            Unary::Sign
            | Unary::Step
            | Unary::Exp
            | Unary::Softplus
            | Unary::Tanh
            | Unary::Sigmoid
            | Unary::Erf => self.grow(apply),
        }
    }

    fn product(self, other: Self) -> Self {
        // Infinite ends stand for all numbers beyond any bound, which are 0 if multiplied by 0.
        let times = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
        Self::hull([
            times(self.low, other.low),
            times(self.low, other.high),
            times(self.high, other.low),
            times(self.high, other.high),
        ])
    }

    fn inverse(self) -> Self {
        if self.low > 0.0 || self.high < 0.0 {
            Self::new(1.0 / self.high, 1.0 / self.low)
        } else {
            Self::ALL
        }
    }

    fn quotient(self, other: Self) -> Self {
        // Numbers, not inverses, where they are finite: one rounding less.
        if other.contains(0.0) || !self.is_bounded() || !other.is_bounded() {
            return self.product(other.inverse());
        }
        Self::hull([
            self.low / other.low,
            self.low / other.high,
            self.high / other.low,
            self.high / other.high,
        ])
    }

    pub(super) fn sum(self, other: Self) -> Self {
        let known = |x: f64, else_: f64| if x.is_nan() { else_ } else { x };
        let low = known(self.low + other.low, f64::NEG_INFINITY);
        let high = known(self.high + other.high, f64::INFINITY);
        Self { low, high }
    }

    pub(super) fn difference(self, other: Self) -> Self {
        self.sum(other.unary(Unary::Neg))
    }

    fn power(self, exponent: f64) -> Self {
        let base = Self::new(self.low.max(0.0), self.high.max(0.0));
        let power = |x| libm::pow(x, exponent);
        Self::hull([base.low, base.high, base.low, base.high].map(power))
    }

    /// Widens the interval by the errors of rounding. Zero is exact, but for underflow of what is
    /// not zero; beyond all floats there are still numbers.
    fn outward(self, within: Self) -> Self {
        let by = |x: f64| x.abs() * 2.0 * f64::EPSILON;
        let low = match self.low {
            x if x.is_finite() => x - by(x),
            x => x.min(f64::MAX),
        };
        let high = match self.high {
            0.0 if self.low == 0.0 => f64::MIN_POSITIVE,
            x if x.is_finite() => x + by(x),
            x => x.max(f64::MIN),
        };
        Self::new(low.max(within.low), high.min(within.high))
    }

    /// Returns the values of an operation for `z` and `v` in intervals, given those of all earlier
    /// ones.
    pub(super) fn apply(op: Op, done: &[Self], z: Self, v: Self) -> Self {
        let zero = |a: usize| done[a] == Self::new(0.0, 0.0);
        match op {
            Op::Z => z,
            Op::V => v,
            Op::Const(c) => Self::new(c, c),
            Op::Unary(op, a) => {
                let values = done[a].unary(op);
                match op {
                    Unary::Neg | Unary::Abs | Unary::Sign | Unary::Step => values,
                    Unary::Sin | Unary::Cos | Unary::Tanh | Unary::Erf if !zero(a) => {
                        values.outward(Self::new(-1.0, 1.0))
                    }
                    Unary::Sigmoid => values.outward(Self::new(0.0, 1.0)),
                    Unary::Exp | Unary::Softplus => values.outward(Self::new(0.0, f64::INFINITY)),
                    Unary::Log | Unary::Log1p | Unary::Sqrt if !zero(a) => {
                        values.outward(Self::ALL)
                    }
                    // These are exact at 0.
                    Unary::Sin
                    | Unary::Cos
                    | Unary::Tanh
                    | Unary::Erf
                    | Unary::Log
                    | Unary::Log1p
                    | Unary::Sqrt => values,
                }
            }
            Op::Binary(Binary::Mul, a, b) if a == b && !zero(a) => done[a]
                .unary(Unary::Abs)
                .grow(|x| x * x)
                .outward(Self::new(0.0, f64::INFINITY)),
            Op::Binary(op, a, b) => {
                let is_zero = match op {
                    Binary::Mul => zero(a) || zero(b),
                    Binary::Div | Binary::Pow => zero(a),
                    // Floats that cancel are equal.
                    _ => true,
                };
                let (a, b) = (done[a], done[b]);
                let values = match op {
                    Binary::Add => a.sum(b),
                    Binary::Sub => a.difference(b),
                    Binary::Mul => a.product(b),
                    Binary::Div => a.quotient(b),
                    Binary::Pow => a.power(b.low),
                    Binary::Min => return Self::new(a.low.min(b.low), a.high.min(b.high)),
                    Binary::Max => return Self::new(a.low.max(b.low), a.high.max(b.high)),
                };
                if is_zero && values == Self::new(0.0, 0.0) {
                    values
                } else {
                    values.outward(Self::ALL)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tape;
    use super::super::expression::{Expression, tests::expressions};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_lies_in_its_interval(
            text in expressions(),
            low in -20.0..20.0f64,
            width in 0.0..10.0f64,
            at in 0.0..=1.0f64,
            v in 0.0..4.0f64,
        ) {
            let expression: Expression = text.parse().unwrap();
            if let Ok(tape) = Tape::compile(&expression) {
                let (z, vs) = (Interval::new(low, low + width), Interval::new(0.0, 4.0));
                let intervals = tape.interpret(|op, done| Interval::apply(op, done, z, vs));
                let point = (low + at * width).min(z.high);
                let values = tape.interpret(|op, done| op.apply(done, point, v));
                for (x, interval) in values.into_iter().zip(intervals) {
                    // Beyond the reals all is lost.
                    if !x.is_finite() {
                        break;
                    }
                    let slack = 1e-12 * x.abs().max(1.0);
                    prop_assert!(interval.low <= x + slack && x - slack <= interval.high);
                }
            }
        }
    }

    #[test]
    fn squares_are_not_negative_and_waves_have_crests() {
        let values = |text: &str, low, high| {
            let tape = Tape::compile(&text.parse().unwrap()).unwrap();
            let (z, v) = (Interval::new(low, high), Interval::new(0.0, 1.0));
            let all = tape.interpret(|op, done| Interval::apply(op, done, z, v));
            all[all.len() - 1]
        };
        let near = |x: f64, y: f64| (x - y).abs() < 1e-13;
        for (text, most) in [("z^2", 4.0), ("z^4", 16.0)] {
            let square = values(text, -2.0, 1.0);
            assert!(square.low == 0.0 && near(square.high, most), "{square:?}");
        }
        assert_eq!(values("sin(z)", 0.0, 2.0).high, 1.0);
        assert_eq!(values("cos(z)", 3.0, 4.0).low, -1.0);
        assert!(near(values("cos(z)", 0.5, 1.0).high, libm::cos(0.5)));
        assert_eq!(values("z*z-z", f64::NEG_INFINITY, 0.0).high, f64::INFINITY);
        assert_eq!(values("1/z", -1.0, 1.0), Interval::ALL);
        assert_eq!(
            values("tanh(z)", f64::NEG_INFINITY, f64::INFINITY).low,
            -1.0
        );
    }
}
