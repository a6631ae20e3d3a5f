//! This module says which fields a network has, and which elements are made of them.

use std::collections::BTreeMap;

use super::Rays;
use crate::model::{EnsembleSpec, Estimator};
use crate::tensor::{MeanOfD, Measurement, multisets};
use crate::theory::{gp_correlator, mean_unit};

/// Plans the elements of a spec, from fields at all its points.
pub(super) fn measurement(spec: &EnsembleSpec, kernel: &[Vec<f64>]) -> Measurement {
    let all = match spec.estimator {
        Estimator::Direct => Measurement::direct(kernel.len(), spec.net.d_out(), &spec.orders),
        Estimator::Connected => {
            Measurement::connected(kernel, spec.net.d_out(), &spec.orders, MeanOfD::Zero)
        }
    };
    let units: Vec<Option<f64>> = (all.tuples().iter())
        .map(|tuple| mean_unit(kernel, tuple, gp_correlator(kernel, tuple)))
        .collect();
    all.with_means(&units)
}

/// Writes the fields at all points as multiples of those on rays.
pub(super) fn multiples(spec: &EnsembleSpec, rays: &Rays) -> Vec<(usize, f64)> {
    let of = &rays.multiples;
    match spec.estimator {
        Estimator::Direct => (0..spec.net.d_out())
            .flat_map(|a| (of.iter()).map(move |&(ray, c)| (a * rays.points.len() + ray, c)))
            .collect(),
        Estimator::Connected => {
            let pairs: BTreeMap<[usize; 2], usize> = (multisets(rays.points.len(), 2).iter())
                .enumerate()
                .map(|(field, pair)| ([pair[0], pair[1]], field))
                .collect();
            (multisets(of.len(), 2).iter())
                .map(|pair| {
                    let (p, q) = (of[pair[0]], of[pair[1]]);
                    let ends = [p.0.min(q.0), p.0.max(q.0)];
                    (pairs[&ends], p.1 * q.1)
                })
                .collect()
        }
    }
}
