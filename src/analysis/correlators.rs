use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::check_range;
use super::convergence::{Convergence, Failure};
use crate::engine::measurement;
use crate::model::{Architecture, EnsembleSpec, Estimator};
use crate::tensor::{Accumulator, Tuple, Tuples};
use crate::theory::{Exact, gp_correlator, kernel_matrix};
use crate::{Error, Result};

/// Whether a deviation from the GP stands out of the scatter between experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Mean |m_n| exceeds the background: an interaction is seen.
    AboveBackground,
    /// It does not: consistent with the free theory at this number of networks.
    BelowBackground,
    /// There is one experiment only, or m_n is undefined for every element.
    Undecided,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::AboveBackground => "above background",
            Verdict::BelowBackground => "below background",
            Verdict::Undecided => "undecided",
        })
    }
}

/// One measured n-point function beside the GP's and the exact one.
///
/// All vectors run over the unique elements, in the order of `indices`. G has the unit of
/// f^n; deviations have none.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Correlator {
    /// Order n.
    pub order: usize,
    /// Points of each element, i_1 <= .. <= i_n among those of one output.
    pub indices: Vec<Vec<usize>>,
    /// Outputs of each, beside the points; empty if there is one output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Vec<usize>>,
    /// Estimated G^(n).
    pub mean: Vec<f64>,
    /// Standard error of the mean, from block means over all experiments.
    pub std_err: Vec<f64>,
    /// Wick's G_GP^(n).
    pub gp: Vec<f64>,
    /// Exact G^(n) at this width.
    pub exact: Vec<f64>,
    /// Estimated error of `exact`.
    pub exact_error: Vec<f64>,
    /// (mean - exact) / error, `exact_error` included; `None` where nothing fluctuates.
    pub pull: Vec<Option<f64>>,
    /// m_n = (G - G_GP) / G_GP. For odd n, where the GP vanishes, G / sqrt(prod K_ii).
    /// `None` where an even G_GP vanishes.
    pub deviation: Vec<Option<f64>>,
    /// Exact m_n.
    pub deviation_exact: Vec<Option<f64>>,
    /// Connected n-point function (connected estimator, n = 4 and 6).
    #[serde(flatten)]
    pub connected: Option<Connected>,
    /// Standard deviation of m_n across experiments, averaged over elements (the source's
    /// background); `None` with one experiment.
    pub background: Option<f64>,
    /// Mean of m_n over elements.
    pub deviation_mean: Option<f64>,
    /// Its standard error: from the experiments' own means; with fewer than five experiments
    /// the mean of the elements' errors, which bounds it from above.
    pub deviation_mean_std_err: Option<f64>,
    /// Mean of the exact m_n over elements.
    pub deviation_mean_exact: Option<f64>,
    /// Mean of |m_n| over elements.
    pub deviation_abs_mean: Option<f64>,
    /// Largest |m_n|.
    pub deviation_abs_max: Option<f64>,
    /// Mean |m_n| against the background.
    pub verdict: Verdict,
    /// Largest share of a sum that one network carries.
    pub largest_share: Vec<f64>,
    /// Tail index of the contributions (generalised Pareto); `None` with too few blocks.
    pub tail_index: Vec<Option<f64>>,
    /// Whether mean and error bar can be believed.
    pub converged: Vec<bool>,
    /// Why not, and what to do, in a sentence; `None` if all elements converged.
    pub reason: Option<String>,
    /// Mean of G^(n) in each experiment, `[experiment][element]`.
    #[serde(skip)]
    pub experiments: Vec<Vec<f64>>,
    /// Estimated G^(n) - G_GP^(n): what `mean` loses to rounding where it is small.
    #[serde(skip)]
    pub delta: Vec<f64>,
    /// The same in each experiment, `[experiment][element]`.
    #[serde(skip)]
    pub delta_experiments: Vec<Vec<f64>>,
}

/// A connected n-point function, over the elements of its [`Correlator`].
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Connected {
    /// Estimate.
    #[serde(rename = "connected")]
    pub mean: Vec<f64>,
    /// Standard error.
    #[serde(rename = "connected_std_err")]
    pub std_err: Vec<f64>,
    /// Exact value.
    #[serde(rename = "connected_exact")]
    pub exact: Vec<f64>,
}

