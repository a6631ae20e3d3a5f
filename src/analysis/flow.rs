use serde::{Deserialize, Serialize};

use super::Samples;
use super::average::average;
use super::couplings::{Coupling, Matching};
use super::jackknife::{ratio_error, three_sigma};
use super::least_squares::Line;
use crate::model::EnsembleSpec;
use crate::tensor::multisets;
use crate::theory::{Far, Vertex, VertexIntegrals, check_cutoffs, line_growth, vertex_integrals};
use crate::{Error, Result};

/// `FlowPoint` is the coupling at one cutoff and how it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FlowPoint {
    /// Cutoff L.
    pub cutoff: f64,
    /// Mean over tuples of lambda(L); `None` if every vertex integral vanishes.
    pub lambda_mean: Option<f64>,
    /// Statistical error of `lambda_mean`.
    pub lambda_std_err: Option<f64>,
    /// Bound of what the errors of kernel and vertex integrals make of `lambda_mean`
    /// ([`Coupling::integral_error`]).
    #[serde(default)]
    pub lambda_integral_error: f64,
    /// Standard deviation of lambda over tuples.
    pub lambda_std: Option<f64>,
    /// Whether lambda is not zero within three errors ([`Coupling::measured`]).
    pub measured: bool,
    /// beta = d lambda / d log L = - lambda d log(int Delta) / d log L, averaged over tuples.
    pub beta: Option<f64>,
    /// Statistical error of `beta`.
    pub beta_std_err: Option<f64>,
    /// Dimensionless beta: that of lambda L^p with p from [`Flow::dimension`],
    /// L^p (beta + p lambda).
    pub beta_dimensionless: Option<f64>,
    /// Statistical error of `beta_dimensionless`.
    pub beta_dimensionless_std_err: Option<f64>,
    /// beta / lambda, the local slope of log |lambda| against log L; `None` if lambda was not
    /// measured.
    pub slope: Option<f64>,
    /// Statistical error of `slope`: delete-one jackknife, and where lambda is not well known Fieller's.
    pub slope_std_err: Option<f64>,
    /// Number of tuples whose vertex integral vanishes.
    pub undefined: usize,
    /// Number of tuples whose coupling has the sign opposite to the mean's.
    pub opposite_sign: usize,
}

/// `ErrorOf` says where a slope's standard error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorOf {
    /// The networks drawn: delete-one jackknife over the experiments. One set of moments is
    /// matched at every cutoff, so that the points' noise is one and the line does not show it.
    Experiments,
    /// The straight line, from the points' distances to it: exact moments have no other.
    Line,
}

/// `SlopeFit` is a straight line through log10 |lambda| against log10 L.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlopeFit {
    /// Slope of the line.
    pub slope: f64,
    /// Standard error of the slope, whose origin is [`error_of`](Self::error_of); `None` with one
    /// experiment, or with exact moments at two points.
    pub std_err: Option<f64>,
    /// Where `std_err` comes from.
    pub error_of: ErrorOf,
    /// Standard error of the slope from the line alone; `None` with two points.
    pub line_std_err: Option<f64>,
    /// Coefficient of determination of the line.
    pub r2: f64,
}

/// `FixedPoint` says whether the dimensionless coupling stops running at one end of the flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FixedPoint {
    /// Cutoff at which the fixed point was looked for.
    pub cutoff: f64,
    /// beta of the dimensionless coupling over the coupling; 0 at a fixed point. `None` if the
    /// coupling was not measured there.
    pub relative_beta: Option<f64>,
    /// Statistical error of `relative_beta`.
    pub relative_beta_std_err: Option<f64>,
    /// Whether |relative beta| < 0.01; `None` if its error leaves that open.
    pub reached: Option<bool>,
}

/// `Flow` is the renormalisation group flow of lambda.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flow {
    /// The coupling at each cutoff, in the order given.
    pub points: Vec<FlowPoint>,
    /// Degrees of freedom of statistical errors; `None` for exact moments and with one experiment.
    pub degrees_of_freedom: Option<usize>,
    /// Line through all cutoffs, as the source plots it; `None` with fewer than two, or if lambda was
    /// not measured at each.
    pub fit: Option<SlopeFit>,
    /// Local slope at the largest cutoff.
    pub asymptotic_slope: Option<f64>,
    /// Statistical error of `asymptotic_slope`.
    pub asymptotic_slope_std_err: Option<f64>,
    /// Slope at large L as theory has it: -(d_in + 4 p) where the lines into the vertex go like
    /// |y|^p, 0 where the integral over four of them converges; `None` where it does not say, as
    /// for a kernel that stays and weight vertices.
    pub theory_slope: Option<f64>,
    /// Power p of the dimensionless coupling lambda L^p.
    pub dimension: f64,
    /// Fixed point at the largest cutoff.
    pub uv: FixedPoint,
    /// Fixed point at a cutoff a thousand times below the kernel's scale and the inputs.
    pub ir: FixedPoint,
}

