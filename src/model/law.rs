use std::f64::consts::PI;
use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A law is the distribution of the weights or biases of an affine layer: a standard deviation
/// times a variate of mean 0 and unit variance, whose law is one of these. All are symmetric.
///
/// ```
/// use nnqft_gpu::model::Law;
///
/// let laplace: Law = "laplace".parse()?;
/// assert_eq!((laplace.moment(4), laplace.moment(6)), (6.0, 90.0));
/// assert_eq!(Law::Rademacher.cumulant(4), -2.0);
/// assert!("cauchy".parse::<Law>().is_err());
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Law {
    /// The standard normal.
    #[default]
    Gaussian,
    /// Uniform on [-sqrt 3, sqrt 3].
    Uniform,
    /// +1 or -1, each with probability 1/2.
    Rademacher,
    /// Density exp(-sqrt 2 |x|) / sqrt 2.
    Laplace,
    /// Uniform, for biases on [-pi, pi]: the standard deviation is [`Law::PHASE_SIGMA`].
    Phase,
}

impl Law {
    /// Lists all laws.
    pub const ALL: [Self; 5] = [
        Self::Gaussian,
        Self::Uniform,
        Self::Rademacher,
        Self::Laplace,
        Self::Phase,
    ];

    /// Standard deviation of a phase, pi / sqrt 3.
    pub const PHASE_SIGMA: f64 = PI * 0.577_350_269_189_625_8;

    /// Returns the name, as options and JSON have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Uniform => "uniform",
            Self::Rademacher => "rademacher",
            Self::Laplace => "laplace",
            Self::Phase => "phase",
        }
    }

    /// Tells whether the law is the normal one, for which sums of variates have closed forms.
    pub fn is_gaussian(self) -> bool {
        self == Self::Gaussian
    }

    /// Returns the moment of order n of the variate of unit variance, E[x^n].
    pub fn moment(self, n: u32) -> f64 {
        if n % 2 == 1 {
            return 0.0;
        }
        let product = |factors: &mut dyn Iterator<Item = u32>| factors.map(f64::from).product();
        match self {
            Self::Gaussian => product(&mut (1..n).step_by(2)),
            Self::Uniform | Self::Phase => 3f64.powi(n as i32 / 2) / f64::from(n + 1),
            Self::Rademacher => 1.0,
            Self::Laplace => {
                let factorial: f64 = product(&mut (1..=n));
                factorial / 2f64.powi(n as i32 / 2)
            }
        }
    }

    /// Returns the cumulant of order n of the variate of unit variance, for n up to 6.
    ///
    /// # Panics
    /// If n is 0 or above 6.
    pub fn cumulant(self, n: u32) -> f64 {
        let (fourth, sixth) = (self.moment(4), self.moment(6));
        match n {
            1 | 3 | 5 => 0.0,
            2 => 1.0,
            4 => fourth - 3.0,
            6 => sixth - 15.0 * fourth + 30.0,
            _ => panic!("cumulants from order 1 to 6, not {n}"),
        }
    }

    /// Returns what the variate of unit variance cannot exceed as it is drawn, from words of 32
    /// bits.
    pub const fn reach(self) -> f64 {
        match self {
            Self::Gaussian => 6.8,
            Self::Uniform | Self::Phase => 1.733,
            Self::Rademacher => 1.0,
            // ln(2^33) / sqrt 2, of the smallest uniform number 2^-33.
            Self::Laplace => 16.2,
        }
    }
}

impl Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Law {
    type Err = Error;

    /// Reads the name of a law, in any case.
    fn from_str(text: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|law| law.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                let reason = "use gaussian, uniform, rademacher, laplace or, for biases, phase";
                Error::invalid("law", text, reason)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_densities() {
        // The lower half of the distribution function, u = s^4 / 2 in midpoints of s: what is far out has
        // as many of them as the rest.
        let quantile = |law: Law, u: f64| match law {
            Law::Uniform | Law::Phase => 3f64.sqrt() * (2.0 * u - 1.0),
            Law::Rademacher => -1.0,
            Law::Laplace => (2.0 * u).ln() / 2f64.sqrt(),
            Law::Gaussian => unreachable!(),
        };
        const CELLS: u32 = 100_000;
        for law in Law::ALL.into_iter().filter(|law| !law.is_gaussian()) {
            for n in 0..=8u32 {
                let cell = |i: u32| {
                    let s = (f64::from(i) + 0.5) / f64::from(CELLS);
                    4.0 * s.powi(3) * quantile(law, 0.5 * s.powi(4)).abs().powi(n as i32)
                };
                let mean = (0..CELLS).map(cell).sum::<f64>() / f64::from(CELLS);
                let want = if n % 2 == 0 { mean } else { 0.0 };
                let moment = law.moment(n);
                assert!(
                    (moment - want).abs() <= 1e-6 * want.max(1.0),
                    "{law} {n}: {moment} {want}"
                );
            }
        }
        let gaussian: Vec<f64> = (0..=8).map(|n| Law::Gaussian.moment(n)).collect();
        assert_eq!(gaussian, [1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0]);
    }

    #[test]
    fn cumulants_of_the_uniform_law_are_bernoulli_numbers() {
        // B_n (2 sqrt 3)^n / n, with B_4 = -1/30 and B_6 = 1/42.
        assert!((Law::Uniform.cumulant(4) + 144.0 / 120.0).abs() < 1e-14);
        assert!((Law::Uniform.cumulant(6) - 1728.0 / 252.0).abs() < 1e-13);
        assert_eq!(Law::Gaussian.cumulant(4), 0.0);
        assert_eq!(Law::Gaussian.cumulant(6), 0.0);
        assert_eq!(Law::Rademacher.cumulant(6), 16.0);
    }

    #[test]
    fn names_come_back() {
        for law in Law::ALL {
            assert_eq!(law.to_string().to_uppercase().parse::<Law>().unwrap(), law);
            assert_eq!(serde_json::to_value(law).unwrap(), law.name());
        }
    }
}