impl Correlator {
    /// Pull of the mean m_n.
    pub fn mean_pull(&self) -> Option<f64> {
        let error = self.deviation_mean_std_err.filter(|&e| e > 0.0)?;
        Some((self.deviation_mean? - self.deviation_mean_exact?) / error)
    }
}

/// GP prediction of every element of the spec's plan.
///
/// # Errors
/// Those of [`check_range`].
pub fn gp_predictions(spec: &EnsembleSpec) -> Result<Vec<f64>> {
    check_range(spec)?;
    let kernel = kernel_matrix(spec);
    let all = Tuples::of_orders(spec);
    Ok(all
        .iter()
        .map(|tuple| gp_correlator(&kernel, tuple))
        .collect())
}

/// One n-point function as theory has it, without sampling; fields as in [`Correlator`].
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Prediction {
    /// Order n.
    pub order: usize,
    /// Points of each element, i_1 <= .. <= i_n among those of one output.
    pub indices: Vec<Vec<usize>>,
    /// Outputs of each, beside the points; empty if there is one output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Vec<usize>>,
    /// Wick's G_GP^(n).
    pub gp: Vec<f64>,
    /// Exact G^(n) at this width.
    pub exact: Vec<f64>,
    /// Estimated error of `exact`.
    pub exact_error: Vec<f64>,
    /// Exact m_n.
    pub deviation: Vec<Option<f64>>,
    /// Exact connected n-point function (n = 4 and 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<Vec<f64>>,
    /// Mean of the exact m_n over elements.
    pub deviation_mean: Option<f64>,
}

/// GP and exact values, one entry per order of the spec.
///
/// # Errors
/// Those of [`gp_predictions`].
pub fn predictions(spec: &EnsembleSpec, exact: &Exact) -> Result<Vec<Prediction>> {
    let kernel = kernel_matrix(spec);
    let mut all_gp = gp_predictions(spec)?.into_iter();
    Ok((spec.orders.iter())
        .map(|&order| {
            let tuples = Tuples::of(spec, order);
            let gp: Vec<f64> = all_gp.by_ref().take(tuples.len()).collect();
            let delta: Vec<f64> = tuples.iter().map(|t| exact.deviation(t)).collect();
            let deviation: Vec<Option<f64>> = (tuples.iter().zip(&gp).zip(&delta))
                .map(|((tuple, &gp), d)| unit(&kernel, tuple, gp).map(|u| d / u))
                .collect();
            Prediction {
                order,
                exact: gp.iter().zip(&delta).map(|(g, d)| g + d).collect(),
                exact_error: tuples.iter().map(|t| exact.error(t)).collect(),
                connected: match order {
                    4 => Some(delta),
                    6 => Some(tuples.iter().map(|t| exact.connected_six(t)).collect()),
                    _ => None,
                },
                deviation_mean: average(&deviation.iter().flatten().copied().collect::<Vec<_>>()),
                deviation,
                indices: tuples.points,
                outputs: tuples.outputs,
                gp,
            }
        })
        .collect())
}

/// What m_n is measured in: G_GP, or for odd n the fields' own size; `None` if that vanishes.
fn unit(kernel: &[Vec<f64>], tuple: Tuple, gp: f64) -> Option<f64> {
    let size = size(kernel, tuple);
    let unit = if tuple.order() % 2 == 1 { size } else { gp };
    (unit.abs() > 1e-12 * size && unit != 0.0).then_some(unit)
}

/// Product of the fields' standard deviations.
fn size(kernel: &[Vec<f64>], tuple: Tuple) -> f64 {
    (tuple.points().iter())
        .map(|&i| kernel[i][i].sqrt())
        .product()
}

