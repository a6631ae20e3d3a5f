//! Second moments of activations of degree 1, act(c z) = c act(z) for c > 0, and their derivatives: in closed
//! form (Cho and Saul 2009).

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use crate::model::Activation;

/// h(z) = linear z + modulus |z|.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homogeneous {
    pub linear: f64,
    pub modulus: f64,
}

/// Two pre-activations: their standard deviations, their correlation, and sqrt(1 - correlation^2).
#[derive(Debug, Clone, Copy)]
pub struct Correlated {
    pub x: f64,
    pub y: f64,
    pub cosine: f64,
    pub sine: f64,
}

/// One less the modulus of a correlation, below which two pre-activations are parallel: what rounding leaves
/// of it.
pub const PARALLEL: f64 = 1e-14;

impl Correlated {
    /// Those with covariances `xx`, `xy` and `yy`, both variances above zero.
    pub fn new([xx, xy, yy]: [f64; 3]) -> Self {
        let (x, y) = (xx.sqrt(), yy.sqrt());
        let cosine = xy / (x * y);
        let gap = 1.0 - cosine.abs();
        let [cosine, sine] = match gap < PARALLEL {
            true => [1f64.copysign(cosine), 0.0],
            false => [cosine, (gap * (1.0 + cosine.abs())).sqrt()],
        };
        Self { x, y, cosine, sine }
    }
}

impl Homogeneous {
    /// The activation, if it is one.
    pub fn of(activation: &Activation) -> Option<Self> {
        let [right, left] = [1.0, -1.0].map(|z| activation.evaluate(z, 1.0));
        (activation.homogeneous() == Some(1.0)).then_some(Self {
            linear: 0.5 * (right - left),
            modulus: 0.5 * (right + left),
        })
    }

    /// Slopes to the right and to the left of zero.
    pub fn sides(&self) -> [f64; 2] {
        [self.linear + self.modulus, self.linear - self.modulus]
    }

    /// E[h(x) h(y)].
    pub fn moment(&self, pair: Correlated) -> f64 {
        let Correlated { x, y, cosine, sine } = pair;
        let modulus = sine + self.angle(pair) * cosine;
        x * y * (self.linear.powi(2) * cosine + self.modulus.powi(2) * FRAC_2_PI * modulus)
    }

    /// E[h^(i)(x) h^(j)(y)] of pre-activations that are not parallel.
    ///
    /// # Panics
    /// If i + j is none of 0, 2 and 4.
    pub fn derivative(&self, pair: Correlated, i: usize, j: usize) -> f64 {
        let Correlated { x, y, cosine, sine } = pair;
        let unit = self.modulus.powi(2) * FRAC_2_PI;
        match (i, j) {
            (0, 0) => self.moment(pair),
            (1, 1) => self.linear.powi(2) + unit * self.angle(pair),
            // h'' is 2 modulus delta(z).
            (2, 0) => unit * y * sine / x,
            (0, 2) => unit * x * sine / y,
            (2, 2) => unit / (x * y * sine),
            (3, 1) => -unit * cosine / (x * x * sine),
            (1, 3) => -unit * cosine / (y * y * sine),
            (4, 0) => unit * y * (1.0 - 2.0 * sine * sine) / (x.powi(3) * sine),
            (0, 4) => unit * x * (1.0 - 2.0 * sine * sine) / (y.powi(3) * sine),
            _ => panic!("derivatives of order {i}, {j}"),
        }
    }

    /// asin of the correlation, by atan2: near 1 asin has lost half the digits.
    fn angle(&self, pair: Correlated) -> f64 {
        match pair.sine > 0.0 {
            true => pair.cosine.atan2(pair.sine),
            false => FRAC_PI_2.copysign(pair.cosine),
        }
    }
}
