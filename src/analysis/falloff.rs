//! The n-point functions fall off to the Gaussian process: m_n against the width.

use serde::{Deserialize, Serialize};

use super::{Correlator, LogFit, Unconverged, Verdict};
use crate::Result;
use crate::model::{EnsembleSpec, Estimator};
use crate::theory::tilt;

/// The widths of the source.
pub const WIDTHS: [u64; 10] = [2, 3, 4, 5, 10, 20, 50, 100, 500, 1000];

/// How many networks the direct estimator draws for one of the connected estimator.
const CONNECTED_SHARE: u64 = 10;

/// `FalloffPoint` is one n-point function at one width, averaged over its elements.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FalloffPoint {
    /// Order n of the function.
    pub order: usize,
    /// Number of unique elements.
    pub elements: usize,
    /// Number of elements left out of the means, as in [`Correlator::left_out`].
    pub left_out: usize,
    /// Mean of m_n; for odd n, mean of G / sqrt(prod K_ii).
    pub deviation_mean: Option<f64>,
    /// Standard error of `deviation_mean`, from the means over elements of all blocks of networks.
    pub std_err: Option<f64>,
    /// Mean of |m_n|.
    pub deviation_abs_mean: Option<f64>,
    /// The source's background: standard deviation of m_n across experiments, averaged.
    pub background: Option<f64>,
    /// Mean of the exact m_n, if it is known.
    pub exact_mean: Option<f64>,
    /// Error of `exact_mean`.
    pub exact_mean_error: Option<f64>,
    /// Mean of m_n to first order in 1/N, if that is what is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_order_mean: Option<f64>,
    /// Whether `deviation_mean` differs from zero.
    pub verdict: Verdict,
    /// Largest |measured - exact| over the elements, in standard errors.
    pub largest_pull: Option<f64>,
    /// Why the average has not converged; `None` if it has.
    pub unconverged: Option<String>,
    /// The same function from the connected estimator; even n from 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<ConnectedPoint>,
}

/// `ConnectedPoint` is the connected estimator's m_n beside the direct one's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectedPoint {
    /// Mean of m_n.
    pub deviation_mean: Option<f64>,
    /// Standard error of `deviation_mean`.
    pub std_err: Option<f64>,
    /// Standard deviation of m_n across experiments, averaged.
    pub background: Option<f64>,
    /// Whether `deviation_mean` differs from zero.
    pub verdict: Verdict,
    /// Largest |measured - exact| over the elements, in standard errors.
    pub largest_pull: Option<f64>,
    /// Networks of the direct estimator that measure dG^(n) as well as one network of the connected
    /// estimator: variance ratio per network, median over elements.
    pub gain: Option<f64>,
    /// Why the average has not converged; `None` if it has.
    pub unconverged: Option<String>,
}

/// `FalloffWidth` holds the n-point functions at one width of a sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FalloffWidth {
    /// Width N.
    pub width: u64,
    /// The n-point functions, one entry per order.
    pub orders: Vec<FalloffPoint>,
}

/// `FalloffFit` is a fitted power of N.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FalloffFit {
    /// Order n of the function.
    pub order: usize,
    /// Slope of log10 |m_n| against log10 N; theory: -1 as N grows.
    pub slope: Option<f64>,
    /// Standard error of the slope.
    pub std_err: Option<f64>,
    /// Sum of squared residuals, in units of the errors.
    pub chi2: Option<f64>,
    /// Slope of a line through the exact m_n with the same errors: what a perfect measurement
    /// gives at these widths.
    pub exact_slope: Option<f64>,
    /// Widths at which m_n is above the background: its mean differs from zero.
    pub widths_used: Vec<u64>,
    /// Widths among them at which m_n has not converged: the slope means nothing if there are any.
    pub unconverged: Vec<u64>,
}

/// `Falloff` is a width sweep with the fits to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Falloff {
    /// The widths, in the order given.
    pub widths: Vec<FalloffWidth>,
    /// Fits for even orders from 4, one entry each: to the direct estimator's curve, or to the only
    /// one measured.
    pub fits: Vec<FalloffFit>,
    /// Fits to the connected estimator's curve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connected_fits: Vec<FalloffFit>,
}

/// Makes the connected ensemble beside a direct one: a tenth of its networks but no fewer than 1000
/// an experiment (tilted 10000), the even orders from 4, and importance sampling where the net
/// needs it and `may_tilt`. `None` if no such order is asked.
///
/// # Errors
/// Those of [`EnsembleSpec::validate`].
pub fn connected_spec(spec: &EnsembleSpec, may_tilt: bool) -> Result<Option<EnsembleSpec>> {
    let orders: Vec<usize> = spec
        .orders
        .iter()
        .copied()
        .filter(|&n| has_falloff(n))
        .collect();
    if orders.is_empty() {
        return Ok(None);
    }
    if spec.net.depth() > 1 && !spec.net.has_gaussian_readout() {
        return Ok(None);
    }
    let may_tilt = may_tilt && spec.net.depth() == 1;
    let tilt = may_tilt.then(|| tilt(spec)).flatten();
    // A mixture needs enough of each part for its tail to be judged.
    let least = if tilt.is_some() { 10_000 } else { 1000 };
    let spec = EnsembleSpec {
        orders,
        nets: (spec.nets / CONNECTED_SHARE).max(least),
        estimator: Estimator::Connected,
        tilt,
        ..spec.clone()
    };
    spec.validate().map(Some)
}

