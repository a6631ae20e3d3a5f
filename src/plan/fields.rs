//! This module says which fields a network has, and which elements are made of them.

use std::collections::BTreeMap;

use super::{Parameters, Rays};
use crate::model::{EnsembleSpec, Estimator};
use crate::tensor::{MeanOfD, Measurement, connected_fields, multisets};
use crate::theory::{gp_correlator, mean_unit, neuron_moments};

/// Plans the elements of a spec, from fields at all its points.
/// `fourth` has the moments of a hidden unit of [`fourth_moments`].
pub(super) fn measurement(spec: &EnsembleSpec, kernel: &[Vec<f64>], fourth: &[f64]) -> Measurement {
    let (d_out, orders) = (spec.net.d_out(), &spec.orders[..]);
    let all = match spec.estimator {
        Estimator::Direct => Measurement::direct(kernel.len(), d_out, orders),
        Estimator::Connected => {
            let parameters = Parameters::new(spec);
            // Each hidden layer but the first has an input that fluctuates.
            let mean = match spec.net.depth() {
                1 => MeanOfD::Zero,
                _ => MeanOfD::Measured,
            };
            let all = match spec.net.has_cumulants() {
                false => Measurement::connected(kernel, d_out, orders, mean),
                true => {
                    let factor = spec.net.width() as f64 * parameters.cumulant(4).0;
                    let means: Vec<f64> = fourth.iter().map(|moment| factor * moment).collect();
                    Measurement::connected_symmetric(kernel, d_out, orders, mean, &means)
                }
            };
            // In a deep net the fields have the cumulants of biases.
            match spec.net.has_gaussian_readout() || mean == MeanOfD::Measured {
                true => all,
                false => {
                    let of_bias = [4, 6].map(|n| parameters.cumulant(n).1);
                    all.with_bias(kernel, of_bias)
                }
            }
        }
    };
    let units: Vec<Option<f64>> = (all.tuples().iter())
        .map(|tuple| mean_unit(kernel, tuple, gp_correlator(kernel, tuple)))
        .collect();
    all.with_means(&units)
}

/// Computes E[h h h h] of a hidden unit at all points, where the connected estimator uses it:
/// at order 6, of readouts with weights that are not Gaussian, behind one hidden layer. Else the list is empty.
pub(super) fn fourth_moments(spec: &EnsembleSpec) -> Vec<f64> {
    let is_used = spec.estimator == Estimator::Connected && spec.orders.contains(&6);
    if !is_used || !spec.net.has_cumulants() || spec.net.depth() > 1 {
        return Vec::new();
    }
    let moments = neuron_moments(spec, &[4]);
    (multisets(spec.inputs.len(), 4).into_iter())
        .map(|index| moments.of(index).value)
        // Any number is right, and this one where there is no mean to leave less noise.
        .map(|value| if value.is_finite() { value } else { 0.0 })
        .collect()
}

/// Writes the fields at all points as multiples of those on rays.
pub(super) fn multiples(spec: &EnsembleSpec, rays: &Rays) -> Vec<(usize, f64)> {
    let of = &rays.multiples;
    match spec.estimator {
        Estimator::Direct => (0..spec.net.d_out())
            .flat_map(|a| (of.iter()).map(move |&(ray, c)| (a * rays.points.len() + ray, c)))
            .collect(),
        Estimator::Connected => {
            let is_gaussian = !spec.net.has_cumulants();
            let fields = |points| connected_fields(points, &spec.orders, is_gaussian);
            let on_rays: BTreeMap<Vec<usize>, usize> = (fields(rays.points.len()).into_iter())
                .enumerate()
                .map(|(field, index)| (index, field))
                .collect();
            (fields(of.len()).iter())
                .map(|index| {
                    let mut ends: Vec<usize> = index.iter().map(|&p| of[p].0).collect();
                    ends.sort_unstable();
                    (on_rays[&ends], index.iter().map(|&p| of[p].1).product())
                })
                .collect()
        }
    }
}
