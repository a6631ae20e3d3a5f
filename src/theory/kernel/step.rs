//! Second moments of activations a + b z + (c + d z) e(z), e an error function or a sign: step, abs,
//! leaky ReLU, GELU.

use std::f64::consts::{FRAC_2_PI, FRAC_2_SQRT_PI, SQRT_2};

use super::super::average::Moment;
use super::Gram;
use crate::model::activation::{Binary, Op, Tape, Unary};

/// `constant + linear z + (step + slope z) e(z)` with e(z) = erf(sharpness z), the sign of z if that is
/// infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stepped {
    constant: f64,
    linear: f64,
    step: f64,
    slope: f64,
    sharpness: Option<f64>,
}

const ZERO: Stepped = Stepped {
    constant: 0.0,
    linear: 0.0,
    step: 0.0,
    slope: 0.0,
    sharpness: None,
};

impl Stepped {
    /// The form that a tape has, if it has it. At z = 0 itself it may have another value.
    pub fn of(tape: &Tape) -> Option<Self> {
        let mut values = tape.interpret(|op, done: &[Option<Self>]| match op {
            Op::Z => Some(Self {
                linear: 1.0,
                ..ZERO
            }),
            Op::V => None,
            Op::Const(constant) => Some(Self { constant, ..ZERO }),
            Op::Unary(op, a) => done[a]?.unary(op),
            Op::Binary(op, a, b) => done[a]?.binary(op, done[b]?),
        });
        values.pop().flatten()
    }

    fn times(self, factor: f64) -> Self {
        Self {
            constant: factor * self.constant,
            linear: factor * self.linear,
            step: factor * self.step,
            slope: factor * self.slope,
            ..self
        }
    }

