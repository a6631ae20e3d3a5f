//! Moments of one hidden neuron, M(i_1 .. i_n) = E[h(x_i1) .. h(x_in)].

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::cubature::{Nodes, add_up, legendre};
use super::kernel_matrix;
use crate::model::{Architecture, EnsembleSpec};
use crate::tensor::{MomentPlan, multisets};

/// Nodes that cost about a second on two cores.
fn nodes_in_a_second(plan: &MomentPlan) -> f64 {
    (2e9 / plan.elements().len() as f64).clamp(1e4, 8e6)
}

/// Moments of a single neuron at even orders up to 6.
#[derive(Debug, Clone)]
pub struct NeuronMoments {
    values: BTreeMap<Key, Moment>,
}

/// A multiset of at most six points in ascending order, then nothing but `u32::MAX`. Six-point
/// functions look moments up by the 10^5: this needs no memory of its own.
type Key = [u32; 6];

fn key(index: impl IntoIterator<Item = usize>) -> Key {
    let mut key = [u32::MAX; 6];
    let mut free = key.iter_mut();
    for point in index {
        *free.next().expect("no moments above order 6") = point as u32;
    }
    key.sort_unstable();
    key
}

/// One moment by the rule in use and by a coarser one, whose distance bounds the error.
#[derive(Debug, Clone, Copy)]
struct Moment {
    fine: f64,
    coarse: f64,
}

impl From<f64> for Moment {
    /// A moment in closed form.
    fn from(value: f64) -> Self {
        Self {
            fine: value,
            coarse: value,
        }
    }
}

/// Which rule's moments to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Fine,
    Coarse,
}

impl NeuronMoments {
    /// M of an index multiset, in any order, by one of the rules.
    ///
    /// # Panics
    /// If the moments were computed without this order.
    pub(super) fn by(&self, rule: Rule, index: impl IntoIterator<Item = usize>) -> f64 {
        let moment = self.values[&key(index)];
        match rule {
            Rule::Fine => moment.fine,
            Rule::Coarse => moment.coarse,
        }
    }
}

/// E[h h ..] for all index multisets of the given even orders, 6 at most.
///
/// Gauss-net is log-normal: closed form. Second moments are (K - sigma_b^2) / sigma_w^2 in
/// closed form for all. Else the average is over the span of the pre-activations, of rank
/// r <= d_in + 1: for erf the trapezoidal rule, which converges like exp(-c / h^2) for an
/// entire integrand times a Gaussian; for ReLU the radius in closed form and the angles by
/// Gauss-Legendre between the kinks. Above r = 4, a lattice of as many nodes as a second
/// allows.
pub fn neuron_moments(spec: &EnsembleSpec, orders: &[usize]) -> NeuronMoments {
    let points = spec.inputs.points();
    let (vw, vb) = (spec.sigma_w.powi(2), spec.sigma_b.powi(2));
    let d_in = spec.d_in as f64;
    let mut values = BTreeMap::new();
    if spec.arch == Architecture::Gauss {
        let offset: Vec<f64> = points
            .iter()
            .map(|x| vb + vw * x.iter().map(|x| x * x).sum::<f64>() / d_in)
            .collect();
        for &n in orders {
            for index in multisets(points.len(), n) {
                let square: f64 = (0..spec.d_in)
                    .map(|c| index.iter().map(|&i| points[i][c]).sum::<f64>().powi(2))
                    .sum();
                let v = vw * square / d_in + (n * n) as f64 * vb;
                let exponent = v / 2.0 - index.iter().map(|&i| offset[i]).sum::<f64>();
                values.insert(key(index), exponent.exp().into());
            }
        }
        return NeuronMoments { values };
    }
    let kernel = kernel_matrix(spec);
    // sigma_w = 0 has no hidden layer to speak of: h is multiplied by zero.
    let second = |i: usize, j: usize| match vw {
        0.0 => 0.0,
        _ => (kernel[i][j] - vb) / vw,
    };
    let higher: Vec<usize> = orders.iter().copied().filter(|&n| n > 2).collect();
    if !higher.is_empty() && vw > 0.0 {
        let plan = MomentPlan::new(points.len(), &higher);
        let forms = span(spec);
        let (coarse, fine) = match (spec.arch, forms[0].len()) {
            (Architecture::Erf, 0..=4) => erf_moments(&plan, &forms),
            (Architecture::Erf, _) => lattice_moments(&plan, &forms, libm::erf),
            (_, 0..=4) => relu_moments(&plan, &forms),
            _ => lattice_moments(&plan, &forms, |z| z.max(0.0)),
        };
        let pairs = coarse.into_iter().zip(fine);
        let moments = pairs.map(|(coarse, fine)| Moment { coarse, fine });
        let keys = plan
            .indices()
            .iter()
            .map(|index| key(index.iter().copied()));
        values.extend(keys.zip(moments));
    } else {
        for &n in &higher {
            let indices = multisets(points.len(), n).into_iter();
            values.extend(indices.map(|index| (key(index), 0.0.into())));
        }
    }
    if orders.contains(&2) {
        for index in multisets(points.len(), 2) {
            let m = second(index[0], index[1]);
            values.insert(key(index), m.into());
        }
    }
    NeuronMoments { values }
}

