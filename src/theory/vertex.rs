//! This module computes the vertex integrals of the effective field theory.

use serde::{Deserialize, Serialize};

use super::bump::{Bump, of_bump};
use super::cubature::{BoxIntegrals, Integrand};
use super::far::{Far, line_growth};
use super::kernel::{Field, Kernel, check_box};
use super::range::check_vertices;
use crate::model::{EnsembleSpec, Net, short};
use crate::sentence::sentence;
use crate::tensor::MomentPlan;
use crate::{Error, Result, Sentence};

/// `Vertex` says which propagator k joins an external point to a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Vertex {
    /// k = K (arXiv:2008.08601v1).
    Full,
    /// k = K - sigma_b^2 (v2): the bias part of f is exactly Gaussian and does not interact.
    Weight,
}

impl Vertex {
    /// Returns what is taken off K in the lines into a vertex.
    pub(super) fn constant(self, net: &Net) -> f64 {
        match self {
            Self::Full => 0.0,
            Self::Weight => net.readout().sigma_b.powi(2),
        }
    }

    /// Returns what is left of sigma_b^2 in the lines into a vertex.
    pub(super) fn constant_left(self, net: &Net) -> f64 {
        net.readout().sigma_b.powi(2) - self.constant(net)
    }
}

impl std::str::FromStr for Vertex {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        match s {
            "full" => Ok(Self::Full),
            "weight" => Ok(Self::Weight),
            _ => Err(Error::invalid(
                "vertex",
                format!("'{s}'"),
                "use full or weight",
            )),
        }
    }
}

impl std::fmt::Display for Vertex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Weight => "weight",
        })
    }
}

/// `VertexIntegrals` holds the vertex integrals at one cutoff L, over y in the box [-L, L]^d_in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VertexIntegrals {
    /// The cutoff L, in the unit of the inputs.
    pub cutoff: f64,
    plan: MomentPlan,
    integrals: BoxIntegrals,
}

impl VertexIntegrals {
    /// Returns int k(x_1, y) .. k(x_n, y) d^d y for n = 2, 4 or 6 points, in any order.
    ///
    /// # Panics
    /// At another n.
    pub fn integral(&self, index: &[usize]) -> f64 {
        self.integrals.moments[self.element(index)]
    }

    /// Returns d / d log L of [`integral`](Self::integral): the integrand over the box's surface.
    pub fn derivative(&self, index: &[usize]) -> f64 {
        self.integrals.derivatives[self.element(index)]
    }

    /// Returns a bound of the error that the kernel brings to [`derivative`](Self::derivative).
    pub fn derivative_error(&self, index: &[usize]) -> f64 {
        self.integrals.derivative_errors[self.element(index)]
    }

    /// Returns the estimated error of [`integral`](Self::integral), the kernel's included.
    pub fn error(&self, index: &[usize]) -> f64 {
        self.integrals.errors[self.element(index)]
    }

    /// Returns an upper bound of int |k .. k| by Hoelder's inequality: what an integral that
    /// vanishes is small against.
    pub fn size(&self, index: &[usize]) -> f64 {
        let n = index.len();
        let root = |&i: &usize| self.integral(&vec![i; n]).abs().powf(1.0 / n as f64);
        index.iter().map(root).product()
    }

    /// Returns what an [`integral`](Self::integral) that vanishes may come to: three of its errors,
    /// and rounding.
    pub fn zero(&self, index: &[usize]) -> f64 {
        (1e-13 * self.size(index)).max(3.0 * self.error(index))
    }

    /// Returns the [`integral`](Self::integral), or `None` where it vanishes.
    pub fn present(&self, index: &[usize]) -> Option<f64> {
        let integral = self.integral(index);
        (integral.abs() > self.zero(index) && integral.is_normal()).then_some(integral)
    }

    /// Returns int |y|^2 k(x_1, y) .. k(x_4, y) d^d y.
    pub fn quadratic(&self, index: &[usize]) -> f64 {
        let (_, range) = &self.plan.orders()[1];
        self.integrals.quadratic[self.element(index) - range.start]
    }

