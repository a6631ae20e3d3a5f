use serde::Serialize;

use crate::engine::moment_plan;
use crate::model::EnsembleSpec;
use crate::tensor::Accumulator;
use crate::theory::{gp_correlator, kernel_matrix};
use crate::{Error, Result};

/// Whether a deviation from the GP stands out of the scatter between experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// One measured n-point function beside the GP's.
///
/// All vectors run over the unique elements, in the order of `indices`. G has the unit of
/// f^n; deviations have none.
#[derive(Debug, Clone, Serialize)]
pub struct Correlator {
    /// Order n.
    pub order: usize,
    /// Points of each element, i_1 <= .. <= i_n.
    pub indices: Vec<Vec<usize>>,
    /// Estimated G^(n).
    pub mean: Vec<f64>,
    /// Standard error of the mean, from block means over all experiments.
    pub std_err: Vec<f64>,
    /// Wick's G_GP^(n).
    pub gp: Vec<f64>,
    /// m_n = (G - G_GP) / G_GP. For odd n, where the GP vanishes, G / sqrt(prod K_ii).
    /// `None` where an even G_GP vanishes.
    pub deviation: Vec<Option<f64>>,
    /// Standard deviation of m_n across experiments, averaged over elements (the source's
    /// background); `None` with one experiment.
    pub background: Option<f64>,
    /// Mean of m_n over elements.
    pub deviation_mean: Option<f64>,
    /// Its standard error: from the experiments' own means; with one experiment the mean of
    /// the elements' errors, which bounds it from above.
    pub deviation_mean_std_err: Option<f64>,
    /// Mean of |m_n| over elements.
    pub deviation_abs_mean: Option<f64>,
    /// Largest |m_n|.
    pub deviation_abs_max: Option<f64>,
    /// Mean |m_n| against the background.
    pub verdict: Verdict,
    /// Mean of G^(n) in each experiment, `[experiment][element]`.
    #[serde(skip)]
    pub experiments: Vec<Vec<f64>>,
}

/// GP prediction of every element of the spec's plan.
///
/// # Errors
/// [`Error::Invalid`] if an n-point function or its square leaves the range of f64.
pub fn gp_predictions(spec: &EnsembleSpec) -> Result<Vec<f64>> {
    let kernel = kernel_matrix(spec);
    moment_plan(spec)
        .indices()
        .iter()
        .map(|index| {
            // Variances are squares of n-point functions.
            let size: f64 = index.iter().map(|&i| kernel[i][i].sqrt()).product();
            if size != 0.0 && !(1e-140..1e140).contains(&size) {
                return Err(Error::invalid(
                    "--sigma-w",
                    spec.sigma_w,
                    format!(
                        "with these inputs the {}-point function is of order {size:.0e} and its variance leaves the range of f64; rescale or lower --orders",
                        index.len()
                    ),
                ));
            }
            Ok(gp_correlator(&kernel, index))
        })
        .collect()
}

/// The n-point functions of a run, one entry per order of the spec.
///
/// # Errors
/// [`Error::NotFinite`] if the accumulator holds NaN or infinite values or nothing.
pub fn correlators(spec: &EnsembleSpec, moments: &Accumulator) -> Result<Vec<Correlator>> {
    let plan = moment_plan(spec);
    let kernel = kernel_matrix(spec);
    let gp = gp_predictions(spec)?;
    let total = moments.total()?;
    let std_err = total
        .std_err()
        .ok_or_else(|| Error::NotFinite("a standard error from one block of networks".into()))?;
    let experiments = moments.experiments();
    plan.orders()
        .iter()
        .map(|(order, range)| {
            let cut = |v: &[f64]| v[range.clone()].to_vec();
            let indices = plan.indices()[range.clone()].to_vec();
            // What a deviation is measured in: G_GP, or the fields' own size.
            let unit: Vec<Option<f64>> = indices
                .iter()
                .zip(&gp[range.clone()])
                .map(|(index, &gp)| {
                    let size: f64 = index.iter().map(|&i| kernel[i][i].sqrt()).product();
                    let unit = if order % 2 == 1 { size } else { gp };
                    (unit.abs() > 1e-12 * size && unit != 0.0).then_some(unit)
                })
                .collect();
            let deviation = |mean: &[f64]| -> Vec<Option<f64>> {
                (mean.iter().zip(&gp[range.clone()]).zip(&unit))
                    .map(|((g, gp), unit)| unit.map(|u| (g - gp) / u))
                    .collect()
            };
            let mean = cut(&total.mean);
            let m = deviation(&mean);
            let experiment_means: Vec<Vec<f64>> =
                experiments.iter().map(|s| cut(&s.mean)).collect();
            let per_experiment: Vec<Vec<Option<f64>>> =
                experiment_means.iter().map(|g| deviation(g)).collect();
            let defined: Vec<f64> = m.iter().flatten().copied().collect();
            let spread: Vec<f64> = (0..m.len())
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
                .map(|s| s / (means.len() as f64).sqrt())
                .or_else(|| {
                    let errors: Vec<f64> = (std_err[range.clone()].iter().zip(&unit))
                        .filter_map(|(e, unit)| Some(e / (*unit)?.abs()))
                        .collect();
                    average(&errors)
                });
            let verdict = match (average(&abs), background) {
                (Some(m), Some(b)) if m > b => Verdict::AboveBackground,
                (Some(_), Some(_)) => Verdict::BelowBackground,
                _ => Verdict::Undecided,
            };
            Ok(Correlator {
                order: *order,
                std_err: cut(&std_err),
                gp: cut(&gp),
                mean,
                background,
                deviation_mean: average(&defined),
                deviation_mean_std_err,
                deviation_abs_mean: average(&abs),
                deviation_abs_max: abs.iter().copied().reduce(f64::max),
                deviation: m,
                verdict,
                indices,
                experiments: experiment_means,
            })
        })
        .collect()
}

fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample standard deviation (n - 1).
fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = average(values)?;
    let sum: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((sum / (values.len() - 1) as f64).sqrt())
}
