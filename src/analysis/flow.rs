use serde::{Deserialize, Serialize};

use super::couplings::{Coupling, Samples};
use crate::model::{Architecture, EnsembleSpec};
use crate::tensor::multisets;
use crate::theory::{Vertex, VertexIntegrals, check_cutoffs, vertex_integrals};
use crate::{Error, Result};

/// The coupling at one cutoff and how it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FlowPoint {
    /// L.
    pub cutoff: f64,
    /// Mean over tuples of lambda(L); `None` if every vertex integral vanishes.
    pub lambda_mean: Option<f64>,
    /// Its statistical error.
    pub lambda_std_err: Option<f64>,
    /// Standard deviation over tuples.
    pub lambda_std: Option<f64>,
    /// beta = d lambda / d log L = - lambda d log(int Delta) / d log L, averaged over tuples.
    pub beta: Option<f64>,
    /// beta of lambda L^p with p from [`Flow::dimension`]: L^p (beta + p lambda).
    pub beta_dimensionless: Option<f64>,
    /// beta / lambda, the local slope of log |lambda| against log L.
    pub slope: Option<f64>,
    /// Tuples whose vertex integral vanishes.
    pub undefined: usize,
    /// Tuples whose coupling has the sign opposite to the mean's.
    pub opposite_sign: usize,
}

/// Straight line through log10 |lambda| against log10 L.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlopeFit {
    /// Slope.
    pub slope: f64,
    /// Its standard error from the residuals; `None` with two points.
    pub std_err: Option<f64>,
    /// Coefficient of determination.
    pub r2: f64,
}

/// Whether the dimensionless coupling stops running at one end of the flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FixedPoint {
    /// Cutoff at which it was looked for.
    pub cutoff: f64,
    /// beta of the dimensionless coupling over the coupling; 0 at a fixed point.
    pub relative_beta: Option<f64>,
    /// |relative beta| < 0.01.
    pub reached: bool,
}

/// The renormalisation group flow of lambda.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flow {
    /// One entry per cutoff, in the order given.
    pub points: Vec<FlowPoint>,
    /// Over all cutoffs, as the source plots it; `None` with fewer than two.
    pub fit: Option<SlopeFit>,
    /// Local slope at the largest cutoff.
    pub asymptotic_slope: Option<f64>,
    /// What theory says of it: -(d_in + 4) ReLU, -d_in Erf and Gauss with full vertices, 0
    /// Gauss with weight vertices; `None` for Erf with weight vertices.
    pub theory_slope: Option<f64>,
    /// p: the dimensionless coupling is lambda L^p.
    pub dimension: f64,
    /// At the largest cutoff.
    pub uv: FixedPoint,
    /// At a cutoff a thousand times below the kernel's scale and the inputs.
    pub ir: FixedPoint,
}

/// Follows the coupling over the cutoffs: one dG^(4), matched at every L.
///
/// # Errors
/// Those of [`vertex_integrals`].
///
/// ```
/// use nnqft_gpu::analysis::{Interactions, flow};
/// use nnqft_gpu::model::{Architecture, EnsembleSpec};
/// use nnqft_gpu::theory::{Exact, Vertex};
///
/// let spec = EnsembleSpec::preset(Architecture::Gauss, 1)?.validate()?;
/// let four = Interactions::exact_four(&spec, &Exact::new(&spec));
/// let flow = flow(&spec, Vertex::Full, &[1e4, 1e5], &four)?;
/// assert!((flow.points[1].slope.unwrap() + 1.0).abs() < 1e-3); // lambda ~ 1 / L
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn flow(spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64], four: &Samples) -> Result<Flow> {
    check_flow(spec, vertex, cutoffs)?;
    let d_in = spec.d_in as f64;
    // lambda f^4 d^d y has no dimension; f grows like |y| for ReLU.
    let dimension = match (spec.arch, vertex) {
        (Architecture::Relu, _) => d_in + 4.0,
        (Architecture::Gauss, Vertex::Weight) => 0.0,
        _ => d_in,
    };
    let theory_slope = match (spec.arch, vertex) {
        (Architecture::Erf, Vertex::Weight) => None,
        _ => Some(-dimension),
    };
    let norm = |x: &Vec<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let inputs: f64 = spec
        .inputs
        .points()
        .iter()
        .map(norm)
        .filter(|&x| x > 0.0)
        .fold(1.0, f64::min);
    let tiny = 1e-3 * inputs.min(1.0 / spec.sigma_w.max(1e-9));
    let all = vertex_integrals(spec, vertex, &[cutoffs, &[tiny]].concat())?;
    let mut points: Vec<FlowPoint> = (all.iter())
        .map(|v| point(spec, v, four, dimension))
        .collect();
    let bottom = points.pop().expect("the cutoff for the infrared");
    let top = points
        .iter()
        .max_by(|a, b| a.cutoff.total_cmp(&b.cutoff))
        .ok_or_else(|| Error::invalid("--cutoffs", "''", "give at least one cutoff"))?;
    let end = |p: &FlowPoint| {
        let relative_beta = p.slope.map(|s| s + dimension);
        FixedPoint {
            cutoff: p.cutoff,
            relative_beta,
            reached: relative_beta.is_some_and(|b| b.abs() < 0.01),
        }
    };
    Ok(Flow {
        fit: fit(&points),
        asymptotic_slope: top.slope,
        theory_slope,
        dimension,
        uv: end(top),
        ir: end(&bottom),
        points,
    })
}