/// Pre-activations as linear forms of r independent standard normals, `[point][r]`, r their
/// rank: pivoted Gram-Schmidt on the rows (sigma_w / sqrt(d_in) x, sigma_b).
fn span(spec: &EnsembleSpec) -> Vec<Vec<f64>> {
    let scale = spec.sigma_w / (spec.d_in as f64).sqrt();
    let rows: Vec<Vec<f64>> = spec
        .inputs
        .points()
        .iter()
        .map(|x| {
            let mut row: Vec<f64> = x.iter().map(|x| scale * x).collect();
            row.push(spec.sigma_b);
            row
        })
        .collect();
    let largest = rows.iter().map(|r| dot(r, r)).fold(0.0, f64::max).sqrt();
    let mut rest = rows.clone();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    while basis.len() < spec.d_in + 1 {
        let Some(pivot) = rest
            .iter()
            .max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)))
            .cloned()
        else {
            break;
        };
        let norm = dot(&pivot, &pivot).sqrt();
        if norm <= 1e-13 * largest {
            break;
        }
        let e: Vec<f64> = pivot.iter().map(|x| x / norm).collect();
        for row in &mut rest {
            // Twice is enough (Kahan): the second pass removes the rounding of the first.
            for _ in 0..2 {
                let along = dot(row, &e);
                row.iter_mut().zip(&e).for_each(|(x, e)| *x -= along * e);
            }
        }
        basis.push(e);
    }
    rows.iter()
        .map(|row| basis.iter().map(|e| dot(row, e)).collect())
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// E over r <= 4 normals of products of erf, by the trapezoidal rule in a ball: by a coarser
/// rule first, whose distance from the finer bounds its error.
fn erf_moments(plan: &MomentPlan, forms: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let rank = forms[0].len();
    if rank == 0 {
        let zero = vec![0.0; plan.elements().len()];
        return (zero.clone(), zero);
    }
    // Along the imaginary axis the integrand grows at most like exp(a y^2), so that the rule
    // with step h errs by exp(-pi^2 / (a h^2)); beyond the radius is 1e-15 of the weight,
    // in four dimensions, where nodes are dear, 6e-10.
    let largest = forms.iter().map(|l| dot(l, l)).fold(0.0, f64::max);
    let radius = if rank < 4 { 8.3 } else { 7.0f64 };
    let a = 6.0 * largest + 0.5;
    let ball = PI.powf(rank as f64 / 2.0) * libm::tgamma(rank as f64 / 2.0 + 1.0).recip();
    let affordable = radius * (ball / 2.0 / nodes_in_a_second(plan)).powf(1.0 / rank as f64);
    let step = (PI / (a * 1e-15f64.ln().abs()).sqrt()).max(affordable);

    // Half the ball: products of even order do not change under g -> -g, nor does a grid
    // of half-odd multiples of the step.
    let rule = |step: f64| -> Vec<f64> {
        let n = (radius / step).ceil() as i64;
        let axis: Vec<f64> = (-n..n).map(|k| (k as f64 + 0.5) * step).collect();
        let unit = 2.0 * (step / TAU.sqrt()).powi(rank as i32);
        let slices: Vec<f64> = axis.iter().copied().filter(|&x| x > 0.0).collect();
        let parts: Vec<Vec<f64>> = slices
            .into_par_iter()
            .map(|first| {
                let mut nodes = Nodes::new(plan);
                let mut g = vec![0.0; rank];
                g[0] = first;
                grid(&axis, radius, &mut g, 1, first * first, &mut |g, r2| {
                    nodes.push(unit * (-r2 / 2.0).exp(), |p| libm::erf(dot(&forms[p], g)));
                });
                nodes.take()
            })
            .collect();
        add_up(parts, plan.elements().len())
    };
    // The coarser rule errs by the power 1 / 1.25^2 of the finer one's error: a safe bound.
    (rule(1.25 * step), rule(step))
}