/// The n-point functions of a run, one entry per order of the spec.
///
/// # Errors
/// [`Error::NotFinite`] if the accumulator holds NaN or infinite values or nothing.
///
/// ```
/// use nnqft_gpu::analysis::correlators;
/// use nnqft_gpu::engine::{self, cpu::CpuEngine};
/// use nnqft_gpu::model::{Architecture, EnsembleSpec, Estimator};
///
/// let spec = EnsembleSpec {
///     width: 20,
///     nets: 1000,
///     orders: vec![4],
///     estimator: Estimator::Connected,
///     ..EnsembleSpec::preset(Architecture::Relu, 1)?
/// }
/// .validate()?;
/// let moments = engine::run(&mut CpuEngine::new(), &spec, &|_| {})?;
/// let four = correlators(&spec, &moments)?.remove(0);
/// let (measured, error) = (four.deviation_mean.unwrap(), four.deviation_mean_std_err.unwrap());
/// assert!((measured - 0.25).abs() < 5.0 * error); // exact: 5 / N
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn correlators(spec: &EnsembleSpec, moments: &Accumulator) -> Result<Vec<Correlator>> {
    let plan = measurement(spec);
    let kernel = kernel_matrix(spec);
    let all_gp = gp_predictions(spec)?;
    let exact = Exact::new(spec);
    let total = moments.total()?;
    let std_err = total
        .std_err()
        .ok_or_else(|| Error::NotFinite("a standard error from one block of networks".into()))?;
    let experiments = moments.experiments();
    let heaviest: Vec<_> = (moments.extremes().iter())
        .map(|network| plan.drawn(network))
        .collect();
    // Outputs are independent given the hidden layer: networks that are heavy in one are not
    // the heaviest in the others.
    let has_tail = spec.d_out == 1 || plan.is_connected();
    plan.orders()
        .iter()
        .map(|(order, range)| {
            let cut = |v: &[f64]| v[range.clone()].to_vec();
            let tuples = plan.tuples().slice(range.clone());
            let gp = cut(&all_gp);
            let std_err = cut(&std_err);
            // The elements are G or G - G_GP; both are wanted.
            let delta = |elements: &[f64]| -> Vec<f64> {
                match plan.is_connected() {
                    true => cut(elements),
                    false => (elements[range.clone()].iter().zip(&gp))
                        .map(|(g, gp)| g - gp)
                        .collect(),
                }
            };
            let full = |elements: &[f64]| -> Vec<f64> {
                match plan.is_connected() {
                    true => (elements[range.clone()].iter().zip(&gp))
                        .map(|(d, gp)| gp + d)
                        .collect(),
                    false => cut(elements),
                }
            };
            let units: Vec<Option<f64>> = (tuples.iter().zip(&gp))
                .map(|(tuple, &gp)| unit(&kernel, tuple, gp))
                .collect();
            let relative = |delta: &[f64]| -> Vec<Option<f64>> {
                (delta.iter().zip(&units))
                    .map(|(d, unit)| unit.map(|u| d / u))
                    .collect()
            };
            let mean_delta = delta(&total.mean);
            let exact_delta: Vec<f64> = tuples.iter().map(|t| exact.deviation(t)).collect();
            let exact_error: Vec<f64> = tuples.iter().map(|t| exact.error(t)).collect();
            let deviation = relative(&mean_delta);
            let deviation_exact = relative(&exact_delta);
            let delta_experiments: Vec<Vec<f64>> =
                experiments.iter().map(|s| delta(&s.mean)).collect();
            let per_experiment: Vec<Vec<Option<f64>>> =
                delta_experiments.iter().map(|d| relative(d)).collect();
            let defined: Vec<f64> = deviation.iter().flatten().copied().collect();
            let spread: Vec<f64> = (0..tuples.len())
                .filter_map(|e| {
                    let values: Option<Vec<f64>> = per_experiment.iter().map(|m| m[e]).collect();
                    standard_deviation(&values?)
                })
                .collect();
            let background = average(&spread);
            let abs: Vec<f64> = defined.iter().map(|m| m.abs()).collect();
            let means: Vec<f64> = per_experiment
                .iter()
                .filter_map(|m| average(&m.iter().flatten().copied().collect::<Vec<_>>()))
                .collect();
            let deviation_mean_std_err = standard_deviation(&means)
                .filter(|_| means.len() >= 5)
                .map(|s| s / (means.len() as f64).sqrt())
                .or_else(|| {
                    let errors: Vec<f64> = (std_err.iter().zip(&units))
                        .filter_map(|(e, unit)| Some(e / (*unit)?.abs()))
                        .collect();
                    average(&errors)
                });
            let verdict = match (average(&abs), background) {
                (Some(m), Some(b)) if m > b => Verdict::AboveBackground,
                (Some(_), Some(_)) => Verdict::BelowBackground,
                _ => Verdict::Undecided,
            };

            let pull: Vec<Option<f64>> = (0..tuples.len())
                .map(|e| {
                    // Rounding of the sums themselves, where nothing else fluctuates.
                    let rounding = match plan.is_connected() {
                        true => 0.0,
                        false => 1e-13 * gp[e].abs(),
                    };
                    let error = std_err[e].hypot(exact_error[e]);
                    let difference = mean_delta[e] - exact_delta[e];
                    if error > rounding {
                        return Some(difference / error);
                    }
                    // What does not fluctuate may still be wrong: rare networks were not drawn.
                    let scale = gp[e].abs().max(exact_delta[e].abs());
                    (difference.abs() > 1e-9 * scale)
                        .then(|| difference / (1e-13 * scale.max(difference.abs())))
                })
                .collect();
            let convergence: Vec<Convergence> = (range.clone().into_par_iter())
                .zip(&pull)
                .zip(&std_err)
                .map(|((e, &pull), std_err)| {
                    // What each of the heaviest networks adds to the sum.
                    let contributions: Vec<f64> =
                        heaviest.iter().map(|n| plan.contribution(e, n)).collect();
                    let sum = total.mean[e] * total.networks;
                    let error = std_err * total.networks;
                    Convergence::new(&contributions, sum, error, pull, has_tail)
                })
                .collect();
            let connected = match (plan.is_connected(), order) {
                (true, 4) => Some(range.clone()),
                (true, 6) => plan.connected_six(),
                _ => None,
            }
            .map(|range| Connected {
                mean: total.mean[range.clone()].to_vec(),
                std_err: total.std_err().unwrap_or_default()[range].to_vec(),
                exact: (tuples.iter())
                    .map(|t| match order {
                        4 => exact.deviation(t),
                        _ => exact.connected_six(t),
                    })
                    .collect(),
            });
            Ok(Correlator {
                order: *order,
                mean: full(&total.mean),
                exact: (gp.iter().zip(&exact_delta)).map(|(g, d)| g + d).collect(),
                exact_error,
                pull,
                connected,
                background,
                deviation_mean: average(&defined),
                deviation_mean_std_err,
                deviation_mean_exact: average(
                    &deviation_exact
                        .iter()
                        .flatten()
                        .copied()
                        .collect::<Vec<_>>(),
                ),
                deviation_abs_mean: average(&abs),
                deviation_abs_max: abs.iter().copied().reduce(f64::max),
                deviation,
                deviation_exact,
                verdict,
                largest_share: convergence.iter().map(|c| c.largest_share).collect(),
                tail_index: (convergence.iter())
                    .map(|c| c.tail_index.map(|k| k.value))
                    .collect(),
                converged: convergence.iter().map(|c| c.failure().is_none()).collect(),
                reason: reason(spec, &convergence),
                experiments: experiments.iter().map(|s| full(&s.mean)).collect(),
                indices: tuples.points,
                outputs: tuples.outputs,
                gp,
                std_err,
                delta: mean_delta,
                delta_experiments,
            })
        })
        .collect()
}

