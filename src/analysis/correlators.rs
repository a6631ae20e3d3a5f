use rayon::prelude::*;
use serde::Serialize;

use super::check_range;
use super::convergence::{Convergence, Failure, Sum};
use super::element_mean::{ElementMean, Members};
use super::verdict::Verdict;
use crate::engine::measurement;
use crate::model::{EnsembleSpec, Estimator};
use crate::tensor::{Accumulator, Tuples};
use crate::theory::{
    Exact, RareNeurons, deviation_unit, gp_correlator, gp_rounding, kernel_matrix, mean_unit, tilt,
};
use crate::{Error, Result};

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
    /// Elements left out of the means over elements: their GP value is below 5e-4 of
    /// sqrt(prod K_ii), and their m_n swamps all others ([`mean_unit`]).
    pub left_out: usize,
    /// Standard deviation of m_n across experiments, averaged over elements (the source's
    /// background); `None` with one experiment.
    pub background: Option<f64>,
    /// Mean of m_n over elements.
    pub deviation_mean: Option<f64>,
    /// Its standard error, from the means over elements of all blocks of networks.
    pub deviation_mean_std_err: Option<f64>,
    /// Probability that noise puts `deviation_mean` as far from zero: Student's t, corrected for
    /// skewness.
    pub deviation_mean_p_value: Option<f64>,
    /// Mean of the exact m_n over elements.
    pub deviation_mean_exact: Option<f64>,
    /// Its error, if those of the elements are all on one side.
    pub deviation_mean_exact_error: Option<f64>,
    /// (mean of m_n - exact) / error, both errors included.
    pub deviation_mean_pull: Option<f64>,
    /// Mean of |m_n| over elements.
    pub deviation_abs_mean: Option<f64>,
    /// Largest |m_n|.
    pub deviation_abs_max: Option<f64>,
    /// Whether `deviation_mean` differs from zero.
    pub verdict: Verdict,
    /// Largest share of a sum that one network carries.
    pub largest_share: Vec<f64>,
    /// Tail index of the contributions (generalised Pareto); `None` with too few blocks.
    pub tail_index: Vec<Option<f64>>,
    /// Whether mean and error bar can be believed.
    pub converged: Vec<bool>,
    /// Why not, and what to do, in a sentence; `None` if all elements and their mean converged.
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
    /// Pull of the mean m_n, the exact value's error included.
    pub fn mean_pull(&self) -> Option<f64> {
        self.deviation_mean_pull
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
    /// Elements left out of it, as of [`Correlator::left_out`].
    pub left_out: usize,
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
                .map(|((tuple, &gp), d)| deviation_unit(&kernel, tuple, gp).map(|u| d / u))
                .collect();
            let of_mean: Vec<f64> = (tuples.iter().zip(&gp).zip(&deviation))
                .filter(|((tuple, gp), _)| mean_unit(&kernel, *tuple, **gp).is_some())
                .filter_map(|(_, m)| *m)
                .collect();
            Prediction {
                order,
                exact: gp.iter().zip(&delta).map(|(g, d)| g + d).collect(),
                exact_error: (tuples.iter())
                    .map(|t| exact.error(t) + gp_rounding(&kernel, t))
                    .collect(),
                connected: match order {
                    4 => Some(delta),
                    6 => Some(tuples.iter().map(|t| exact.connected_six(t)).collect()),
                    _ => None,
                },
                deviation_mean: average(&of_mean),
                left_out: tuples.len() - of_mean.len(),
                deviation,
                indices: tuples.points,
                outputs: tuples.outputs,
                gp,
            }
        })
        .collect())
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
    correlators_beside(&Exact::new(spec), spec, moments)
}