/// Follows the coupling over the cutoffs: one dG^(4), matched at every L.
///
/// # Errors
/// Those of [`vertex_integrals`].
///
/// ```
/// use nnqft_gpu::analysis::{Interactions, flow};
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::theory::{Exact, Vertex};
///
/// let spec = EnsembleSpec::preset("gauss", 1)?.validate()?;
/// let four = Interactions::exact_four(&spec, &Exact::new(&spec));
/// let flow = flow(&spec, Vertex::Full, &[1e4, 1e5], &four)?;
/// assert!((flow.points[1].slope.unwrap() + 1.0).abs() < 1e-3); // lambda ~ 1 / L
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn flow(spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64], four: &Samples) -> Result<Flow> {
    check_flow(spec, vertex, cutoffs)?;
    // lambda f^4 d^d y has no dimension; its four lines may grow.
    let (dimension, theory_slope) = scaling(spec, vertex);
    let norm = |x: &Vec<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let inputs: f64 = spec
        .inputs
        .points()
        .iter()
        .map(norm)
        .filter(|&x| x > 0.0)
        .fold(1.0, f64::min);
    let tiny = 1e-3 * inputs.min(1.0 / spec.net.first().sigma_w.max(1e-9));
    let integrals = vertex_integrals(spec, vertex, cutoffs)?;
    let measured = Measured::new(spec, four, dimension);
    let points: Vec<FlowPoint> = integrals.iter().map(|v| measured.point(v)).collect();
    let top = points
        .iter()
        .max_by(|a, b| a.cutoff.total_cmp(&b.cutoff))
        .ok_or_else(|| Error::invalid("cutoffs", "''", "give at least one cutoff"))?;
    // Where it leaves the range of f64 the infrared is out of reach, not the flow.
    let bottom = vertex_integrals(spec, vertex, &[tiny]).ok();
    let ir = bottom.map(|v| measured.end(&measured.point(&v[0])));
    Ok(Flow {
        degrees_of_freedom: four.degrees_of_freedom(),
        fit: measured.fit(&points, &integrals),
        asymptotic_slope: top.slope,
        asymptotic_slope_std_err: top.slope_std_err,
        theory_slope,
        dimension,
        uv: measured.end(top),
        ir: ir.unwrap_or(FixedPoint {
            cutoff: tiny,
            relative_beta: None,
            relative_beta_std_err: None,
            reached: None,
        }),
        points,
    })
}

/// Returns p of the dimensionless coupling lambda L^p, and what theory says of the slope at large
/// L.
fn scaling(spec: &EnsembleSpec, vertex: Vertex) -> (f64, Option<f64>) {
    let d_in = spec.net.d_in() as f64;
    match (Far::of(&spec.net), line_growth(&spec.net, vertex)) {
        (Far::GrowsExponentially | Far::Unknown, _) => (d_in, None),
        // What is left of a kernel that stays may change sign far out.
        (Far::Power(0.0), _) if vertex == Vertex::Weight => (d_in, None),
        (_, Some(p)) => (d_in + 4.0 * p, Some(-(d_in + 4.0 * p))),
        // The integral of the lines converges.
        (_, None) => (0.0, Some(0.0)),
    }
}

/// Checks whether [`flow`] can follow these cutoffs, before a run that needs it.
///
/// # Errors
/// Those of [`flow`].
pub fn check_flow(spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64]) -> Result<()> {
    if cutoffs.contains(&f64::INFINITY) {
        return Err(Error::invalid(
            "cutoffs",
            "inf",
            "the coupling does not run at infinity; give finite cutoffs",
        ));
    }
    check_cutoffs(spec, vertex, cutoffs)
}

/// `Measured` is dG^(4), with its values when one experiment is left out.
struct Measured<'a> {
    tuples: Vec<Vec<usize>>,
    points: usize,
    four: &'a Samples,
    without: Vec<Vec<f64>>,
    dimension: f64,
}

impl<'a> Measured<'a> {
    fn new(spec: &EnsembleSpec, four: &'a Samples, dimension: f64) -> Self {
        let points = spec.inputs.len();
        Self {
            tuples: multisets(points, 4),
            points,
            without: four.leave_one_out(),
            four,
            dimension,
        }
    }

    /// Returns a statistic of dG^(4) with its error.
    fn value(&self, of: impl Fn(&[f64]) -> Option<f64>) -> (Option<f64>, Option<f64>) {
        let value = of(&self.four.mean).filter(|x| x.is_finite());
        let without: Vec<f64> = self.without.iter().filter_map(|four| of(four)).collect();
        (value, value.and_then(|_| self.four.error(&without)))
    }