/// The worst failure among an order's elements, and the way out.
fn reason(spec: &EnsembleSpec, convergence: &[Convergence]) -> Option<String> {
    let failures: Vec<Failure> = convergence
        .iter()
        .filter_map(Convergence::failure)
        .collect();
    // Of the gravest kind the largest number.
    let gravest = failures.iter().copied().reduce(|a, b| {
        let kind = |f: &Failure| match f {
            Failure::Refuted(_) => 0,
            Failure::Dominated(_) => 1,
            Failure::Tail(_) => 2,
        };
        match kind(&a).cmp(&kind(&b)) {
            std::cmp::Ordering::Less => a,
            std::cmp::Ordering::Greater => b,
            std::cmp::Ordering::Equal if a > b => a,
            std::cmp::Ordering::Equal => b,
        }
    })?;
    let advice = match (spec.arch, spec.estimator, &spec.tilt) {
        (Architecture::Gauss, Estimator::Direct, _) => {
            "use --estimator connected --tilt auto, or trust the exact value"
        }
        (Architecture::Gauss, Estimator::Connected, None) => {
            "add --tilt auto, or trust the exact value"
        }
        (_, Estimator::Direct, _) => "draw more networks, or use --estimator connected",
        _ => "draw more networks, or trust the exact value",
    };
    Some(format!(
        "{} of {} elements have not converged: {gravest}; {advice}",
        failures.len(),
        convergence.len()
    ))
}

pub(super) fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample standard deviation (n - 1).
pub(super) fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = average(values)?;
    let sum: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((sum / (values.len() - 1) as f64).sqrt())
}