    fn element(&self, index: &[usize]) -> usize {
        let mut index = index.to_vec();
        index.sort_unstable();
        let (_, range) = (self.plan.orders().iter())
            .find(|(n, _)| *n == index.len())
            .expect("orders 2, 4 and 6");
        let of_order = &self.plan.indices()[range.clone()];
        // Lexicographic by construction.
        range.start + of_order.binary_search(&index).expect("points of the spec")
    }
}

/// Computes the vertex integrals of all unique 2-, 4- and 6-tuples of a spec's inputs, one entry
/// per cutoff, in the order given.
///
/// Gauss-net: closed form, products of error functions. Erf- and ReLU-net: adaptive
/// Gauss-Legendre to 1e-11 (d_in = 1, 2) or 1e-8 (d_in = 3) of int |k .. k|; all cutoffs
/// for the price of the largest. Kernels without a closed form under laws of the hidden layer that
/// are not gaussian are tabulated over the box, to 1e-10, 1e-6 and 1e-4 for d_in = 1, 2 and 3 where a
/// minute is enough; [`VertexIntegrals::error`] has what is left.
///
/// # Errors
/// [`Error::Invalid`] for a cutoff that is not positive, one at which an integral leaves the range
/// of f64, an infinite one where it diverges, and d_in above 3 where there is no closed form.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::theory::{Vertex, vertex_integrals};
///
/// let spec = EnsembleSpec::preset("gauss", 1)?.validate()?;
/// let at = vertex_integrals(&spec, Vertex::Full, &[10.0, 20.0])?;
/// assert!(at[1].integral(&[0, 0, 1, 1]) > at[0].integral(&[0, 0, 1, 1]));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn vertex_integrals(
    spec: &EnsembleSpec,
    vertex: Vertex,
    cutoffs: &[f64],
) -> Result<Vec<VertexIntegrals>> {
    check_cutoffs(spec, vertex, cutoffs)?;
    let mut sorted: Vec<f64> = cutoffs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let plan = MomentPlan::new(spec.inputs.len(), &[2, 4, 6]);
    let all = match Bump::of(&spec.net) {
        Some(bump) => sorted
            .iter()
            .map(|&l| of_bump(spec, &bump, vertex, &plan, l))
            .collect(),
        None => numeric(spec, vertex, &plan, &sorted),
    };
    Ok(cutoffs
        .iter()
        .map(|cutoff| {
            let at = sorted.partition_point(|l| l < cutoff);
            VertexIntegrals {
                cutoff: *cutoff,
                plan: plan.clone(),
                integrals: all[at].clone(),
            }
        })
        .collect())
}

/// Checks that [`vertex_integrals`] can be computed, before a run that needs them.
///
/// # Errors
/// Those of [`vertex_integrals`].
pub fn check_cutoffs(spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64]) -> Result<()> {
    cutoffs.iter().try_for_each(|&l| check(spec, vertex, l))
}