/// Visits the grid points of a ball, from coordinate `depth` on.
fn grid(
    axis: &[f64],
    radius: f64,
    g: &mut Vec<f64>,
    depth: usize,
    r2: f64,
    visit: &mut dyn FnMut(&[f64], f64),
) {
    if depth == g.len() {
        visit(g, r2);
        return;
    }
    for &x in axis {
        let r2 = r2 + x * x;
        if r2 <= radius * radius {
            g[depth] = x;
            grid(axis, radius, g, depth + 1, r2, visit);
        }
    }
}

/// E over r <= 4 normals of products of ReLU: the same by two rules.
fn relu_moments(plan: &MomentPlan, forms: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let rank = forms[0].len();
    let rule = |points: usize| -> Vec<f64> {
        let mut nodes = Nodes::new(plan);
        let mut total = 0.0;
        let mut visit = |omega: &[f64], weight: f64| {
            total += weight;
            nodes.push(weight, |p| dot(&forms[p], omega).max(0.0));
        };
        match rank {
            0 => visit(&[], 1.0),
            1 => [1.0, -1.0].map(|o| visit(&[o], 0.5)).into_iter().collect(),
            _ => sphere(forms, points, &mut visit),
        }
        let means = nodes.take().into_iter().map(|m| m / total);
        // E[R^n] of the chi distribution with r degrees of freedom.
        let radial = |n: usize| {
            let (r, n) = (rank as f64, n as f64);
            2f64.powf(n / 2.0) * libm::tgamma((r + n) / 2.0) / libm::tgamma(r / 2.0)
        };
        let lengths = plan.indices().iter().map(Vec::len);
        (means.zip(lengths))
            .map(|(m, n)| if rank == 0 { 0.0 } else { m * radial(n) })
            .collect()
    };
    match rank {
        0..4 => (rule(10), rule(14)),
        _ => (rule(32), rule(44)),
    }
}

/// E over any number of normals, for any activation: a lattice in the unit cube, shifted
/// eight times at random; the spread of the shifts bounds the error.
fn lattice_moments(
    plan: &MomentPlan,
    forms: &[Vec<f64>],
    act: impl Fn(f64) -> f64 + Sync,
) -> (Vec<f64>, Vec<f64>) {
    const SHIFTS: usize = 8;
    let dimensions = forms[0].len().next_multiple_of(2);
    // The generalised golden ratio: the root of x^(d + 1) = x + 1.
    let golden = (0..60).fold(2.0f64, |x, _| {
        (1.0 + x).powf(1.0 / (dimensions as f64 + 1.0))
    });
    let steps: Vec<f64> = (1..=dimensions as i32).map(|k| golden.powi(-k)).collect();
    let mut words = ChaCha8Rng::seed_from_u64(0);
    let per_shift = (nodes_in_a_second(plan) / SHIFTS as f64) as usize;
    let results: Vec<Vec<f64>> = (0..SHIFTS)
        .map(|_| {
            let start: Vec<f64> = (0..dimensions)
                .map(|_| f64::from(words.next_u32()) / 4_294_967_296.0)
                .collect();
            let parts: Vec<Vec<f64>> = (0..per_shift.div_ceil(4096))
                .into_par_iter()
                .map(|chunk| {
                    let mut nodes = Nodes::new(plan);
                    let mut g = vec![0.0; dimensions];
                    for n in chunk * 4096..per_shift.min((chunk + 1) * 4096) {
                        let u = |c: usize| (start[c] + n as f64 * steps[c]).fract();
                        for c in (0..dimensions).step_by(2) {
                            let r = (-2.0 * (1.0 - u(c)).ln()).sqrt();
                            let (sin, cos) = (TAU * u(c + 1)).sin_cos();
                            (g[c], g[c + 1]) = (r * cos, r * sin);
                        }
                        nodes.push(1.0, |p| act(dot(&forms[p], &g)));
                    }
                    nodes.take()
                })
                .collect();
            let sums = add_up(parts, plan.elements().len()).into_iter();
            sums.map(|s| s / per_shift as f64).collect()
        })
        .collect();
    let shifts = SHIFTS as f64;
    (0..plan.elements().len())
        .map(|e| {
            let mean = results.iter().map(|r| r[e]).sum::<f64>() / shifts;
            let square: f64 = results.iter().map(|r| (r[e] - mean).powi(2)).sum();
            // Two standard errors away.
            let bound = 2.0 * (square / (shifts * (shifts - 1.0))).sqrt();
            (mean + bound, mean)
        })
        .unzip()
}

