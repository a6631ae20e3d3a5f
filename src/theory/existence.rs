//! This module says which moments of a hidden unit do not exist, and how large those are that do.

use std::f64::consts::{LN_10, SQRT_2};

use crate::model::{EnsembleSpec, Growth, Law, Net};

/// `Divergence` is a law whose density falls too slowly for an activation that grows exponentially.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Divergence {
    /// Whether it is the law of the biases, not of the weights.
    pub of_bias: bool,
    /// The order of the products that have no mean.
    pub order: usize,
    /// The factor by which the standard deviation is too large.
    pub excess: f64,
}

/// Finds out whether means of products of a spec's orders exist, the second, which is the kernel,
/// included.
///
/// Products of n values of exp(a z) grow along a Laplace variate like exp(n a l |x|), l its largest
/// coefficient in a pre-activation; the density falls like exp(-sqrt 2 |x|).
pub(crate) fn divergence(spec: &EnsembleSpec) -> Option<Divergence> {
    let Growth::Exponential { rate } = spec.net.activation().growth() else {
        return None;
    };
    let order = spec.orders.iter().copied().fold(2, usize::max);
    let first = spec.net.first();
    let all = spec.inputs.points().iter().map(|x| spec.net.linear_form(x));
    let forms: Vec<Vec<f64>> = all.collect();
    let largest = |of_bias: bool| {
        let coefficients = forms.iter().flat_map(|form| {
            let (weights, bias) = form.split_at(form.len() - 1);
            if of_bias { bias } else { weights }
        });
        coefficients.fold(0.0, |most: f64, l| most.max(l.abs()))
    };
    [(false, first.law_w), (true, first.law_b)]
        .into_iter()
        .filter(|(_, law)| *law == Law::Laplace)
        .map(|(of_bias, _)| Divergence {
            of_bias,
            order,
            excess: order as f64 * rate * largest(of_bias) / SQRT_2,
        })
        .find(|divergence| divergence.excess >= 1.0)
}

/// Returns log10 of E[exp(t z)] of the pre-activation at a point, which exists.
pub(crate) fn product_decades(net: &Net, x: &[f64], t: f64) -> f64 {
    let first = net.first();
    let form = net.linear_form(x);
    let of = |law: Law, t: f64| match law {
        Law::Gaussian => 0.5 * t * t,
        // sinh(c) / c
        Law::Uniform | Law::Phase => {
            let c = 3f64.sqrt() * t.abs();
            if c < 1e-4 {
                c * c / 6.0
            } else {
                c + (-(-2.0 * c).exp_m1() / (2.0 * c)).ln()
            }
        }
        // cosh(t)
        Law::Rademacher => t.abs() + (0.5 * (1.0 + (-2.0 * t.abs()).exp())).ln(),
        Law::Laplace => -(-0.5 * t * t).ln_1p(),
    };
    let (weights, bias) = form.split_at(net.d_in());
    let weights = weights.iter().map(|l| of(first.law_w, t * l));
    let bias = bias.iter().map(|l| of(first.law_b, t * l));
    weights.chain(bias).sum::<f64>() / LN_10
}
