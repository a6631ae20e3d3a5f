use serde::{Deserialize, Serialize};

use super::Samples;
use super::average::average;
use super::jackknife::{jackknife_rms, three_sigma};
use crate::tensor::{multisets, pairings};
use crate::theory::VertexIntegrals;

/// `Naturalness` says whether the measured coupling is a number or depends on the external points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Naturalness {
    /// The spread over tuples is below a tenth of the mean, by more than its errors.
    Constant,
    /// The spread is above a tenth of the mean, by more than its errors.
    Function,
    /// The errors do not tell constant from function, or there is one tuple only.
    Undecided,
}

impl std::fmt::Display for Naturalness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Function => "function",
            Self::Undecided => "undecided",
        })
    }
}

/// `Coupling` is the quartic coupling measured at one cutoff, lambda_m = -dG^(4) / (24 int Delta)
/// per unique 4-tuple m, Delta = k(x_1, y) k(x_2, y) k(x_3, y) k(x_4, y). Unit: 1 / (f^4 x^d_in).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Coupling {
    /// Mean of the coupling over tuples.
    pub mean: f64,
    /// Standard deviation of the coupling over tuples.
    pub std: f64,
    /// Standard error of the mean over the experiments; 0 for exact moments, `None` with one
    /// experiment.
    pub std_err: Option<f64>,
    /// Bound of what the errors of kernel and vertex integrals make of the mean.
    #[serde(default)]
    pub integral_error: f64,
    /// Degrees of freedom of errors; `None` for exact moments and with one experiment.
    pub degrees_of_freedom: Option<usize>,
    /// Whether the mean is not zero within three errors, Student's t heeded: else nothing is to
    /// be drawn from it.
    pub measured: bool,
    /// Whether the coupling is a constant or a function.
    pub verdict: Naturalness,
    /// Coupling of each unique 4-tuple; `None` where the vertex integral vanishes.
    pub values: Vec<Option<f64>>,
    /// Tuples without a coupling, left out of mean and spread.
    pub undefined: usize,
}

/// `Matching` matches the 4-point function with the vertex: lambda_m = factor_m dG_m.
pub(super) struct Matching {
    /// -1 / (24 int Delta) of each tuple; `None` where the integral vanishes.
    factors: Vec<Option<f64>>,
    /// Relative error of each tuple's integral.
    relative: Vec<f64>,
    defined: usize,
}

impl Matching {
    pub fn new(points: usize, vertex: &VertexIntegrals) -> Self {
        let tuples = multisets(points, 4);
        let factors: Vec<Option<f64>> = (tuples.iter())
            .map(|i| Some(-1.0 / (24.0 * vertex.present(i)?)))
            .collect();
        let relative = |i: &Vec<usize>| (vertex.error(i) / vertex.integral(i)).abs();
        Self {
            relative: tuples.iter().map(relative).collect(),
            defined: factors.iter().flatten().count(),
            factors,
        }
    }

    /// Returns the coupling of each tuple.
    pub fn values(&self, four: &[f64]) -> Vec<Option<f64>> {
        (four.iter().zip(&self.factors))
            .map(|(d, factor)| factor.map(|f| f * d))
            .collect()
    }

    /// Returns the coupling of each tuple that has one.
    fn present(&self, four: &[f64]) -> Vec<f64> {
        self.values(four).into_iter().flatten().collect()
    }

    /// Returns the mean over tuples; `None` if every integral vanishes.
    pub fn mean(&self, four: &[f64]) -> Option<f64> {
        average(&self.present(four))
    }

    /// Bounds what the integrals' errors make of the mean, as if they all went together.
    pub fn integral_error(&self, four: &[f64]) -> f64 {
        let values = self.values(four).into_iter().zip(&self.relative);
        let errors = values.filter_map(|(lambda, error)| Some(lambda?.abs() * error));
        errors.sum::<f64>() / self.defined.max(1) as f64
    }

    /// Bounds the mean's error by those of the tuples, as if they all went together.
    pub fn bound(&self, std_err: &[f64]) -> Option<f64> {
        let sizes = std_err.iter().zip(&self.factors);
        let errors = sizes.filter_map(|(e, f)| Some(e * (*f)?.abs()));
        (!std_err.is_empty()).then(|| errors.sum::<f64>() / self.defined as f64)
    }
}