/// Nodes and weights on the unit sphere of r >= 2 dimensions, with panels that end at the
/// kinks of the given forms: exact along the last angle, for r <= 3 along all.
fn sphere(forms: &[Vec<f64>], points: usize, visit: &mut dyn FnMut(&[f64], f64)) {
    let rank = forms[0].len();
    let legendre = legendre(points);
    if rank == 2 {
        let mut ends = marks(TAU, 8);
        for l in forms {
            let kink = (-l[0]).atan2(l[1]);
            ends.extend([kink.rem_euclid(TAU), (kink + PI).rem_euclid(TAU)]);
        }
        panels(ends, &legendre, &mut |phi, w| {
            visit(&[phi.cos(), phi.sin()], w)
        });
        return;
    }
    let mut ends = marks(TAU, 8);
    if rank == 3 {
        // Where two kinks cross, the integral over the last angle is not smooth.
        for (i, a) in forms.iter().enumerate() {
            for b in &forms[..i] {
                let x = a[1] * b[2] - a[2] * b[1];
                let y = a[2] * b[0] - a[0] * b[2];
                let phi = y.atan2(x);
                ends.extend([phi.rem_euclid(TAU), (phi + PI).rem_euclid(TAU)]);
            }
            // A kink through the poles is a meridian.
            let phi = (-a[0]).atan2(a[1]);
            ends.extend([phi.rem_euclid(TAU), (phi + PI).rem_euclid(TAU)]);
        }
    }
    let mut azimuths = Vec::new();
    panels(ends, &legendre, &mut |phi, w| azimuths.push((phi, w)));
    let mut outer = Outer {
        forms,
        azimuths,
        legendre,
        omega: vec![0.0; rank],
        visit,
    };
    outer.polar(0, 1.0, 1.0);
}

/// The nested angles of a sphere of three dimensions or more.
struct Outer<'a> {
    forms: &'a [Vec<f64>],
    azimuths: Vec<(f64, f64)>,
    legendre: Vec<(f64, f64)>,
    omega: Vec<f64>,
    visit: &'a mut dyn FnMut(&[f64], f64),
}

impl Outer<'_> {
    /// Polar angle `k`; `radius` is what the angles before it leave, `weight` their weight.
    fn polar(&mut self, k: usize, radius: f64, weight: f64) {
        let rank = self.omega.len();
        if k + 3 < rank {
            let mut angles = Vec::new();
            panels(marks(PI, 2), &self.legendre, &mut |psi, w| {
                angles.push((psi, w))
            });
            for (psi, w) in angles {
                self.omega[k] = radius * psi.cos();
                let jacobian = psi.sin().powi((rank - 2 - k) as i32);
                self.polar(k + 1, radius * psi.sin(), weight * w * jacobian);
            }
            return;
        }
        for (phi, w) in self.azimuths.clone() {
            let (cos, sin) = (phi.cos(), phi.sin());
            let mut ends = marks(PI, 4);
            for l in self.forms {
                // c + a cos t + b sin t = 0 along the last angle.
                let c: f64 = l[..k].iter().zip(&self.omega).map(|(l, o)| l * o).sum();
                let a = radius * l[k + 2];
                let b = radius * (l[k] * cos + l[k + 1] * sin);
                let (size, phase) = (a.hypot(b), b.atan2(a));
                if c.abs() <= size && size > 0.0 {
                    let turn = (-c / size).acos();
                    for t in [phase + turn, phase - turn] {
                        let t = t.rem_euclid(TAU);
                        if t < PI {
                            ends.push(t);
                        }
                    }
                }
            }
            let legendre = std::mem::take(&mut self.legendre);
            panels(ends, &legendre, &mut |t, v| {
                let s = radius * t.sin();
                self.omega[k] = s * cos;
                self.omega[k + 1] = s * sin;
                self.omega[k + 2] = radius * t.cos();
                (self.visit)(&self.omega, weight * w * v * t.sin());
            });
            self.legendre = legendre;
        }
    }
}

/// 0, length / n, .., length.
fn marks(length: f64, n: usize) -> Vec<f64> {
    (0..=n).map(|k| length * k as f64 / n as f64).collect()
}

/// Gauss-Legendre on the panels between sorted end points.
fn panels(mut ends: Vec<f64>, legendre: &[(f64, f64)], visit: &mut dyn FnMut(f64, f64)) {
    ends.sort_unstable_by(f64::total_cmp);
    for pair in ends.windows(2) {
        let half = 0.5 * (pair[1] - pair[0]);
        if half > 1e-14 {
            for (x, w) in legendre {
                visit(pair[0] + half * (1.0 + x), half * w);
            }
        }
    }
}
