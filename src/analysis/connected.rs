//! This module has measured connected n-point functions.

use serde::Serialize;

use super::jackknife::jackknife;
use super::measured::Run;
use super::reference::{Known, Reference};
use crate::tensor::{Measurement, Statistics};

/// `Connected` is a connected n-point function, over the elements of its
/// [`Correlator`](super::Correlator).
///
/// Where the mean of D is known, the function is linear in the elements, and its errors are those
/// of block means. Where the mean of D is measured too, the function is a sum of covariances or
/// third cumulants: the estimate is the unbiased k-statistic of all networks, and its errors come
/// from leaving out experiments, with a bias of their own of the order of 1 / networks.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Connected {
    /// Estimated value of each element.
    #[serde(rename = "connected")]
    pub mean: Vec<f64>,
    /// Standard error of `mean`; `None` if it takes several experiments, and there is one.
    #[serde(rename = "connected_std_err")]
    pub std_err: Option<Vec<f64>>,
    /// Exact value, if one is known.
    #[serde(rename = "connected_exact")]
    pub exact: Option<Vec<f64>>,
    /// Value at leading order in 1 / n, if that is what is known.
    #[serde(
        rename = "connected_first_order",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_order: Option<Vec<f64>>,
}

impl Connected {
    /// Makes the connected function of an order of a run; `None` if it was not measured.
    pub(super) fn new(run: &Run, order: usize, reference: &Reference) -> Option<Self> {
        let Run { plan, total, .. } = run;
        let known = |of: Option<&Known>| of.and_then(|k| k.connected.clone());
        Some(Self {
            mean: plan.connected_function(order, &total.mean, total.networks)?,
            std_err: match plan.linear_connected(order) {
                Some(range) => Some(run.std_err[range].to_vec()),
                None => jackknife_errors(plan, order, &run.experiments),
            },
            exact: known(reference.exact()),
            first_order: known(reference.first_order()),
        })
    }
}

/// Returns the errors of a connected function that is not linear, by leaving out one experiment at
/// a time.
fn jackknife_errors(
    plan: &Measurement,
    order: usize,
    experiments: &[Statistics],
) -> Option<Vec<f64>> {
    let networks: f64 = experiments.iter().map(|e| e.networks).sum();
    let mut sum = vec![0.0; experiments.first()?.mean.len()];
    for experiment in experiments {
        let means = sum.iter_mut().zip(&experiment.mean);
        means.for_each(|(s, x)| *s += experiment.networks * x);
    }
    let without: Vec<Vec<f64>> = (experiments.iter())
        .map(|out| {
            let left = networks - out.networks;
            let means: Vec<f64> = (sum.iter().zip(&out.mean))
                .map(|(s, x)| (s - out.networks * x) / left)
                .collect();
            plan.connected_function(order, &means, left)
        })
        .collect::<Option<_>>()?;
    (0..without[0].len())
        .map(|e| jackknife(&without.iter().map(|w| w[e]).collect::<Vec<_>>()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::average::{average, standard_deviation};
    use crate::tensor::{Accumulator, Extreme, MeanOfD};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Draws a number of mean 0, variance 1 and third cumulant 0: the sum of twelve uniform ones.
    fn draw(random: &mut ChaCha8Rng) -> f64 {
        (0..12)
            .map(|_| f64::from(random.next_u32()) / 4_294_967_296.0 - 0.5)
            .sum()
    }

    #[test]
    fn errors_of_cumulants_cover_them() {
        // D = 0.4 + 0.3 x + 0.1 x^2: cumulants from the moments of x, whose own are 1, -1/10, 1/21.
        let [a, b, m4, m6] = [0.3, 0.1, 3.0 - 0.1, 15.0 - 1.5 + 1.0 / 21.0];
        let second: f64 = a * a + b * b * (m4 - 1.0);
        let third = 3.0 * a * a * b * (m4 - 1.0) + b * b * b * (m6 - 3.0 * m4 + 2.0);
        let plan = Measurement::connected(&[vec![1.0]], 1, &[4, 6], MeanOfD::Measured);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut pulls = [Vec::new(), Vec::new()];
        for _ in 0..200 {
            let mut run = Accumulator::new();
            for experiment in 0..20 {
                let mut means = vec![0.0; plan.means().end];
                for _ in 0..200 {
                    let x = draw(&mut random);
                    let network = Extreme {
                        score: 0.0,
                        experiment,
                        network: 0,
                        weight: 1.0,
                        field: vec![0.4 + a * x + b * x * x],
                    };
                    let added = plan.contributions(&network);
                    means
                        .iter_mut()
                        .zip(added)
                        .for_each(|(m, x)| *m += x / 200.0);
                }
                run.add_block(experiment, 0, 200, means);
            }
            let (total, experiments) = (run.total().unwrap(), run.experiments());
            for (k, (n, want)) in [(4, 3.0 * second), (6, 15.0 * third)]
                .into_iter()
                .enumerate()
            {
                let mean = plan
                    .connected_function(n, &total.mean, total.networks)
                    .unwrap()[0];
                let error = jackknife_errors(&plan, n, &experiments).unwrap()[0];
                pulls[k].push((mean - want) / error);
            }
            assert_eq!(jackknife_errors(&plan, 4, &experiments[..1]), None);
        }
        for pulls in &pulls {
            // Student's t with 19 degrees of freedom scatters by 1.057; four standard errors. The
            // third cumulant, which is skewed, is low by a tenth of its error on average.
            let (mean, spread) = (average(pulls).unwrap(), standard_deviation(pulls).unwrap());
            assert!(mean.abs() < 0.3, "{mean}");
            assert!((0.85..1.27).contains(&spread), "{spread}");
        }
    }
}