/// Whether [`flow`] can follow these cutoffs, before a run that needs it.
///
/// # Errors
/// Those of [`flow`].
pub fn check_flow(spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64]) -> Result<()> {
    if cutoffs.contains(&f64::INFINITY) {
        return Err(Error::invalid(
            "--cutoffs",
            "inf",
            "the coupling does not run at infinity; give finite cutoffs",
        ));
    }
    check_cutoffs(spec, vertex, cutoffs)
}

fn point(spec: &EnsembleSpec, v: &VertexIntegrals, four: &Samples, dimension: f64) -> FlowPoint {
    let coupling = Coupling::measure(spec.inputs.len(), four, v);
    let tuples = multisets(spec.inputs.len(), 4);
    let lambda = coupling.as_ref().map(|c| c.mean);
    let beta = coupling.as_ref().map(|c| {
        let terms = (c.values.iter().zip(&tuples))
            .filter_map(|(l, i)| Some(-(*l)? * v.derivative(i) / v.integral(i)));
        let terms: Vec<f64> = terms.collect();
        terms.iter().sum::<f64>() / terms.len() as f64
    });
    FlowPoint {
        cutoff: v.cutoff,
        lambda_mean: lambda,
        lambda_std_err: coupling.as_ref().and_then(|c| c.std_err),
        lambda_std: coupling.as_ref().map(|c| c.std),
        beta,
        beta_dimensionless: beta
            .zip(lambda)
            .map(|(b, l)| v.cutoff.powf(dimension) * (b + dimension * l)),
        slope: beta
            .zip(lambda)
            .map(|(b, l)| b / l)
            .filter(|s| s.is_finite()),
        undefined: coupling.as_ref().map_or(tuples.len(), |c| c.undefined),
        opposite_sign: coupling.as_ref().map_or(0, |c| {
            c.values
                .iter()
                .flatten()
                .filter(|l| **l * c.mean < 0.0)
                .count()
        }),
    }
}

/// Least squares of log10 |lambda| against log10 L.
fn fit(points: &[FlowPoint]) -> Option<SlopeFit> {
    let xy: Vec<(f64, f64)> = (points.iter())
        .filter_map(|p| Some((p.cutoff.log10(), p.lambda_mean?.abs().log10())))
        .filter(|(_, y)| y.is_finite())
        .collect();
    let n = xy.len() as f64;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| xy.iter().map(f).sum::<f64>() / n;
    let (mx, my) = (mean(&|p| p.0), mean(&|p| p.1));
    let sxx: f64 = xy.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let sxy: f64 = xy.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let syy: f64 = xy.iter().map(|p| (p.1 - my).powi(2)).sum();
    if xy.len() < 2 || sxx == 0.0 {
        return None;
    }
    let slope = sxy / sxx;
    let residual: f64 = (xy.iter())
        .map(|p| (p.1 - my - slope * (p.0 - mx)).powi(2))
        .sum();
    Some(SlopeFit {
        slope,
        std_err: (xy.len() > 2).then(|| (residual / (n - 2.0) / sxx).sqrt()),
        r2: if syy > 0.0 { 1.0 - residual / syy } else { 1.0 },
    })
}