    /// The steps that two have in common: none, or one of a kind.
    fn common(self, other: Self) -> Option<Option<f64>> {
        match (self.sharpness, other.sharpness) {
            (one, None) | (None, one) => Some(one),
            (a, b) if a == b => Some(a),
            _ => None,
        }
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            constant: self.constant + other.constant,
            linear: self.linear + other.linear,
            step: self.step + other.step,
            slope: self.slope + other.slope,
            sharpness: self.common(other)?,
        })
    }

    fn product(self, other: Self) -> Option<Self> {
        let sharpness = self.common(other)?;
        let squares = [
            self.linear * other.linear,
            self.linear * other.slope + self.slope * other.linear,
            self.slope * other.slope,
        ];
        // e(z)^2, which is 1 if e is a sign.
        let constant = self.step * other.step;
        let linear = self.step * other.slope + self.slope * other.step;
        let is_sign = sharpness == Some(f64::INFINITY);
        if squares != [0.0; 3] || ((constant, linear) != (0.0, 0.0) && !is_sign) {
            return None;
        }
        Some(Self {
            constant: self.constant * other.constant + constant,
            linear: self.constant * other.linear + self.linear * other.constant + linear,
            step: self.constant * other.step + self.step * other.constant,
            slope: self.constant * other.slope
                + self.slope * other.constant
                + self.linear * other.step
                + self.step * other.linear,
            sharpness,
        })
    }

    /// The factor of a multiple of z.
    fn proportional(self) -> Option<f64> {
        let is = self.constant == 0.0 && self.step == 0.0 && self.slope == 0.0;
        is.then_some(self.linear)
    }

    /// |x| of what is a multiple of z on either side.
    fn modulus(self) -> Option<Self> {
        let is_sign = self.sharpness.is_none_or(|s| s == f64::INFINITY);
        if self.constant != 0.0 || self.step != 0.0 || !is_sign {
            return None;
        }
        let (right, left) = (
            (self.linear + self.slope).abs(),
            (self.linear - self.slope).abs(),
        );
        Some(Self {
            linear: 0.5 * (right - left),
            slope: 0.5 * (right + left),
            sharpness: Some(f64::INFINITY),
            ..ZERO
        })
    }

    fn unary(self, op: Unary) -> Option<Self> {
        let step = |factor: f64, sharpness: f64| {
            let step = if factor == 0.0 { 0.0 } else { factor.signum() };
            Self {
                step,
                sharpness: Some(sharpness),
                ..ZERO
            }
        };
        match op {
            Unary::Neg => Some(self.times(-1.0)),
            Unary::Abs => self.modulus(),
            Unary::Sign => Some(step(self.proportional()?, f64::INFINITY)),
            Unary::Step => {
                let half = step(self.proportional()?, f64::INFINITY).times(0.5);
                Some(Self {
                    constant: 0.5,
                    ..half
                })
            }
            Unary::Erf => {
                let factor = self.proportional()?;
                Some(step(factor, factor.abs()))
            }
            Unary::Exp
            | Unary::Log
            | Unary::Log1p
            | Unary::Softplus
            | Unary::Sqrt
            | Unary::Sin
            | Unary::Cos
            | Unary::Tanh
            | Unary::Sigmoid => None,
        }
    }

    fn binary(self, op: Binary, other: Self) -> Option<Self> {
        match op {
            Binary::Add => self.plus(other),
            Binary::Sub => self.plus(other.times(-1.0)),
            Binary::Mul => self.product(other),
            Binary::Div => {
                let is_constant = other.proportional().is_none() && other.linear == 0.0;
                let is_number = is_constant && other.step == 0.0 && other.slope == 0.0;
                is_number.then(|| self.times(1.0 / other.constant))
            }
            Binary::Min | Binary::Max => {
                let sign = if op == Binary::Max { 1.0 } else { -1.0 };
                let apart = self.plus(other.times(-1.0))?.modulus()?;
                Some(self.plus(other)?.plus(apart.times(sign))?.times(0.5))
            }
            Binary::Pow => None,
        }
    }

    /// E[h(x) h(y)] of pre-activations as linear forms; `None` if one of them does not vary.
    ///
    /// With e(z) = E[sign(z + n)] over a normal n of variance 1 / (2 sharpness^2), the angle between
    /// forms with noise gives E[e e], and Stein's lemma what has factors z.
    pub fn moment(&self, a: &[f64], b: &[f64]) -> Option<Moment> {
        let length = |form: &[f64]| form.iter().fold(0.0f64, |h, x| h.hypot(*x));
        let [x, y] = [length(a), length(b)];
        if x == 0.0 || y == 0.0 {
            return None;
        }
        // Unit forms: squares stay in range.
        let gram = Gram::new(a.iter().zip(b).map(|(a, b)| (a / x, b / y)));
        let cosine = gram.xy;
        let noise = match self.sharpness {
            None | Some(f64::INFINITY) => [0.0; 2],
            Some(sharpness) => [x, y].map(|z| 0.5 / (sharpness * z).powi(2)),
        };
        let [tx, ty] = noise.map(|n| 1.0 + n);
        let minor = gram.determinant + noise[0] + noise[1] + noise[0] * noise[1];
        let angle = FRAC_2_PI * cosine.atan2(minor.sqrt());
        // Where both forms and no noise are parallel, the quotient is 0.
        let of_noise = cosine * cosine * (noise[0] / tx + noise[1] / ty);
        let spread = match minor > 0.0 {
            true => FRAC_2_PI * (gram.determinant + of_noise) / minor.sqrt(),
            false => 0.0,
        };
        // E[z e(z)] of a unit normal with noise.
        let along = |t: f64| FRAC_2_SQRT_PI / SQRT_2 / t.sqrt();
        let terms = [
            self.constant * self.constant,
            self.constant * self.slope * (x * along(tx) + y * along(ty)),
            self.linear * self.linear * x * y * cosine,
            self.linear * self.step * cosine * (x * along(ty) + y * along(tx)),
            self.step * self.step * angle,
            self.slope * self.slope * x * y * cosine * angle,
            self.slope * self.slope * x * y * spread,
        ];
        let size: f64 = terms.iter().map(|term| term.abs()).sum();
        Some(Moment {
            value: terms.iter().sum(),
            error: 16.0 * f64::EPSILON * size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Activation;

    #[test]
    fn tapes_of_the_form_are_recognised_and_mean_what_they_say() {
        for text in [
            "step(z)",
            "abs(z)",
            "max(z,0)",
            "max(z,0.01*z)",
            "max(-2*z,3*z)-min(z,0)",
            "z*(1+erf(z/sqrt(2)))/2",
            "1-2*sign(z)",
            "z*step(z)+step(-z)*0.3*z",
            "erf(-3*z)+z",
            "sign(z)*sign(z)*z",
            "abs(abs(z)+z/2)",
            "z",
        ] {
            let activation: Activation = text.parse().unwrap();
            let of = Stepped::of(activation.tape()).unwrap();
            for z in [-2.1, -0.3, 0.7, 1.9] {
                let e = match of.sharpness {
                    Some(f64::INFINITY) => f64::signum(z),
                    Some(sharpness) => libm::erf(sharpness * z),
                    None => 0.0,
                };
                let value = of.constant + of.linear * z + (of.step + of.slope * z) * e;
                let want = activation.evaluate(z, 1.0);
                assert!((value - want).abs() < 1e-14, "{text} {z}: {value} {want}");
            }
        }
        for text in [
            "tanh(z)",
            "abs(z-1)",
            "erf(z)*erf(z)",
            "erf(z)+erf(2*z)",
            "z*abs(z)",
            "z-v",
        ] {
            let activation: Activation = text.parse().unwrap();
            assert_eq!(Stepped::of(activation.tape()), None, "{text}");
        }
    }
}
