use super::correlators::{average, pull, standard_deviation};
use super::verdict::p_value;

/// The mean of m_n over the elements of one n-point function.
///
/// Elements with a GP value near zero are left out ([`mean_unit`](crate::theory::mean_unit)); for
/// the source's points that is none, and the mean is the source's.
#[derive(Debug, Clone, Default)]
pub(super) struct ElementMean {
    /// Elements left out.
    pub left_out: usize,
    pub mean: Option<f64>,
    /// From the scatter of block means of this mean.
    pub std_err: Option<f64>,
    pub p_value: Option<f64>,
    pub exact: Option<f64>,
    /// Sum of the elements' errors, over their number: exact values may be wrong all one way.
    pub exact_error: Option<f64>,
    pub pull: Option<f64>,
    /// Mean and largest of |m_n|.
    pub abs_mean: Option<f64>,
    pub abs_max: Option<f64>,
    /// The source's background.
    pub background: Option<f64>,
}

/// What it is formed from; all over the elements that enter it.
pub(super) struct Members<'a> {
    /// Elements that there are.
    pub of: usize,
    /// Element and the unit of its m_n.
    pub units: Vec<(usize, f64)>,
    /// G - G_GP of every element, measured, exact, and the exact ones' errors.
    pub delta: &'a [f64],
    pub exact: &'a [f64],
    pub exact_error: &'a [f64],
    /// Measured in each experiment.
    pub experiments: &'a [Vec<f64>],
    /// Standard error of the mean of m_n, if any element enters.
    pub std_err: f64,
    /// Its skewness.
    pub skewness: f64,
    pub blocks: u64,
    /// Relative rounding of the sums that m_n is a difference of.
    pub rounding: f64,
}

impl ElementMean {
    pub fn new(members: Members) -> Self {
        let m = &members;
        let left_out = m.of - m.units.len();
        let over = |values: &[f64]| -> Vec<f64> {
            m.units.iter().map(|&(e, unit)| values[e] / unit).collect()
        };
        let measured = over(m.delta);
        let (Some(mean), Some(exact), Some(exact_error)) = (
            average(&measured),
            average(&over(m.exact)),
            average(&(over(m.exact_error).iter().map(|e| e.abs())).collect::<Vec<_>>()),
        ) else {
            return Self {
                left_out,
                ..Self::default()
            };
        };
        let error = m.std_err.hypot(exact_error);
        let spread = |&(e, unit): &(usize, f64)| {
            let values: Vec<f64> = m.experiments.iter().map(|x| x[e] / unit).collect();
            standard_deviation(&values)
        };
        let spread: Vec<f64> = m.units.iter().filter_map(spread).collect();
        let abs: Vec<f64> = measured.iter().map(|m| m.abs()).collect();
        Self {
            left_out,
            mean: Some(mean),
            std_err: Some(m.std_err),
            p_value: p_value(mean, m.std_err, m.skewness, m.blocks),
            exact: Some(exact),
            exact_error: Some(exact_error),
            pull: pull(mean - exact, error, m.rounding, exact.abs().max(1.0)),
            abs_mean: average(&abs),
            abs_max: abs.into_iter().reduce(f64::max),
            background: average(&spread),
        }
    }
}
