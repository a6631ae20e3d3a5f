//! Averages of products of any activation: the first rule that applies.

use super::exponential::Exponentials;
use super::rule::Neuron;
use super::{Moment, panels, rank_one, smooth};
use crate::model::Activation;
use crate::tensor::multisets;

/// Errors of closed forms above this part of the size, from terms that cancel, are worse than those
/// of quadrature.
pub(in crate::theory) const CANCELLED: f64 = 1e-11;

/// E[h_i1 .. h_in] for all multisets i1 <= .. <= in of n points, n even. Pre-activations are linear
/// forms of independent standard normals, `[point][normal]`.
///
/// - Sums of z^p exp(a z): closed form.
/// - Smooth: the trapezoidal rule where the forms span at most four normals.
/// - Kinks: Gauss-Legendre's rule in panels that end at them, up to three normals.
/// - Else a rank-1 rule.
///
/// # Panics
/// If n is odd or above 6.
pub fn moments(activation: &Activation, forms: &[Vec<f64>], order: usize) -> Vec<Moment> {
    assert!(
        order.is_multiple_of(2) && order <= 6,
        "moments of order {order}"
    );
    let closed = Exponentials::of(activation.tape())
        .and_then(|sum| sum.moments(forms, &multisets(forms.len(), order)));
    if let Some(moments) = closed {
        let sizes = sizes(forms.len(), order, &moments);
        if (moments.iter().zip(sizes)).all(|(m, size)| m.error <= CANCELLED * size) {
            return moments;
        }
    }
    let neuron = Neuron::new(activation, forms, order);
    if neuron.rank() == 0 {
        return neuron.constant();
    }
    let by_grid = match activation.kinks() {
        [] if neuron.rank() <= 4 => Some(smooth::moments(&neuron)),
        [_, ..] if neuron.rank() <= 3 => panels::moments(&neuron),
        _ => None,
    };
    by_grid.unwrap_or_else(|| rank_one::moments(&neuron))
}

/// Bound of each |moment| by those of single points (Hoelder): what an error is small against.
pub(in crate::theory) fn sizes(points: usize, order: usize, moments: &[Moment]) -> Vec<f64> {
    let indices = multisets(points, order);
    let pure: Vec<f64> = (0..points)
        .map(|p| {
            let at = indices.binary_search(&vec![p; order]);
            let moment = moments[at.expect("lexicographic by construction")];
            // The root first: products of six may leave the range of f64.
            moment.value.abs().powf(1.0 / order as f64)
        })
        .collect();
    (indices.iter())
        .map(|index| index.iter().map(|&p| pure[p]).product())
        .collect()
}
