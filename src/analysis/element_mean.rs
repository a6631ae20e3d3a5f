use super::average::{average, standard_deviation};
use super::elements::Elements;
use super::measured::{Measured, Run};
use super::verdict::p_value;

/// `ElementMean` is the mean of m_n over the elements of one n-point function.
///
/// Elements with a GP value near zero are left out ([`mean_unit`](crate::theory::mean_unit)); at
/// the source's points no element is, and the mean is the source's.
#[derive(Debug, Clone, Default)]
pub(super) struct ElementMean {
    pub mean: Option<f64>,
    /// Standard error of `mean`, from its scatter over blocks.
    pub std_err: Option<f64>,
    pub p_value: Option<f64>,
    /// Mean and largest of |m_n|.
    pub abs_mean: Option<f64>,
    pub abs_max: Option<f64>,
    /// Standard deviation of m_n across experiments, averaged (the source's background).
    pub background: Option<f64>,
}

impl ElementMean {
    /// Averages m_n over the elements of the k-th order of a run.
    pub fn new(run: &Run, k: usize, elements: &Elements, measured: &Measured) -> Self {
        let each = elements.member_deviations(&measured.delta);
        let Some(mean) = average(&each) else {
            return Self::default();
        };
        let spread = |&(e, unit): &(usize, f64)| {
            let experiments = measured.delta_experiments.iter();
            standard_deviation(&experiments.map(|x| x[e] / unit).collect::<Vec<_>>())
        };
        let spread: Vec<f64> = elements.members.iter().filter_map(spread).collect();
        let abs: Vec<f64> = each.iter().map(|m| m.abs()).collect();
        let at = run.mean_at(k);
        let std_err = run.std_err[at];
        Self {
            mean: Some(mean),
            std_err: Some(std_err),
            p_value: p_value(mean, std_err, run.skewness(at), run.total.blocks),
            abs_mean: average(&abs),
            abs_max: abs.into_iter().reduce(f64::max),
            background: average(&spread),
        }
    }
}
