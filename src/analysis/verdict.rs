use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A verdict says whether a deviation from the GP is seen: whether the mean of m_n over elements
/// differs from zero by more than its own error explains.
///
/// The error comes from the block means of all experiments, and its distribution is Student's t
/// with blocks - 1 degrees of freedom, so that the verdict does not depend on how networks are
/// split into experiments. The source's background is another number: it says how far m_n
/// of a single experiment strays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// An interaction is seen: pure noise would say so in [`Verdict::FALSE_ALARMS`] of all runs.
    AboveBackground,
    /// No interaction is seen: consistent with the free theory at this number of networks.
    BelowBackground,
    /// There is one block of networks only, or m_n is undefined for every element.
    Undecided,
}

impl Verdict {
    /// The part of ensembles without a deviation that is called above the background: three
    /// standard errors of a normal distribution, both sides.
    pub const FALSE_ALARMS: f64 = 0.0027;

    /// Judges a mean by its two-sided p-value against zero.
    pub fn of(p_value: Option<f64>) -> Self {
        match p_value {
            Some(p) if p < Self::FALSE_ALARMS => Self::AboveBackground,
            Some(_) => Self::BelowBackground,
            None => Self::Undecided,
        }
    }
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

/// Returns the probability that noise alone puts a mean this far from zero, either way: Student's t
/// with `blocks` - 1 degrees of freedom, of the mean over its error after Hall's correction for the
/// skewness of the mean,
///
/// T = t + g t^2 / 3 + g^2 t^3 / 27 + g / 6
///
/// (Journal of the Royal Statistical Society B 54 (1992) 221). Products of many fields are
/// skewed: an average of few of them is too low more often than too high, with too small an error.
pub(super) fn p_value(mean: f64, std_err: f64, skewness: f64, blocks: u64) -> Option<f64> {
    let degrees = blocks.checked_sub(1).filter(|&d| d > 0)?;
    if std_err == 0.0 {
        return Some(if mean == 0.0 { 1.0 } else { 0.0 });
    }
    let (t, g) = (mean / std_err, skewness);
    let corrected = t + g * t * t / 3.0 + g * g * t.powi(3) / 27.0 + g / 6.0;
    let student = StudentsT::new(0.0, 1.0, degrees as f64).ok()?;
    Some(2.0 * student.cdf(-corrected.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_blocks_need_a_larger_deviation() {
        // Quantiles of Student's t at 0.135%: 6.62 with 4 degrees of freedom, 3.0 with many.
        for (blocks, limit) in [(5, 6.620), (321, 3.026), (1_000_000, 3.0)] {
            let verdict = |t: f64| Verdict::of(p_value(0.1 * t, 0.1, 0.0, blocks));
            assert_eq!(verdict(1.005 * limit), Verdict::AboveBackground, "{blocks}");
            assert_eq!(verdict(-0.995 * limit), Verdict::BelowBackground);
        }
        assert_eq!(Verdict::of(p_value(1.0, 0.1, 0.0, 1)), Verdict::Undecided);
        assert_eq!(
            Verdict::of(p_value(0.0, 0.0, 0.0, 9)),
            Verdict::BelowBackground
        );
    }

    #[test]
    fn a_skewed_mean_that_is_low_says_little() {
        let verdict = |t: f64| Verdict::of(p_value(t, 1.0, 0.3, 320));
        assert_eq!(verdict(-4.0), Verdict::BelowBackground);
        assert_eq!(verdict(-6.5), Verdict::AboveBackground);
        assert_eq!(verdict(2.5), Verdict::AboveBackground);
    }
}