    fn point(&self, v: &VertexIntegrals) -> FlowPoint {
        let coupling = Coupling::measure(self.points, self.four, v);
        let matching = Matching::new(self.points, v);
        // d log(int Delta) / d log L of each tuple that has one.
        let growth: Vec<Option<f64>> = (self.tuples.iter())
            .map(|i| Some(v.derivative(i) / v.present(i)?))
            .collect();
        let beta_of = |four: &[f64]| -> Option<f64> {
            let terms = matching.values(four).into_iter().zip(&growth);
            average(
                &terms
                    .filter_map(|(l, g)| Some(-l? * (*g)?))
                    .collect::<Vec<_>>(),
            )
        };
        let slope_of = |four: &[f64]| Some(beta_of(four)? / matching.mean(four)?);
        let p = self.dimension;
        let (beta, beta_std_err) = self.value(beta_of);
        let (beta_dimensionless, beta_dimensionless_std_err) =
            self.value(|four| Some(v.cutoff.powf(p) * (beta_of(four)? + p * matching.mean(four)?)));
        let measured = coupling.as_ref().is_some_and(|c| c.measured);
        let (slope, error) = match measured {
            true => self.value(slope_of),
            false => (None, None),
        };
        let each = |of: &dyn Fn(&[f64]) -> Option<f64>| -> Vec<f64> {
            self.four
                .experiments
                .iter()
                .filter_map(|four| of(four))
                .collect()
        };
        let slope_std_err = slope.and_then(|slope| {
            let (betas, lambdas) = (each(&beta_of), each(&|four| matching.mean(four)));
            ratio_error(error, slope, &betas, &lambdas)
        });
        let opposite = |c: &Coupling| {
            c.values
                .iter()
                .flatten()
                .filter(|l| **l * c.mean < 0.0)
                .count()
        };
        FlowPoint {
            cutoff: v.cutoff,
            lambda_mean: coupling.as_ref().map(|c| c.mean),
            lambda_std_err: coupling.as_ref().and_then(|c| c.std_err),
            lambda_integral_error: coupling.as_ref().map_or(0.0, |c| c.integral_error),
            lambda_std: coupling.as_ref().map(|c| c.std),
            measured,
            beta,
            beta_std_err,
            beta_dimensionless,
            beta_dimensionless_std_err,
            slope,
            slope_std_err,
            undefined: coupling.as_ref().map_or(self.tuples.len(), |c| c.undefined),
            opposite_sign: coupling.as_ref().filter(|c| c.measured).map_or(0, opposite),
        }
    }

    fn end(&self, p: &FlowPoint) -> FixedPoint {
        let relative_beta = p.slope.map(|s| s + self.dimension);
        let reached = relative_beta.and_then(|beta| {
            let error = match self.four.is_exact() {
                true => 0.0,
                false => three_sigma(self.four.degrees_of_freedom()?) * p.slope_std_err?,
            };
            match beta.abs() {
                b if b + error < FIXED => Some(true),
                b if b - error >= FIXED => Some(false),
                _ => None,
            }
        });
        FixedPoint {
            cutoff: p.cutoff,
            relative_beta,
            relative_beta_std_err: p.slope_std_err,
            reached,
        }
    }

    /// Fits a line to log10 |lambda| against log10 L by least squares, over the cutoffs that have a
    /// coupling.
    fn fit(&self, points: &[FlowPoint], integrals: &[VertexIntegrals]) -> Option<SlopeFit> {
        let used: Vec<(&FlowPoint, Matching)> = (points.iter().zip(integrals))
            .filter(|(p, _)| p.lambda_mean.is_some_and(|l| l != 0.0))
            .map(|(p, v)| (p, Matching::new(self.points, v)))
            .collect();
        if used.iter().any(|(p, _)| !p.measured) {
            return None;
        }
        let line_of = |four: &[f64]| {
            let points = (used.iter()).map(|(p, m)| {
                let lambda = m.mean(four)?;
                Some((p.cutoff.log10(), lambda.abs().log10(), 1.0))
            });
            Line::new(&points.collect::<Option<Vec<_>>>()?)
        };
        let line = line_of(&self.four.mean)?;
        let points = used.len() as f64;
        let line_std_err = (line.residual / (points - 2.0) / line.spread).sqrt();
        let line_std_err = (used.len() > 2).then_some(line_std_err);
        let (slope, statistical) = self.value(|four| Some(line_of(four)?.slope));
        let (std_err, error_of) = match self.four.is_exact() {
            true => (line_std_err, ErrorOf::Line),
            false => (statistical, ErrorOf::Experiments),
        };
        Some(SlopeFit {
            slope: slope?,
            std_err,
            error_of,
            line_std_err,
            r2: match line.total > 0.0 {
                true => 1.0 - line.residual / line.total,
                false => 1.0,
            },
        })
    }
}

/// The largest |beta / lambda| of the dimensionless coupling at a fixed point.
const FIXED: f64 = 0.01;
