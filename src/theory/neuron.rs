//! Moments of one hidden neuron, M(i_1 .. i_n) = E[h(x_i1) .. h(x_in)].

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use gauss_quad::GaussLegendre;
use rayon::prelude::*;

use crate::model::{Architecture, EnsembleSpec};
use crate::tensor::{LANES, Lanes, MomentPlan, MomentSums, multisets};
use crate::theory::kernel_matrix;

/// Nodes that cost about a second at six points.
const MAX_NODES: f64 = 3e6;

/// Moments of a single neuron at even orders.
#[derive(Debug, Clone)]
pub struct NeuronMoments {
    values: BTreeMap<Vec<usize>, f64>,
    /// Estimated error of the moments, relative to the product of the fields' sizes.
    pub error: f64,
}

impl NeuronMoments {
    /// M of an index multiset, in any order.
    ///
    /// # Panics
    /// If the moments were computed without this order.
    pub fn get(&self, index: &[usize]) -> f64 {
        let mut index = index.to_vec();
        index.sort_unstable();
        self.values[&index]
    }
}

/// E[h h ..] for all index multisets of the given even orders.
///
/// Gauss-net is log-normal: closed form. Second moments are (K - sigma_b^2) / sigma_w^2 in
/// closed form for all. Else the average is over the span of the pre-activations, of rank
/// r <= d_in + 1: for erf the trapezoidal rule, which converges like exp(-c / h^2) for an
/// entire integrand times a Gaussian; for ReLU the radius in closed form and the angles by
/// Gauss-Legendre between the kinks.
pub fn neuron_moments(spec: &EnsembleSpec, orders: &[usize]) -> NeuronMoments {
    let points = spec.inputs.points();
    let (vw, vb) = (spec.sigma_w.powi(2), spec.sigma_b.powi(2));
    let d_in = spec.d_in as f64;
    let mut values = BTreeMap::new();
    let mut error = 1e-14;
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
                values.insert(index, exponent.exp());
            }
        }
        return NeuronMoments { values, error };
    }
    let higher: Vec<usize> = orders.iter().copied().filter(|&n| n > 2).collect();
    if !higher.is_empty() {
        let plan = MomentPlan::new(points.len(), &higher);
        let forms = span(spec);
        let (means, estimate) = match spec.arch {
            Architecture::Erf => erf_moments(&plan, &forms),
            _ => relu_moments(&plan, &forms),
        };
        error = estimate;
        values.extend(plan.indices().iter().cloned().zip(means));
    }
    if orders.contains(&2) {
        let kernel = kernel_matrix(spec);
        for index in multisets(points.len(), 2) {
            // sigma_w = 0 has no hidden layer to speak of: h is multiplied by zero.
            let k = kernel[index[0]][index[1]] - vb;
            values.insert(index, if vw == 0.0 { 0.0 } else { k / vw });
        }
    }
    NeuronMoments { values, error }
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
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
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

/// Weighted moments of the field over a list of nodes.
fn weighted(plan: &MomentPlan, nodes: &[(Vec<f64>, f64)]) -> Vec<f64> {
    // Chunks of fixed size, added in order: the same bits for any number of threads.
    let parts: Vec<Vec<f64>> = nodes
        .par_chunks(4096)
        .map(|nodes| {
            let mut sums = MomentSums::new(plan);
            let mut field = vec![[0.0; LANES]; plan.points()];
            for group in nodes.chunks(LANES) {
                let mut weight: Lanes = [0.0; LANES];
                for (lane, (h, w)) in group.iter().enumerate() {
                    weight[lane] = *w;
                    field.iter_mut().zip(h).for_each(|(f, h)| f[lane] = *h);
                }
                sums.add_weighted(&field, &weight);
            }
            sums.take()
        })
        .collect();
    parts
        .into_iter()
        .reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
        .unwrap_or_else(|| vec![0.0; plan.elements().len()])
}

