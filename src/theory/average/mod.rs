//! This module computes the moments of one hidden neuron, M(i_1 .. i_n) = E[h(x_i1) .. h(x_in)].

pub(super) mod cone;
pub(super) mod exponential;
pub(super) mod features;
pub(super) mod general;
pub(super) mod laws;
pub(super) mod line;
mod panels;
pub(super) mod rank_one;
pub(super) mod rule;
mod sign;
mod smooth;
mod span;
mod subsets;
#[cfg(test)]
mod tests;
mod trapezoid;

use std::collections::BTreeMap;
use std::f64::consts::FRAC_1_SQRT_2;

use rayon::prelude::*;

use super::kernel::second_moments;
use crate::model::{Builtin, EnsembleSpec, Net};
use crate::tensor::multisets;

/// `NeuronMoments` holds the moments of a single neuron at even orders up to 6.
#[derive(Debug, Clone)]
pub struct NeuronMoments {
    values: BTreeMap<Key, Moment>,
}

/// `Key` is a multiset of at most six points in ascending order, then nothing but `u32::MAX`.
/// Six-point functions look moments up by the 10^5, and such a key needs no memory of its own.
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

/// A moment is an average and a bound of its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub value: f64,
    pub error: f64,
}

impl From<f64> for Moment {
    /// Makes a moment of a value that is good to its rounding.
    fn from(value: f64) -> Self {
        let error = 4.0 * f64::EPSILON * value.abs();
        Self { value, error }
    }
}

impl Moment {
    pub const ZERO: Self = Self {
        value: 0.0,
        error: 0.0,
    };

    pub fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            error: self.error + other.error,
        }
    }

    pub fn minus(self, other: Self) -> Self {
        self.plus(other.times(-1.0))
    }

    pub fn times(self, factor: f64) -> Self {
        Self {
            value: factor * self.value,
            error: (factor * self.error).abs(),
        }
    }

    /// Returns the product of two moments.
    pub fn by(self, other: Self) -> Self {
        let [a, b] = [self.value.abs(), other.value.abs()];
        Self {
            value: self.value * other.value,
            error: a * other.error + b * self.error + self.error * other.error,
        }
    }
}

impl NeuronMoments {
    /// Returns M of an index multiset, in any order.
    ///
    /// # Panics
    /// If the moments were computed without this order.
    pub fn of(&self, index: impl IntoIterator<Item = usize>) -> Moment {
        self.values[&key(index)]
    }
}

/// Computes E[h h ..] for all index multisets of the given even orders, 6 at most.
///
/// Weights or biases that are not normal: [`laws`]. Else products of exp(z - v) are log-normal: closed
/// form. Second moments are (K - sigma_b^2) / sigma_w^2, in
/// closed form where the kernel is. Else each tuple is an average over as many normals as its points span:
/// for ReLU by integration by parts ([`cone`]); for erf, which is an average of steps, by sign
/// moments ([`sign`]), or, where that is faster, all tuples at once by the trapezoidal rule. Any other
/// activation: [`general`].
pub fn neuron_moments(spec: &EnsembleSpec, orders: &[usize]) -> NeuronMoments {
    let points = spec.inputs.len();
    let mut values = BTreeMap::new();
    for &n in orders {
        let indices = multisets(points, n);
        let moments = match n {
            2 => second_moments(spec, &indices),
            _ => moments(&spec.net, spec.inputs.points(), n),
        };
        let keys = indices.into_iter().map(key);
        values.extend(keys.zip(moments));
    }
    NeuronMoments { values }
}

/// Computes E[h h ..] of a unit of the first layer, for all index multisets of order 4 or 6.
pub(super) fn moments(net: &Net, points: &[Vec<f64>], order: usize) -> Vec<Moment> {
    let indices = multisets(points.len(), order);
    match net.builtin() {
        _ if !net.has_gaussian_units() => {
            let unit = laws::Unit::new(net, points.iter().map(Vec::as_slice));
            laws::moments(net.activation(), &unit, order)
        }
        Some(Builtin::ExpNormalised) => log_normal(net, points, &indices),
        Some(Builtin::Relu) => relu(&forms(net, points), &indices),
        Some(Builtin::Erf) => erf(&forms(net, points), &indices),
        None => general::moments(net.activation(), &forms(net, points), order),
    }
}