fn check(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> Result<()> {
    let invalid = |reason: Sentence| Err(Error::invalid("cutoffs", short(cutoff), reason));
    if cutoff.is_nan() || cutoff <= 0.0 {
        return invalid("a cutoff is a positive length; the source's are 7 to 100000".into());
    }
    if cutoff.is_finite() && !(1e-100..=1e100).contains(&cutoff) {
        return invalid(
            "below 1e-100 and beyond 1e100 the integrals leave the range of f64; the source's are 7 to 100000".into(),
        );
    }
    let name = spec.net.title();
    if Bump::of(&spec.net).is_none() && spec.net.d_in() > 3 {
        return Err(Error::invalid(
            "d_in",
            spec.net.d_in(),
            format!("vertex integrals of {name} are computed for d_in 1, 2 and 3"),
        ));
    }
    if cutoff.is_infinite() {
        let to_constant = || {
            sentence!("full kernel tends to the constant sigma_b^2 at large y; use `vertex` weight")
        };
        let has_constant = vertex.constant_left(&spec.net) != 0.0;
        let why: Option<Sentence> = match (Far::of(&spec.net), line_growth(&spec.net, vertex)) {
            (Far::Vanishes, None) => None,
            (Far::Power(p), None) if p < 0.0 => None,
            (Far::Vanishes, Some(_)) => Some(to_constant()),
            (Far::Power(0.0), _) => Some("kernel does not fall off at large y".into()),
            (Far::Power(1.0), _) => Some("kernel grows like |y| at large y".into()),
            (Far::Power(p), _) if p > 0.0 => {
                Some(format!("kernel grows like |y|^{p} at large y").into())
            }
            (Far::Power(_), _) if has_constant => Some(to_constant()),
            (Far::Power(p), _) => Some(format!("kernel falls like |y|^{p:.2} only").into()),
            (Far::GrowsExponentially, _) => Some("kernel grows exponentially at large y".into()),
            (Far::Unknown, _) => Some("kernel need not fall off at large y".into()),
        };
        if let Some(why) = why {
            return invalid(sentence!("the integral diverges: {}'s {}", name, why));
        }
    }
    check_box(&spec.net, cutoff)?;
    check_vertices(spec, vertex, cutoff)
}

/// Returns the field values k(x_p, y), `[node][point]`, and weights of a fixed quadrature over the
/// box of a cutoff: what the moment stage of an engine turns into vertex integrals.
///
/// # Errors
/// Those of [`vertex_integrals`]; an infinite cutoff has no nodes.
pub fn vertex_nodes(
    spec: &EnsembleSpec,
    vertex: Vertex,
    cutoff: f64,
) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    check(spec, vertex, cutoff)?;
    if cutoff.is_infinite() || spec.net.d_in() > 3 {
        return Err(Error::invalid(
            "cutoffs",
            short(cutoff),
            "quadrature nodes need a finite box and d_in up to 3",
        ));
    }
    let plan = MomentPlan::new(spec.inputs.len(), &[4]);
    let kernel = Kernel::new(&spec.net);
    let field = Field::new(&kernel, spec.inputs.points());
    Ok(with_integrand(spec, vertex, &plan, &field, |i| {
        i.nodes(cutoff, 8)
    }))
}

/// Returns a finite cutoff beyond which nothing is left of integrals over four lines that converge,
/// for an infinite one.
pub(super) fn finite(spec: &EnsembleSpec, cutoff: f64) -> f64 {
    let inputs = spec.inputs.points().iter().flatten();
    let scale = inputs.fold(natural_scale(spec), |scale, x| scale.max(x.abs()));
    match cutoff.is_infinite() {
        true => scale * 50f64.exp2(),
        false => cutoff,
    }
}

/// Computes the integrals by cubature, for any kernel.
fn numeric(
    spec: &EnsembleSpec,
    vertex: Vertex,
    plan: &MomentPlan,
    cutoffs: &[f64],
) -> Vec<BoxIntegrals> {
    let finite: Vec<f64> = cutoffs.iter().map(|&l| finite(spec, l)).collect();
    let kernel = Kernel::new(&spec.net);
    let largest = finite.iter().copied().fold(0.0, f64::max);
    let field = Field::over_box(&kernel, spec.inputs.points(), largest, natural_scale(spec));
    with_integrand(spec, vertex, plan, &field, |i| i.boxes(&finite))
}

fn with_integrand<T>(
    spec: &EnsembleSpec,
    vertex: Vertex,
    plan: &MomentPlan,
    kernel: &Field,
    of: impl FnOnce(Integrand) -> T,
) -> T {
    let points = spec.inputs.points();
    let constant = vertex.constant(&spec.net);
    let field = |y: &[f64], values: &mut [f64], errors: &mut [f64]| {
        kernel.at(y, values, errors);
        values.iter_mut().for_each(|k| *k -= constant);
    };
    let quadratic = MomentPlan::new(points.len(), &[4]);
    let tolerance = if spec.net.d_in() < 3 { 1e-11 } else { 1e-8 };
    of(Integrand {
        plan,
        quadratic: &quadratic,
        d_in: spec.net.d_in(),
        field: &field,
        homogeneous: spec.net.homogeneous() == Some(1.0),
        marks: points,
        scale: natural_scale(spec),
        // Cells of a table do not join more smoothly than they are precise.
        tolerance: (kernel.precision()).map_or(tolerance, |p| tolerance.max(10.0 * p)),
    })
}