/// E over r normals of products of erf, by the trapezoidal rule in a ball.
fn erf_moments(plan: &MomentPlan, forms: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let rank = forms[0].len();
    if rank == 0 {
        return (vec![0.0; plan.elements().len()], 0.0);
    }
    // Along the imaginary axis the integrand grows at most like exp(a y^2), so that the rule
    // with step h errs by exp(-pi^2 / (a h^2)); beyond radius 8.3 is 1e-15 of the weight.
    let largest = forms
        .iter()
        .map(|l| l.iter().map(|x| x * x).sum::<f64>())
        .fold(0.0, f64::max);
    let radius = 8.3;
    let a = 6.0 * largest + 0.5;
    let ball = PI.powf(rank as f64 / 2.0) * libm::tgamma(rank as f64 / 2.0 + 1.0).recip();
    let affordable = radius * (ball / 2.0 / MAX_NODES).powf(1.0 / rank as f64);
    let step = (PI / (a * 1e-15f64.ln().abs()).sqrt()).max(affordable);

    // Half the ball: products of even order do not change under g -> -g, nor does a grid
    // of half-odd multiples of the step.
    let rule = |step: f64| -> Vec<f64> {
        let n = (radius / step).ceil() as i64;
        let axis: Vec<f64> = (-n..n).map(|k| (k as f64 + 0.5) * step).collect();
        let mut nodes = Vec::new();
        let mut g = vec![0.0; rank];
        grid(&axis, radius, &mut g, 0, 0.0, &mut |g, r2| {
            let weight = (step / TAU.sqrt()).powi(rank as i32) * (-r2 / 2.0).exp();
            let z = |l: &Vec<f64>| l.iter().zip(g).map(|(l, g)| l * g).sum::<f64>();
            let h = forms.iter().map(|l| libm::erf(z(l))).collect();
            nodes.push((h, 2.0 * weight));
        });
        weighted(plan, &nodes)
    };
    // The coarser rule errs by the power 1 / 1.25^2 of the finer one's error: a safe bound.
    let (coarse, fine) = (rule(1.25 * step), rule(step));
    let error = coarse
        .iter()
        .zip(&fine)
        .map(|(a, b)| (a - b).abs())
        .fold(1e-15, f64::max);
    (fine, error)
}

/// Visits the grid points of a ball with a first coordinate above zero.
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
        if r2 <= radius * radius && (depth > 0 || x > 0.0) {
            g[depth] = x;
            grid(axis, radius, g, depth + 1, r2, visit);
        }
    }
}

/// E over r normals of products of ReLU.
fn relu_moments(plan: &MomentPlan, forms: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let rank = forms[0].len();
    let relu = |omega: &[f64]| -> Vec<f64> {
        forms
            .iter()
            .map(|l| {
                l.iter()
                    .zip(omega)
                    .map(|(l, o)| l * o)
                    .sum::<f64>()
                    .max(0.0)
            })
            .collect()
    };
    let (angular, error) = match rank {
        0 => (vec![0.0; plan.elements().len()], 0.0),
        1 => {
            let nodes: Vec<_> = [1.0, -1.0].map(|o| (relu(&[o]), 0.5)).into();
            (weighted(plan, &nodes), 1e-15)
        }
        _ => {
            let rule = |points: usize| {
                let mut nodes = Vec::new();
                sphere(forms, points, &mut |omega, weight| {
                    nodes.push((relu(omega), weight));
                });
                let total: f64 = nodes.iter().map(|(_, w)| w).sum();
                let mut means = weighted(plan, &nodes);
                means.iter_mut().for_each(|m| *m /= total);
                means
            };
            let (coarse, fine) = match rank {
                2 => (10, 14),
                3 => (10, 14),
                _ => (26, 36),
            };
            let (coarse, fine) = (rule(coarse), rule(fine));
            let largest = forms
                .iter()
                .map(|l| l.iter().map(|x| x * x).sum::<f64>().sqrt())
                .fold(0.0, f64::max);
            let error = plan
                .indices()
                .iter()
                .zip(coarse.iter().zip(&fine))
                .map(|(i, (a, b))| (a - b).abs() / largest.powi(i.len() as i32))
                .fold(1e-15, f64::max);
            (fine, error)
        }
    };
    // E[R^n] of the chi distribution with r degrees of freedom.
    let radial = |n: usize| {
        let (r, n) = (rank as f64, n as f64);
        2f64.powf(n / 2.0) * libm::tgamma((r + n) / 2.0) / libm::tgamma(r / 2.0)
    };
    let means = plan.indices().iter().zip(angular);
    (
        means
            .map(|(i, m)| m * if rank == 0 { 0.0 } else { radial(i.len()) })
            .collect(),
        error,
    )
}

/// Nodes and weights on the unit sphere of r >= 2 dimensions, with panels that end at the
/// kinks of the given forms: exact along the last angle, for r <= 3 along all.
fn sphere(forms: &[Vec<f64>], points: usize, visit: &mut dyn FnMut(&[f64], f64)) {
    let rank = forms[0].len();
    let legendre = rule(points);
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

fn rule(points: usize) -> Vec<(f64, f64)> {
    let points = points.try_into().expect("at least one point");
    let legendre = GaussLegendre::new(points);
    legendre.iter().copied().collect()
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