/// Computes E of products of exp(z - Var z).
fn log_normal(net: &Net, points: &[Vec<f64>], indices: &[Vec<usize>]) -> Vec<Moment> {
    let first = net.first();
    let (vw, vb) = (first.sigma_w.powi(2), first.sigma_b.powi(2));
    let d_in = net.d_in() as f64;
    let variances: Vec<f64> = points
        .iter()
        .map(|x| vb + vw * x.iter().map(|x| x * x).sum::<f64>() / d_in)
        .collect();
    (indices.iter())
        .map(|index| {
            let square: f64 = (0..net.d_in())
                .map(|c| index.iter().map(|&i| points[i][c]).sum::<f64>().powi(2))
                .sum();
            let n = index.len();
            let v = vw * square / d_in + (n * n) as f64 * vb;
            let sum: f64 = index.iter().map(|&i| variances[i]).sum();
            let exponent = v / 2.0 - sum;
            let value = exponent.exp();
            // The exponential turns rounding of its argument into relative error.
            let error = f64::EPSILON * (4.0 + 2.0 * (v + sum)) * value;
            Moment { value, error }
        })
        .collect()
}

fn relu(forms: &[Vec<f64>], indices: &[Vec<usize>]) -> Vec<Moment> {
    (indices.par_iter())
        .map(|index| {
            let mut distinct = index.clone();
            distinct.dedup();
            let rows = distinct.iter().map(|&i| forms[i].clone()).collect();
            let power = |i: &usize| index.iter().filter(|j| *j == i).count() as u8;
            let powers: Vec<u8> = distinct.iter().map(power).collect();
            cone::relu_moment(rows, &powers)
        })
        .collect()
}

/// Computes E of products of erf: of 4 or 6, all of one order.
fn erf(forms: &[Vec<f64>], indices: &[Vec<usize>]) -> Vec<Moment> {
    let order = indices[0].len();
    let grid = trapezoid::Grid::new(forms);
    let one = sign::seconds(order, least_eigenvalue(forms, 0..forms.len()));
    if grid.seconds(indices.len()) < one * indices.len() as f64 {
        return grid.moments(order, libm::erf);
    }
    (indices.par_iter())
        .map(|index| erf_by_signs(forms, index))
        .collect()
}

/// Returns a bound of the eigenvalues of the correlations of signals with noise: the noise's share
/// where it is smallest.
fn least_eigenvalue(forms: &[Vec<f64>], points: impl Iterator<Item = usize>) -> f64 {
    points
        .map(|i| 0.5 / (0.5 + dot(&forms[i], &forms[i])))
        .fold(1.0, f64::min)
}

/// Computes E of products of erf by erf z = E[sign(z + n / sqrt 2)] over a standard normal n of its
/// own for each factor.
fn erf_by_signs(forms: &[Vec<f64>], index: &[usize]) -> Moment {
    fn with_noise<const N: usize>(forms: &[Vec<f64>], index: &[usize]) -> Option<sign::Forms<N>> {
        // Lengths are of no matter to signs; this one leaves room for squares.
        let lengths: Vec<f64> = (index.iter())
            .map(|&i| dot(&forms[i], &forms[i]).sqrt())
            .collect();
        if lengths.contains(&0.0) {
            return None;
        }
        let mut rows: Vec<Vec<f64>> = (index.iter().zip(&lengths))
            .map(|(&i, length)| forms[i].iter().map(|x| x / length).collect())
            .collect();
        let noise = std::array::from_fn(|k| FRAC_1_SQRT_2 / lengths[k]);
        Some(sign::with_noise(sign::triangular(&mut rows), noise))
    }
    let least = least_eigenvalue(forms, index.iter().copied());
    let signs = match index.len() {
        4 => with_noise::<4>(forms, index).map(|forms| sign::four(&forms, least)),
        _ => {
            let kinds = std::array::from_fn(|k| index[k]);
            with_noise::<6>(forms, index).map(|forms| sign::six(&forms, &kinds, least))
        }
    };
    // A point whose pre-activation does not vary gives erf 0.
    signs.unwrap_or(Moment::from(0.0))
}

/// Returns the pre-activations as linear forms of d_in + 1 independent standard normals,
/// `[point][d_in + 1]`.
fn forms(net: &Net, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    points.iter().map(|x| net.linear_form(x)).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