/// Tells whether m_n falls with N: not for odd n, whose functions vanish, nor for the exact 2-point
/// function.
fn has_falloff(order: usize) -> bool {
    order >= 4 && order.is_multiple_of(2)
}

impl FalloffWidth {
    /// Puts the ensembles of one width together, each a spec and what was measured.
    pub fn new(
        (spec, measured): (&EnsembleSpec, &[Correlator]),
        connected: Option<(&EnsembleSpec, &[Correlator])>,
    ) -> Self {
        let point = |c: &Correlator| FalloffPoint {
            order: c.order,
            elements: c.mean.len(),
            left_out: c.left_out,
            deviation_mean: c.deviation_mean,
            std_err: c.deviation_mean_std_err,
            deviation_abs_mean: c.deviation_abs_mean,
            background: c.background,
            exact_mean: c.reference.exact().and_then(|x| x.deviation_mean),
            exact_mean_error: c.reference.exact().and_then(|x| x.deviation_mean_error),
            first_order_mean: (c.reference.first_order()).and_then(|x| x.deviation_mean),
            verdict: c.verdict,
            largest_pull: c.largest_pull(),
            unconverged: c.reason.clone(),
            connected: connected.and_then(|(other, correlators)| {
                let best = correlators.iter().find(|b| b.order == c.order)?;
                Some(ConnectedPoint {
                    deviation_mean: best.deviation_mean,
                    std_err: best.deviation_mean_std_err,
                    background: best.background,
                    verdict: best.verdict,
                    largest_pull: best.largest_pull(),
                    gain: gain((spec, c), (other, best)),
                    unconverged: best.reason.clone(),
                })
            }),
        };
        Self {
            width: spec.net.width(),
            orders: measured.iter().map(point).collect(),
        }
    }
}

/// Returns the median over elements of the variances' ratio, per network.
fn gain(
    (direct, a): (&EnsembleSpec, &Correlator),
    (connected, b): (&EnsembleSpec, &Correlator),
) -> Option<f64> {
    // With several outputs the connected estimator leaves out those that do not pair.
    if a.std_err.len() != b.std_err.len() {
        return None;
    }
    let per_network = direct.networks() as f64 / connected.networks() as f64;
    let mut ratios: Vec<f64> = (a.std_err.iter().zip(&b.std_err))
        .map(|(a, b)| (a / b).powi(2) * per_network)
        .filter(|r| r.is_finite())
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

impl Falloff {
    /// Fits the slopes of a sweep.
    pub fn new(widths: Vec<FalloffWidth>) -> Self {
        let orders: Vec<usize> = (widths.first().into_iter())
            .flat_map(|w| w.orders.iter().map(|p| p.order))
            .filter(|&n| has_falloff(n))
            .collect();
        let has_connected = (widths.iter().flat_map(|w| &w.orders)).any(|p| p.connected.is_some());
        let fits = |connected: bool| orders.iter().map(|&n| fit(&widths, n, connected)).collect();
        Self {
            fits: fits(false),
            connected_fits: if has_connected {
                fits(true)
            } else {
                Vec::new()
            },
            widths,
        }
    }

    /// Lists the claims that rest on averages that have not converged: slopes with no estimator to
    /// stand on.
    pub fn unconverged(&self) -> Vec<Unconverged> {
        (self.fits.iter())
            .filter(|f| !f.unconverged.is_empty())
            .filter(|f| {
                let other = self.connected_fits.iter().find(|c| c.order == f.order);
                !other.is_some_and(|c| c.slope.is_some() && c.unconverged.is_empty())
            })
            .map(|f| {
                let widths: Vec<String> = f.unconverged.iter().map(u64::to_string).collect();
                Unconverged {
                    claim: Some("slope".into()),
                    order: f.order,
                    reason: format!("not converged at N = {}", widths.join(", ")),
                }
            })
            .collect()
    }
}

/// `Row` is one point of a fit.
struct Row {
    width: u64,
    m: f64,
    error: f64,
    exact: Option<f64>,
}

fn fit(widths: &[FalloffWidth], order: usize, connected: bool) -> FalloffFit {
    let mut rows = Vec::new();
    let mut unconverged = Vec::new();
    for w in widths {
        let Some(p) = w.orders.iter().find(|p| p.order == order) else {
            continue;
        };
        let (mean, std_err, verdict, reason) = match (connected, &p.connected) {
            (false, _) => (p.deviation_mean, p.std_err, p.verdict, &p.unconverged),
            (true, Some(c)) => (c.deviation_mean, c.std_err, c.verdict, &c.unconverged),
            (true, None) => continue,
        };
        let (Some(m), Some(error)) = (mean, std_err) else {
            continue;
        };
        if verdict == Verdict::AboveBackground {
            rows.push(Row {
                width: w.width,
                m,
                error,
                exact: p.exact_mean,
            });
            if reason.is_some() {
                unconverged.push(w.width);
            }
        }
    }
    let line = |value: fn(&Row) -> Option<f64>| {
        let points: Option<Vec<(f64, f64, f64)>> = (rows.iter())
            .map(|r| Some((r.width as f64, value(r)?, r.error * (value(r)? / r.m).abs())))
            .collect();
        LogFit::new(&points?)
    };
    let measured = line(|r| Some(r.m));
    FalloffFit {
        order,
        slope: measured.map(|f| f.slope),
        std_err: measured.map(|f| f.std_err),
        chi2: measured.map(|f| f.chi2),
        exact_slope: line(|r| r.exact).map(|f| f.slope),
        widths_used: rows.iter().map(|r| r.width).collect(),
        unconverged,
    }
}
