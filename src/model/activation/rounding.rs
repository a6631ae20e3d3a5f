//! This module bounds what rounding to f32 makes of an activation.

use super::Tape;
use super::interval::Interval;
use super::op::{Binary, Op, Unary};

/// Relative error of an operation in f32: 4 units in the last place, of at most 2^-23 each.
const RELATIVE: f64 = 4.0 / 8_388_608.0;
/// Absolute error that a function may have instead.
const ABSOLUTE: f64 = 1e-7;

impl Tape {
    /// Bounds the error of the activation in f32, where the pre-activation is off by as much as
    /// `error`: the largest distance from the value at `z` of what operations can yield that are
    /// good to 4 units in the last place, functions to those or 1e-7. The bound is infinite where
    /// an operation may leave its domain.
    ///
    /// ```
    /// use nnqft_gpu::model::activation::Tape;
    ///
    /// let tape = |text: &str| Tape::compile(&text.parse()?);
    /// // The slope at 0 is 1, far out the activation is 1 whatever z.
    /// assert!((tape("tanh(z)")?.error_in_f32(0.0, 1.0, 1e-5) - 1.01e-5).abs() < 1e-7);
    /// assert!(tape("tanh(z)")?.error_in_f32(9.0, 1.0, 1e-5) < 1e-6);
    /// // Next to a jump the error is the jump.
    /// assert_eq!(tape("step(z)")?.error_in_f32(1e-6, 1.0, 1e-5), 1.0);
    /// # Ok::<(), nnqft_gpu::model::activation::ExpressionError>(())
    /// ```
    pub fn error_in_f32(&self, z: f64, v: f64, error: f64) -> f64 {
        let around = Interval::new(z - error, z + error);
        let variance = rounded(Op::V, Interval::new(v, v));
        let values = self.interpret(|op, done| match op {
            Op::Z | Op::V => Interval::apply(op, done, around, variance),
            _ => rounded(op, Interval::apply(op, done, around, variance)),
        });
        let (exact, last) = (self.evaluate(z, v), values[values.len() - 1]);
        let distance = (last.high - exact).max(exact - last.low);
        if distance.is_nan() {
            f64::INFINITY
        } else {
            distance
        }
    }
}

/// Widens the values of an operation by its error.
fn rounded(op: Op, values: Interval) -> Interval {
    let absolute = match op {
        Op::Unary(Unary::Neg | Unary::Abs | Unary::Sign | Unary::Step, _)
        | Op::Binary(Binary::Min | Binary::Max, ..) => return values,
        // Below 2^-126 some adapters know nothing but 0.
        Op::Z
        | Op::V
        | Op::Const(_)
        | Op::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div, ..) => {
            f64::from(f32::MIN_POSITIVE)
        }
        Op::Unary(
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
            _,
        )
        | Op::Binary(Binary::Pow, ..) => ABSOLUTE,
    };
    let error = |x: f64| (RELATIVE * x.abs()).max(absolute);
    Interval::new(
        values.low - error(values.low),
        values.high + error(values.high),
    )
}

#[cfg(test)]
mod tests {
    use super::super::expressions;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn operations_in_f32_stay_within_the_bound(
            text in expressions(),
            z in -8.0..8.0f64,
            v in 0.0..4.0f64,
            off in -1.0..=1.0f64,
        ) {
            let Ok(tape) = Tape::compile(&text.parse().unwrap()) else { return Ok(()) };
            let error = 1e-6;
            let near = f64::from((z + off * error) as f32);
            prop_assume!((near - z).abs() <= error);
            // Rounding may take a constant onto the reals: (-1)^p is real for whole p alone.
            prop_assume!(tape.evaluate(z, v).is_finite());
            let values = tape.interpret(|op, done: &[f64]| f64::from(op.apply(done, near, v) as f32));
            // Beyond the reals, and beyond f32, all is lost.
            if values.iter().all(|x| x.is_finite()) {
                let distance = (values[values.len() - 1] - tape.evaluate(z, v)).abs();
                let bound = tape.error_in_f32(z, v, error);
                prop_assert!(distance <= bound, "{text}: {distance:e} {bound:e}");
            }
        }
    }

    #[test]
    fn the_bound_is_that_of_the_slope() {
        for (text, z, slope) in [
            ("z", 3.0, 1.0),
            ("exp(z)", 2.0, 2f64.exp()),
            ("max(z,0)", -1.0, 0.0),
            ("max(z,0)", 2.0, 1.0),
            ("z*exp(-z^2)", 0.0, 1.0),
            ("sin(z)", 0.0, 1.0),
            ("z^3", 2.0, 12.0),
        ] {
            let tape = Tape::compile(&text.parse().unwrap()).unwrap();
            let (bound, size) = (tape.error_in_f32(z, 1.0, 1e-4), tape.evaluate(z, 1.0).abs());
            let slack = 1e-7 + 4e-6 * size.max(1.0);
            assert!((bound - 1e-4 * slope).abs() < slack, "{text}: {bound:e}");
        }
    }
}
