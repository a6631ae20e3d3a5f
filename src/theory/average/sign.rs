//! This module computes sign moments: E[sign u_1 .. sign u_n] of jointly normal variables.
//!
//! Sign moments are what averages of erf and of step functions reduce to, at any rank. Scale all
//! correlations by t. By Price's theorem (IRE Trans. Inf. Theory 4 (1958) 69)
//!
//! ```text
//! dS_n/dt = (2/pi) sum_{i<j} c_ij / sqrt(1 - t^2 c_ij^2)  S_{n-2}(the others, given u_i = u_j = 0)
//! ```
//!
//! with S_n = 0 at t = 0 and S_2 = (2/pi) asin c: one integral for four variables (Childs,
//! Biometrika 54 (1967) 293), two for six. In y = log(t / (1 - t)) the integrands are analytic for
//! |Im y| < pi, since a minor of 1 + t (c - 1) vanishes only at real t outside of (0, 1). The
//! trapezoidal rule with step h then errs by exp(-2 pi^2 / h). Where the eigenvalues of c are known
//! to stay away from 0, Gauss-Legendre's rule in t is shorter: the nearest singularities are
//! at 1 / (1 - least eigenvalue) and at -1 / (n - 1).
//!
//! Variables are rows of a lower triangular matrix, as linear forms of standard normals. That
//! keeps the digits of conditional variances: covariances of nearly equal variables would lose
//! twice as many.

use std::f64::consts::FRAC_2_PI;

use super::super::cubature::legendre;
use super::Moment;

/// `Forms` are jointly normal variables as linear forms of as many standard normals.
pub type Forms<const N: usize> = [[f64; N]; N];

/// Step of the trapezoidal rule: the rule errs by 1e-17 of the integrand at |Im y| = pi, every
/// second node by 3e-9.
const STEP: f64 = 0.5;

/// Computes S_2 of two forms.
pub fn two<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    let (near, far) = halves(a, b);
    FRAC_2_PI * dot(a, b).atan2((near * far).sqrt())
}

/// Computes S_4 of four forms, none of which is zero. No eigenvalue of their correlations is below
/// `least`.
pub fn four(forms: &Forms<4>, least: f64) -> Moment {
    const PAIRS: [[usize; 4]; 6] = [
        [0, 1, 2, 3],
        [0, 2, 1, 3],
        [0, 3, 1, 2],
        [1, 2, 0, 3],
        [1, 3, 0, 2],
        [2, 3, 0, 1],
    ];
    let forms = forms.map(normalised);
    let pairs = PAIRS.map(|[i, j, k, l]| (Pair::new(&forms[i], &forms[j]), [k, l]));
    let closest = pairs.iter().map(|(pair, _)| pair.closeness());
    let rule = Rule::new::<4>(least, -18.0, closest.fold(1.0, f64::min));
    integrate(&rule, |t, rest| {
        let l = scaled(&forms, t, rest);
        let p = inverse_gram(&l);
        let determinant: f64 = (0..4).map(|k| l[k][k]).product();
        let terms = pairs.iter().map(|(pair, [k, l])| {
            // Given two of the variables, the other two have the correlation
            // -P_kl / sqrt(P_kk P_ll), P being the inverse of the covariance; by Jacobi's
            // identity its minor is (sine of the given pair / determinant)^2.
            let sine = pair.sine(t, rest);
            pair.cosine / sine * (-p[*k][*l] * determinant).atan2(sine)
        });
        // Terms may cancel.
        terms.map(Moment::from).fold(Moment::ZERO, Moment::plus)
    })
    .times(FRAC_2_PI * FRAC_2_PI)
}

