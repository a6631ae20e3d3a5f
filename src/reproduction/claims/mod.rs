//! The source's claims are judged by numbers and stated criteria.

pub(super) mod couplings;
mod estimators;
mod falloff;
mod fits;
mod fixed_points;
mod flow;
mod learning;
mod odd;
mod prediction;
#[cfg(test)]
mod sample;
mod symmetry;
pub(super) mod tail;

use super::documents::OfNet;
use super::traced::Number;
use super::verdict::Claim;

/// The number of standard errors that a sampled number may be off.
const SIGMAS: f64 = 5.0;

/// Judges all results of the source and of what goes beyond it.
pub(super) fn claims(nets: &[OfNet]) -> Vec<Claim> {
    let groups: [fn(&OfNet) -> Vec<Claim>; 10] = [
        |of| falloff::claims(of.net, &of.falloff),
        |of| odd::claims(of.net, &of.falloff),
        |of| {
            let documents = &of.dimensions[0].couplings;
            let couplings = couplings::claims(of.net, documents);
            let predictions = prediction::claims(of.net, documents);
            couplings.into_iter().chain(predictions).collect()
        },
        |of| {
            (of.dimensions.iter())
                .map(|d| flow::claim(of.net, d.d_in, &d.flows))
                .collect()
        },
        |of| fixed_points::claims(of.net, &of.fixed_points),
        |of| symmetry::claims(of.net, &of.symmetry),
        |of| vec![fits::claim(of.net, &of.fits)],
        |of| (of.training.as_ref()).map_or(Vec::new(), |d| learning::claims(of.net, d)),
        |of| estimators::claims(of.net, &of.falloff),
        |of| tail::claim(of.net, &of.falloff).into_iter().collect(),
    ];
    (groups.iter())
        .flat_map(|group| nets.iter().flat_map(group))
        .collect()
}

/// Finds the number of largest absolute value.
fn worst(numbers: impl IntoIterator<Item = Number>) -> Option<Number> {
    (numbers.into_iter()).max_by(|a, b| a.value.abs().total_cmp(&b.value.abs()))
}