/// Returns half the radius at which s_yy is of order one; the kernels' only other lengths are the
/// inputs.
pub(super) fn natural_scale(spec: &EnsembleSpec) -> f64 {
    let first = spec.net.first();
    let vb = first.sigma_b * first.sigma_b;
    0.5 * (spec.net.d_in() as f64 * (0.5 + vb)).sqrt() / first.sigma_w.max(1e-100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;
    use crate::theory::bump::line;

    #[test]
    fn a_box_small_beside_the_bump_and_far_from_its_centre() {
        // Both sides of the change of rule, and a box far below it: 2 L e^(-a sum x^2).
        let (a, x) = (0.5, [0.7, 0.9, 1.1, 1.3]);
        let at = |cutoff: f64| line(a, &x, cutoff);
        let edge = 0.5 / 2f64.sqrt();
        for (below, above) in at(edge * (1.0 - 1e-13)).into_iter().zip(at(edge)) {
            assert!((below / above - 1.0).abs() < 1e-11, "{below} {above}");
        }
        let square: f64 = x.iter().map(|x| x * x).sum();
        let l = 1e-60;
        let want = [2.0 * l, 2.0 * l, 2.0 / 3.0 * l * l * l].map(|w| w * (-a * square).exp());
        for (got, want) in at(l).into_iter().zip(want) {
            assert!((got / want - 1.0).abs() < 1e-14, "{got} {want}");
        }
    }

    /// The cubature on Gauss-net's kernel is held against the closed form that it has.
    #[test]
    fn cubature_agrees_with_the_closed_form() {
        for d_in in 1..=3 {
            let spec = EnsembleSpec {
                inputs: Inputs::new(
                    [[0.3, -0.9, 0.5], [1.4, 0.2, -0.6]]
                        .map(|x| x[..d_in].to_vec())
                        .to_vec(),
                )
                .unwrap(),
                ..EnsembleSpec::preset("gauss", 1)
                    .unwrap()
                    .with_d_in(d_in)
                    .with_sigma_w(1.2)
                    .with_sigma_b(0.4)
            };
            let plan = MomentPlan::new(2, &[2, 4, 6]);
            for vertex in [Vertex::Full, Vertex::Weight] {
                let cutoffs = [0.7, 3.0, 20.0];
                let bound = if d_in < 3 { 1e-10 } else { 1e-7 };
                for (got, l) in numeric(&spec, vertex, &plan, &cutoffs).iter().zip(cutoffs) {
                    let want = of_bump(&spec, &Bump::of(&spec.net).unwrap(), vertex, &plan, l);
                    let near = |a: &[f64], b: &[f64], what: &str| {
                        for (e, (a, b)) in a.iter().zip(b).enumerate() {
                            // Derivatives may vanish: small against the integral.
                            let size = b.abs().max(1e-3 * want.moments[e].abs());
                            assert!(
                                (a - b).abs() < bound * size,
                                "d_in {d_in} L {l} {what} {e}: {a} {b}"
                            );
                        }
                    };
                    near(&got.moments, &want.moments, "integral");
                    near(&got.derivatives, &want.derivatives, "derivative");
                    for (a, b) in got.quadratic.iter().zip(&want.quadratic) {
                        assert!((a - b).abs() < bound * b.abs(), "d_in {d_in} {a} {b}");
                    }
                    for (e, (a, b)) in got.moments.iter().zip(&want.moments).enumerate() {
                        assert!((a - b).abs() <= got.errors[e] + 1e-13 * b.abs());
                    }
                }
            }
        }
    }
}