/// Computes S_6 of six forms, none of which is zero. Forms with the same `kind` can be exchanged:
/// their pairs are computed once.
pub fn six(forms: &Forms<6>, kinds: &[usize; 6], least: f64) -> Moment {
    let forms = forms.map(normalised);
    let mut pairs: Vec<([usize; 2], [usize; 3], f64)> = Vec::new();
    for j in 0..6 {
        for i in 0..j {
            let (a, b) = (kinds[i].min(kinds[j]), kinds[i].max(kinds[j]));
            let kind = [a, b, usize::from(a == b)];
            match pairs.iter_mut().find(|(_, of, _)| *of == kind) {
                Some((_, _, count)) => *count += 1.0,
                None => pairs.push(([i, j], kind, 1.0)),
            }
        }
    }
    let terms: Vec<([usize; 2], Pair, f64)> = (pairs.into_iter())
        .map(|(of, _, count)| (of, Pair::new(&forms[of[0]], &forms[of[1]]), count))
        .filter(|(_, pair, _)| pair.cosine != 0.0)
        .collect();
    let closest = terms.iter().map(|(_, pair, _)| pair.closeness());
    let rule = Rule::new::<6>(least, -12.0, closest.fold(1.0, f64::min));
    integrate(&rule, |t, rest| {
        let l = scaled(&forms, t, rest);
        let mut sum = Moment::ZERO;
        for ([i, j], pair, count) in &terms {
            let weight = count * pair.cosine / pair.sine(t, rest);
            // Neither the factor t nor the condition lowers the least eigenvalue.
            sum = sum.plus(four(&given(&l, *i, *j), least).times(weight));
        }
        sum
    })
    .times(FRAC_2_PI)
}

/// Estimates how long a moment takes one core: seconds as measured, on the average over tuples.
pub fn seconds(order: usize, least: f64) -> f64 {
    match (order, least >= LEAST) {
        (..=4, _) => 15e-6,
        (_, true) => 1.2e-3,
        (_, false) => 2e-2,
    }
}

/// A pair holds two unit forms.
struct Pair {
    cosine: f64,
    /// 1 - cosine and 1 + cosine, to their own precision.
    near: f64,
    far: f64,
}

impl Pair {
    fn new<const N: usize>(a: &[f64; N], b: &[f64; N]) -> Self {
        let (near, far) = halves(a, b);
        Self {
            cosine: dot(a, b),
            near,
            far,
        }
    }

    /// Computes sqrt(1 - t^2 cosine^2), `rest` being 1 - t.
    fn sine(&self, t: f64, rest: f64) -> f64 {
        ((rest + t * self.near) * (rest + t * self.far)).sqrt()
    }

    fn closeness(&self) -> f64 {
        self.near.min(self.far)
    }
}