/// The same with exact values that are known already: of this net and these inputs at any
/// width, and of the spec's orders at least.
///
/// # Errors
/// Those of [`correlators`].
pub fn correlators_beside(
    exact: &Exact,
    spec: &EnsembleSpec,
    moments: &Accumulator,
) -> Result<Vec<Correlator>> {
    let exact = exact.at_width(spec.width);
    let plan = measurement(spec);
    let kernel = kernel_matrix(spec);
    let all_gp = gp_predictions(spec)?;
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
    let rare = RareNeurons::new(spec, total.networks);
    (plan.orders().iter().enumerate())
        .map(|(k, (order, range))| {
            let cut = |v: &[f64]| v[range.clone()].to_vec();
            let tuples = plan.tuples().slice(range.clone());
            let gp = cut(&all_gp);
            let mean_at = plan.means().start + k;
            let mean_std_err = std_err[mean_at];
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
                .map(|(tuple, &gp)| deviation_unit(&kernel, tuple, gp))
                .collect();
            let relative = |delta: &[f64]| -> Vec<Option<f64>> {
                (delta.iter().zip(&units))
                    .map(|(d, unit)| unit.map(|u| d / u))
                    .collect()
            };
            let mean_delta = delta(&total.mean);
            let exact_delta: Vec<f64> = tuples.iter().map(|t| exact.deviation(t)).collect();
            // Of the difference; G has the rounding of the GP on top.
            let delta_error: Vec<f64> = tuples.iter().map(|t| exact.error(t)).collect();
            let deviation = relative(&mean_delta);
            let deviation_exact = relative(&exact_delta);
            let delta_experiments: Vec<Vec<f64>> =
                experiments.iter().map(|s| delta(&s.mean)).collect();
            // Rounding of the sums themselves, where nothing else fluctuates.
            let rounding = if plan.is_connected() { 0.0 } else { 1e-13 };
            let members = (tuples.iter().zip(&gp).enumerate())
                .filter_map(|(e, (tuple, &gp))| Some((e, mean_unit(&kernel, tuple, gp)?)));
            let mean = ElementMean::new(Members {
                of: tuples.len(),
                units: members.collect(),
                delta: &mean_delta,
                exact: &exact_delta,
                exact_error: &delta_error,
                experiments: &delta_experiments,
                std_err: mean_std_err,
                skewness: skewness(
                    heaviest.iter().map(|n| plan.contribution(mean_at, n)),
                    total.mean[mean_at],
                    mean_std_err * total.networks,
                ),
                blocks: total.blocks,
                rounding,
            });
            let pull: Vec<Option<f64>> = (0..tuples.len())
                .map(|e| {
                    let error = std_err[e].hypot(delta_error[e]);
                    let scale = gp[e].abs().max(exact_delta[e].abs());
                    let rounding = rounding * gp[e].abs();
                    pull(mean_delta[e] - exact_delta[e], error, rounding, scale)
                })
                .collect();
            let missed: Option<Vec<f64>> =
                (rare.as_ref()).map(|rare| tuples.iter().map(|tuple| rare.missed(tuple)).collect());
            // Element or mean over elements: what has been drawn of it, and what has not.
            let judge = |at: usize, std_err: f64, pull: Option<f64>, missed: f64| {
                // What each of the heaviest networks adds to the sum.
                let contributions: Vec<f64> =
                    heaviest.iter().map(|n| plan.contribution(at, n)).collect();
                let sum = Sum {
                    value: total.mean[at] * total.networks,
                    std_err: std_err * total.networks,
                    missed: missed * total.networks,
                };
                Convergence::new(&contributions, sum, pull, has_tail)
            };
            let convergence: Vec<Convergence> = (0..tuples.len())
                .into_par_iter()
                .map(|e| {
                    let missed = missed.as_ref().map_or(0.0, |m| m[e]);
                    judge(range.start + e, std_err[e], pull[e], missed)
                })
                .collect();
            let missed_of_mean = missed.as_ref().map_or(0.0, |missed| {
                let weights = plan.mean_weights(k).iter();
                weights
                    .map(|&(e, w)| (w * missed[e - range.start]).abs())
                    .sum()
            });
            let of_mean = judge(mean_at, mean_std_err, mean.pull, missed_of_mean);
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
                exact_error: (tuples.iter().zip(delta_error))
                    .map(|(t, error)| error + gp_rounding(&kernel, t))
                    .collect(),
                pull,
                connected,
                left_out: mean.left_out,
                background: mean.background,
                deviation_mean: mean.mean,
                deviation_mean_std_err: mean.std_err,
                deviation_mean_p_value: mean.p_value,
                deviation_mean_exact: mean.exact,
                deviation_mean_exact_error: mean.exact_error,
                deviation_mean_pull: mean.pull,
                deviation_abs_mean: mean.abs_mean,
                deviation_abs_max: mean.abs_max,
                verdict: Verdict::of(mean.p_value),
                deviation,
                deviation_exact,
                largest_share: convergence.iter().map(|c| c.largest_share).collect(),
                tail_index: (convergence.iter())
                    .map(|c| c.tail_index.map(|k| k.value))
                    .collect(),
                converged: convergence.iter().map(|c| c.failure().is_none()).collect(),
                reason: reason(spec, &convergence, of_mean),
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

/// Skewness of an average: the third cumulant of the sum over networks, as far as the heaviest
/// carry it, in units of the sum's error.
fn skewness(contributions: impl Iterator<Item = f64>, mean: f64, sum_std_err: f64) -> f64 {
    match sum_std_err > 0.0 {
        true => contributions
            .map(|c| ((c - mean) / sum_std_err).powi(3))
            .sum(),
        false => 0.0,
    }
}

/// (measured - exact) / error. What does not fluctuate by more than `rounding` has none, unless it
/// is wrong on the scale of the values: rare networks were not drawn.
pub(super) fn pull(difference: f64, error: f64, rounding: f64, scale: f64) -> Option<f64> {
    if error > rounding {
        return Some(difference / error);
    }
    (difference.abs() > 1e-9 * scale).then(|| difference / (1e-13 * scale.max(difference.abs())))
}

/// The worst failure among an order's elements, or of their mean, and the way out.
fn reason(spec: &EnsembleSpec, elements: &[Convergence], mean: Convergence) -> Option<String> {
    let failures: Vec<Failure> = elements.iter().filter_map(Convergence::failure).collect();
    let (what, gravest) = match (
        failures.iter().copied().reduce(Failure::worse),
        mean.failure(),
    ) {
        (Some(gravest), _) => {
            let what = format!("{} of {} elements have", failures.len(), elements.len());
            (what, gravest)
        }
        (None, Some(of_mean)) => ("the mean over elements has".to_string(), of_mean),
        (None, None) => return None,
    };
    let advice = match (tilt(spec).is_some(), spec.estimator, &spec.tilt) {
        (true, Estimator::Direct, _) => {
            "use `estimator` connected `tilt` auto, or trust the exact value"
        }
        (true, Estimator::Connected, None) => "add `tilt` auto, or trust the exact value",
        (_, Estimator::Direct, _) => "draw more networks, or use `estimator` connected",
        _ => "draw more networks, or trust the exact value",
    };
    Some(format!("{what} not converged: {gravest}; {advice}"))
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