impl Coupling {
    /// Measures lambda at the cutoff of `vertex`. `None` if every tuple's integral vanishes.
    ///
    /// ```
    /// use nnqft_gpu::analysis::{Coupling, Interactions};
    /// use nnqft_gpu::model::EnsembleSpec;
    /// use nnqft_gpu::theory::{Exact, Vertex, vertex_integrals};
    ///
    /// let mut spec = EnsembleSpec::preset("relu", 1)?;
    /// spec = spec.with_width(20);
    /// let spec = spec.validate()?;
    /// let four = Interactions::exact_four(&spec, &Exact::new(&spec));
    /// let vertex = &vertex_integrals(&spec, Vertex::Full, &[100.0])?[0];
    /// let lambda = Coupling::measure(spec.inputs.len(), &four, vertex).unwrap();
    /// assert!((lambda.mean / -6.25e-11 - 1.0).abs() < 1e-6);
    /// # Ok::<(), nnqft_gpu::Error>(())
    /// ```
    pub fn measure(points: usize, four: &Samples, vertex: &VertexIntegrals) -> Option<Self> {
        let matching = Matching::new(points, vertex);
        let values = matching.values(&four.mean);
        let defined: Vec<f64> = values.iter().flatten().copied().collect();
        let mean = average(&defined)?;
        let without: Vec<Vec<f64>> = (four.leave_one_out().iter())
            .map(|four| matching.present(four))
            .collect();
        let means: Vec<f64> = without.iter().filter_map(|v| average(v)).collect();
        let std_err = four.error(&means);
        let measured = four.stands_out(mean, std_err, matching.bound(&four.std_err));
        let spread = Spread {
            values: &defined,
            mean,
            mean_error: std_err,
            without: &without,
            measured,
        };
        Some(Self {
            mean,
            std: spread.of_values(),
            std_err,
            integral_error: matching.integral_error(&four.mean),
            degrees_of_freedom: four.degrees_of_freedom(),
            measured,
            verdict: match four.is_exact() {
                true => spread.exact_verdict(),
                false => spread.verdict(four.degrees_of_freedom()),
            },
            undefined: values.len() - defined.len(),
            values,
        })
    }
}

/// The spread over tuples that a constant may have, in units of the mean.
const CONSTANT: f64 = 0.1;

/// `Spread` holds the couplings of the tuples against their mean.
struct Spread<'a> {
    values: &'a [f64],
    mean: f64,
    mean_error: Option<f64>,
    /// The values with one experiment left out, `[experiment][tuple]`.
    without: &'a [Vec<f64>],
    measured: bool,
}

impl Spread<'_> {
    /// Returns the standard deviation over all tuples, not a sample of them.
    fn of_values(&self) -> f64 {
        let squares = self.values.iter().map(|l| (l - self.mean).powi(2));
        (squares.sum::<f64>() / self.values.len() as f64).sqrt()
    }

    fn exact_verdict(&self) -> Naturalness {
        match self.of_values() <= CONSTANT * self.mean.abs() {
            _ if self.values.len() < 2 => Naturalness::Undecided,
            true => Naturalness::Constant,
            false => Naturalness::Function,
        }
    }

    /// Judges whether the coupling is a constant. Errors move the vector of deviations from the
    /// mean, and so its length by at most their own: t times the quadratic mean of the deviations'
    /// jackknife errors.
    fn verdict(&self, degrees_of_freedom: Option<usize>) -> Naturalness {
        let Some(t) = degrees_of_freedom.map(three_sigma) else {
            return Naturalness::Undecided;
        };
        if self.values.len() < 2 {
            return Naturalness::Undecided;
        }
        let deviations = |unit: fn(f64) -> f64| -> Option<(f64, f64)> {
            let noise = (self.without.iter())
                .map(|v| {
                    let mean = average(v)?;
                    Some(v.iter().map(|l| (l - mean) / unit(mean)).collect())
                })
                .collect::<Option<Vec<Vec<f64>>>>()?;
            Some((
                self.of_values() / unit(self.mean),
                t * jackknife_rms(&noise)?,
            ))
        };
        // In units of the mean, whose errors go with the values'.
        if self.measured
            && let Some((spread, noise)) = deviations(f64::abs)
        {
            if spread + noise < CONSTANT {
                return Naturalness::Constant;
            }
            if spread - noise > CONSTANT {
                return Naturalness::Function;
            }
        }
        // A function of both signs may have any mean.
        if let (Some((spread, noise)), Some(error)) = (deviations(|_| 1.0), self.mean_error)
            && spread - noise > CONSTANT * (self.mean.abs() + t * error)
        {
            return Naturalness::Function;
        }
        Naturalness::Undecided
    }
}

/// Returns the double-vertex function of the v2 fits, T_NL = 8 sum over 3 pairings J_12 J_34 with
/// J_12 = int k(x_1, y) k(x_2, y) dy.
pub(super) fn non_local(index: &[usize], vertex: &VertexIntegrals) -> f64 {
    let j = |(a, b): (usize, usize)| vertex.integral(&[index[a], index[b]]);
    let pairs = pairings(4);
    8.0 * pairs.iter().map(|p| j(p[0]) * j(p[1])).sum::<f64>()
}