/// Computes |a - b|^2 / 2 and |a + b|^2 / 2.
fn halves<const N: usize>(a: &[f64; N], b: &[f64; N]) -> (f64, f64) {
    let half = |sign: f64| {
        let squares = a.iter().zip(b).map(|(a, b)| (a + sign * b).powi(2));
        0.5 * squares.sum::<f64>()
    };
    (half(-1.0), half(1.0))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn normalised<const N: usize>(form: [f64; N]) -> [f64; N] {
    let length = dot(&form, &form).sqrt();
    form.map(|x| x / length)
}

/// A rule holds nodes (t, 1 - t) and weights on [0, 1].
struct Rule {
    nodes: Vec<[f64; 3]>,
    /// Whether every second node, from the first on, is a rule of its own: the squared relative
    /// distance of the two then bounds the error.
    is_nested: bool,
}

/// Least eigenvalue from which on Gauss-Legendre's rule is the shorter one.
const LEAST: f64 = 0.1;

impl Rule {
    /// Chooses the rule for n variables; `from` is where the trapezoidal rule may begin. Near t = 1
    /// the integrand is at most (1 - t + closest)^(-1/2) of what it is elsewhere.
    fn new<const N: usize>(least: f64, from: f64, closest: f64) -> Self {
        match least >= LEAST {
            true => Self::legendre::<N>(least),
            false => Self::trapezoid(from, closest),
        }
    }

    /// Makes a Gauss-Legendre rule, which errs by rho^-2k with k nodes, rho the sum of the half
    /// axes of the largest ellipse around [-1, 1] without a singularity.
    fn legendre<const N: usize>(least: f64) -> Self {
        let rho = |x: f64| x + (x * x - 1.0).sqrt();
        let ahead = rho(2.0 / (1.0 - least).max(0.5) - 1.0);
        let behind = rho(2.0 / (N as f64 - 1.0) + 1.0);
        let count = (17.0 / ahead.min(behind).ln()).ceil() as usize;
        let nodes = legendre(count).into_iter();
        Self {
            nodes: nodes
                .map(|(x, w)| [0.5 * (1.0 + x), 0.5 * (1.0 - x), 0.5 * w])
                .collect(),
            is_nested: false,
        }
    }

    fn trapezoid(from: f64, closest: f64) -> Self {
        let to = (34.0 - 0.5 * closest.max(1e-32).ln()).min(70.0);
        let first = (from / (2.0 * STEP)).ceil() as i32 * 2;
        let node = |n: i32| {
            let y = f64::from(n) * STEP;
            let (t, rest) = (1.0 / (1.0 + (-y).exp()), 1.0 / (1.0 + y.exp()));
            [t, rest, STEP * t * rest]
        };
        Self {
            nodes: (first..=(to / STEP) as i32).map(node).collect(),
            is_nested: true,
        }
    }
}

/// Integrates f(t, 1 - t) over t from 0 to 1.
fn integrate(rule: &Rule, f: impl Fn(f64, f64) -> Moment) -> Moment {
    let (mut fine, mut coarse, mut size) = (Moment::ZERO, 0.0, 0.0);
    for (k, &[t, rest, weight]) in rule.nodes.iter().enumerate() {
        let term = f(t, rest).times(weight);
        fine = fine.plus(term);
        size += term.value.abs();
        if k % 2 == 0 {
            coarse += 2.0 * term.value;
        }
    }
    // Halving the step squares the trapezoidal rule's relative error.
    let doubled = (fine.value - coarse).abs();
    let of_rule = match rule.is_nested && size > 0.0 {
        true => doubled * (10.0 * doubled / size).min(1.0),
        false => 0.0,
    };
    Moment {
        value: fine.value,
        error: fine.error + of_rule + 2e-14 * size,
    }
}

/// Returns the lower triangular matrix of the variables t^(1/2) forms + (1 - t)^(1/2) x noise of
/// its own for each: correlations times t.
pub(super) fn scaled<const N: usize>(forms: &Forms<N>, t: f64, rest: f64) -> Forms<N> {
    let root = t.sqrt();
    with_noise(forms.map(|form| form.map(|x| root * x)), [rest.sqrt(); N])
}

/// Adds independent noise of the given standard deviations to lower triangular forms.
pub(super) fn with_noise<const N: usize>(mut forms: Forms<N>, noise: [f64; N]) -> Forms<N> {
    for j in 0..N {
        // A column with the noise of variable j, rotated into the columns that are there.
        let mut column = [0.0; N];
        column[j] = noise[j];
        for c in j..N {
            let r = (forms[c][c] * forms[c][c] + column[c] * column[c]).sqrt();
            if r == 0.0 {
                continue;
            }
            let (cos, sin) = (forms[c][c] / r, column[c] / r);
            for k in c..N {
                let (a, b) = (forms[k][c], column[k]);
                forms[k][c] = cos * a + sin * b;
                column[k] = cos * b - sin * a;
            }
        }
    }
    forms
}

/// Rewrites forms in fewer normals: as a lower triangular matrix with the same scalar products, by
/// Householder reflections of the columns.
pub fn triangular<const N: usize>(rows: &mut [Vec<f64>]) -> Forms<N> {
    let columns = rows.first().map_or(0, Vec::len);
    for k in 0..N.min(columns) {
        let row = &rows[k][k..];
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length == 0.0 {
            continue;
        }
        let mut normal = row.to_vec();
        normal[0] += length.copysign(normal[0]);
        let square: f64 = normal.iter().map(|x| x * x).sum();
        for row in &mut rows[k..N] {
            let along: f64 = row[k..].iter().zip(&normal).map(|(x, n)| x * n).sum();
            let factor = 2.0 * along / square;
            (row[k..].iter_mut().zip(&normal)).for_each(|(x, n)| *x -= factor * n);
        }
    }
    let mut forms = [[0.0; N]; N];
    for (k, (form, row)) in forms.iter_mut().zip(rows).enumerate() {
        (form.iter_mut().zip(row).take(k + 1)).for_each(|(x, y)| *x = *y);
    }
    forms
}

/// Returns the other four of six variables, given that numbers i and j are zero.
fn given(forms: &Forms<6>, i: usize, j: usize) -> Forms<4> {
    let others = (0..6).filter(|k| *k != i && *k != j);
    let mut rows = [[0.0; 6]; 6];
    ([i, j].into_iter().chain(others).zip(&mut rows)).for_each(|(k, row)| *row = forms[k]);
    // The first two depend on two normals alone, which are then known to be zero.
    let rows = lower(rows);
    let mut rest = [[0.0; 4]; 4];
    (rest.iter_mut().zip(&rows[2..])).for_each(|(rest, row)| rest.copy_from_slice(&row[2..]));
    rest
}

/// Reduces a square matrix to the lower triangular one with the same scalar products of rows.
fn lower<const N: usize>(mut rows: Forms<N>) -> Forms<N> {
    for k in 0..N - 1 {
        let mut normal = rows[k];
        normal[..k].fill(0.0);
        let length = dot(&normal, &normal).sqrt();
        if length == 0.0 {
            continue;
        }
        normal[k] += length.copysign(normal[k]);
        let square = dot(&normal, &normal);
        for row in &mut rows[k..] {
            let factor = 2.0 * dot(row, &normal) / square;
            (row.iter_mut().zip(&normal)).for_each(|(x, n)| *x -= factor * n);
        }
        rows[k][k + 1..].fill(0.0);
    }
    rows
}

/// Computes (L L^T)^-1 of a lower triangular matrix.
fn inverse_gram(l: &Forms<4>) -> Forms<4> {
    let mut x = [[0.0; 4]; 4];
    for c in 0..4 {
        x[c][c] = 1.0 / l[c][c];
        for k in c + 1..4 {
            let sum: f64 = (c..k).map(|m| l[k][m] * x[m][c]).sum();
            x[k][c] = -sum / l[k][k];
        }
    }
    let mut p = [[0.0; 4]; 4];
    for a in 0..4 {
        for b in 0..=a {
            let sum = (a..4).map(|m| x[m][a] * x[m][b]).sum();
            (p[a][b], p[b][a]) = (sum, sum);
        }
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns rows with unit lengths and scalar products c.
    fn equicorrelated<const N: usize>(c: f64) -> Forms<N> {
        let mut l = [[0.0; N]; N];
        for k in 0..N {
            for j in 0..k {
                let sum: f64 = (0..j).map(|m| l[k][m] * l[j][m]).sum();
                l[k][j] = (c - sum) / l[j][j];
            }
            let rest = 1.0 - l[k].iter().map(|x| x * x).sum::<f64>();
            l[k][k] = rest.sqrt();
        }
        l
    }

    /// Variables with correlation 1/2 are x_k - x_0 over sqrt 2, of independent x: all n are
    /// positive with probability 1 / (n + 1), x_0 being the smallest.
    #[test]
    fn equal_correlations_of_one_half() {
        for least in [0.0, 0.5] {
            let four = four(&equicorrelated(0.5), least);
            assert!((four.value - 1.0 / 5.0).abs() < four.error, "{four:?}");
        }
        // The least eigenvalue is one half, by either rule.
        for least in [0.0, 0.5] {
            for kinds in [[0; 6], [0, 1, 2, 3, 4, 5]] {
                let six = six(&equicorrelated(0.5), &kinds, least);
                assert!((six.value - 1.0 / 7.0).abs() < six.error, "{six:?}");
                assert!(six.error < 1e-11);
            }
        }
    }

    /// Signs of variables that come in equal or opposite pairs cancel.
    #[test]
    fn nearly_equal_variables() {
        let c = 0.3;
        for closeness in [1e-3, 1e-8, 1e-15] {
            let pair = |k: usize| -> Vec<Vec<f64>> {
                let sign = if k == 0 { -1.0 } else { 1.0 };
                let (x, y) = if k == 0 {
                    (1.0, 0.0)
                } else {
                    (c, f64::sqrt(1.0 - c * c))
                };
                let mut near = vec![sign * x, sign * y, 0.0, 0.0];
                near[2 + k] = closeness;
                vec![vec![x, y, 0.0, 0.0], near]
            };
            let mut rows = [pair(0), pair(1)].concat();
            let got = four(&triangular(&mut rows), 0.0);
            // Each pair differs in sign with probability angle / pi.
            let bound = 2.0 * closeness;
            assert!(
                (got.value + 1.0).abs() < bound + got.error,
                "{closeness}: {got:?}"
            );
            assert!(got.error < 1e-12);
        }
    }
}
