use serde::Serialize;

use super::connected::Connected;
use super::reference::{Agreement, Reference};
use super::verdict::Verdict;

/// `Correlator` is one measured n-point function beside the GP's and what else theory has of it.
///
/// All vectors run over the unique elements, in the order of `indices`. G has the unit of
/// f^n; deviations have none.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Correlator {
    /// Order n of the function.
    pub order: usize,
    /// Points of each element, i_1 <= .. <= i_n among those of one output.
    pub indices: Vec<Vec<usize>>,
    /// Outputs of each element, beside the points; empty if there is one output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Vec<usize>>,
    /// Estimated G^(n).
    pub mean: Vec<f64>,
    /// Standard error of the mean, from block means over all experiments.
    pub std_err: Vec<f64>,
    /// Wick's G_GP^(n).
    pub gp: Vec<f64>,
    /// G^(n) and m_n at this width, as far as theory knows them.
    #[serde(flatten)]
    pub reference: Reference,
    /// (mean - exact) / error, the exact value's error included; `None` where nothing fluctuates.
    /// There are none at all where the exact values are not known.
    pub pull: Option<Vec<Option<f64>>>,
    /// m_n = (G - G_GP) / G_GP. For odd n, where the GP vanishes, G / sqrt(prod K_ii).
    /// `None` where an even G_GP vanishes.
    pub deviation: Vec<Option<f64>>,
    /// Connected n-point function (connected estimator, n = 4 and 6).
    #[serde(flatten)]
    pub connected: Option<Connected>,
    /// Elements left out of the means over elements: their GP value is below 5e-4 of
    /// sqrt(prod K_ii), and their m_n swamps all others ([`mean_unit`](crate::theory::mean_unit)).
    pub left_out: usize,
    /// Standard deviation of m_n across experiments, averaged over elements (the source's
    /// background); `None` with one experiment.
    pub background: Option<f64>,
    /// Mean of m_n over elements.
    pub deviation_mean: Option<f64>,
    /// Standard error of `deviation_mean`, from the means over elements of all blocks of networks.
    pub deviation_mean_std_err: Option<f64>,
    /// Probability that noise puts `deviation_mean` as far from zero: Student's t, corrected for
    /// skewness.
    pub deviation_mean_p_value: Option<f64>,
    /// (mean of m_n - exact) / error, both errors included; `None` where the exact value is not
    /// known.
    pub deviation_mean_pull: Option<f64>,
    /// Whether the mean of m_n is as predicted, where that is known to first order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_order_verdict: Option<Agreement>,
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
    /// Whether mean and error bar of each element can be believed.
    pub converged: Vec<bool>,
    /// Why mean and error bar cannot be believed, and what to do, in a sentence; `None` if all
    /// elements and their mean converged.
    pub reason: Option<String>,
    /// First half of `reason`: why they cannot be believed.
    #[serde(skip)]
    pub why: Option<String>,
    /// Mean of G^(n) in each experiment, `[experiment][element]`.
    #[serde(skip)]
    pub experiments: Vec<Vec<f64>>,
    /// Estimated G^(n) - G_GP^(n): what `mean` loses to rounding where it is small.
    #[serde(skip)]
    pub delta: Vec<f64>,
    /// Estimated G^(n) - G_GP^(n) in each experiment, `[experiment][element]`.
    #[serde(skip)]
    pub delta_experiments: Vec<Vec<f64>>,
}

impl Correlator {
    /// Returns the pull of the mean m_n, the exact value's error included.
    pub fn mean_pull(&self) -> Option<f64> {
        self.deviation_mean_pull
    }

    /// Returns the pull of each element; `None` where the exact values are not known or nothing
    /// fluctuates.
    pub fn pulls(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        (0..self.mean.len()).map(|e| self.pull_of(e))
    }

    /// Returns the pull of element `e`, as [`pulls`](Self::pulls) has it.
    pub fn pull_of(&self, e: usize) -> Option<f64> {
        self.pull.as_ref().and_then(|all| all[e])
    }

    /// Returns the largest |pull| over the elements.
    pub fn largest_pull(&self) -> Option<f64> {
        self.pulls().flatten().map(f64::abs).reduce(f64::max)
    }
}
