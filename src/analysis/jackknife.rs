//! This module has the errors of what is made of the experiments' means: delete-one jackknife,
//! Student's t, Fieller.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::average::standard_deviation;

/// The probability that a normal number is within three standard deviations.
pub(crate) const THREE_SIGMA: f64 = 0.997_300_203_936_74;

/// Returns how many standard errors hold with the probability of three standard deviations, 99.73%,
/// where they are estimated with so many degrees of freedom: 235.8 with 1, 19.2 with 2, 4.09 with
/// 9, 3 with many.
pub fn three_sigma(degrees_of_freedom: usize) -> f64 {
    let t = StudentsT::new(0.0, 1.0, degrees_of_freedom.max(1) as f64).expect("above zero");
    t.inverse_cdf(0.5 + THREE_SIGMA / 2.0)
}

/// Returns the probability that a number is within three of its standard errors if they are
/// estimated with so many degrees of freedom.
pub fn within_three_errors(degrees_of_freedom: usize) -> f64 {
    let t = StudentsT::new(0.0, 1.0, degrees_of_freedom.max(1) as f64).expect("above zero");
    2.0 * t.cdf(3.0) - 1.0
}

/// Returns the standard error of a statistic from its values with one experiment left out (Tukey):
/// sqrt((n - 1) / n sum (theta_e - mean)^2). Of a mean it is the ordinary one. `None` with fewer
/// than two.
pub(super) fn jackknife(without: &[f64]) -> Option<f64> {
    let n = without.len() as f64;
    let error = standard_deviation(without)? * (n - 1.0) / n.sqrt();
    error.is_finite().then_some(error)
}

/// Returns the quadratic mean of the jackknife errors of several statistics, from their values
/// `[left out][statistic]`.
pub(super) fn jackknife_rms(without: &[Vec<f64>]) -> Option<f64> {
    let statistics = without.first()?.len();
    let errors: Option<Vec<f64>> = (0..statistics)
        .map(|k| jackknife(&without.iter().map(|w| w[k]).collect::<Vec<_>>()))
        .collect();
    let squares = errors?.iter().map(|e| e * e).sum::<f64>();
    (statistics > 0).then(|| (squares / statistics as f64).sqrt())
}

/// Returns Fieller's interval of mean(a) / mean(b) at `t` standard errors, from the values of both
/// in each experiment. `None` where the denominator is zero within its error: the set that the data
/// allow is then not an interval.
pub(super) fn fieller(a: &[f64], b: &[f64], t: f64) -> Option<[f64; 2]> {
    if a.len() < 2 || a.len() != b.len() {
        return None;
    }
    let n = a.len() as f64;
    // In units of the largest values, so that nothing under- or overflows.
    let size = |x: &[f64]| x.iter().fold(f64::MIN_POSITIVE, |s, x| s.max(x.abs()));
    let (unit_a, unit_b) = (size(a), size(b));
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let a: Vec<f64> = a.iter().map(|x| x / unit_a).collect();
    let b: Vec<f64> = b.iter().map(|x| x / unit_b).collect();
    let mb = mean(&b);
    let ratio = mean(&a) / mb;
    // All s with (s mb)^2 <= t^2 var(z - s b), where z = a - ratio b has mean zero.
    let z: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - ratio * b).collect();
    let b: Vec<f64> = b.iter().map(|b| b - mb).collect();
    let covariance = |x: &[f64], y: &[f64]| {
        let sum: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
        t * t * sum / (n * (n - 1.0))
    };
    let (zz, zb) = (covariance(&z, &z), covariance(&z, &b));
    let square = mb * mb - covariance(&b, &b);
    let root = (zb * zb + square * zz).sqrt();
    let ends = [-root, root].map(|r| (ratio + (r - zb) / square) * (unit_a / unit_b));
    (square > 0.0 && ends.iter().all(|x| x.is_finite())).then_some(ends)
}

/// Returns a standard error of mean(a) / mean(b) such that three of them cover as three of
/// Student's do: the jackknife's, or a third of the longer side of Fieller's interval at three, if
/// that is more, as it is where the denominator is not well known.
pub(super) fn ratio_error(jackknife: Option<f64>, ratio: f64, a: &[f64], b: &[f64]) -> Option<f64> {
    let reach = fieller(a, b, 3.0).map(|[low, high]| (high - ratio).max(ratio - low) / 3.0);
    jackknife.map(|error| error.max(reach.unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_students_t() {
        // SciPy's stats.t.ppf(1 - 0.0026997960632602/2, n).
        for (n, t) in [
            (1, 235.801_50),
            (2, 19.206_744),
            (3, 9.218_940),
            (9, 4.094_255),
            (99, 3.077_549),
        ] {
            assert!(
                (three_sigma(n) / t - 1.0).abs() < 1e-4,
                "{n} {}",
                three_sigma(n)
            );
        }
        assert!((within_three_errors(9) - 0.985_04).abs() < 1e-4);
        assert!((within_three_errors(1) - 0.795_17).abs() < 1e-4);
    }

    #[test]
    fn of_a_mean_it_is_the_ordinary_error() {
        let x = [1.0f64, 4.0, -2.0, 0.5, 3.0];
        let sum: f64 = x.iter().sum();
        let without: Vec<f64> = x.iter().map(|x| (sum - x) / 4.0).collect();
        let want = standard_deviation(&x).unwrap() / 5f64.sqrt();
        assert!((jackknife(&without).unwrap() / want - 1.0).abs() < 1e-12);
        assert_eq!(jackknife(&[1.0]), None);
    }

    #[test]
    fn ends_of_the_interval_are_at_t_errors() {
        let a = [1.1, 0.7, 1.4, 0.9, 1.2, 1.05];
        let b = [2.3, 1.6, 2.9, 2.2, 2.0, 2.4];
        let t = 3.0;
        for r in fieller(&a, &b, t).unwrap() {
            // There the mean of a - r b is t of its errors from zero.
            let z: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - r * b).collect();
            let mean = z.iter().sum::<f64>() / 6.0;
            let error = standard_deviation(&z).unwrap() / 6f64.sqrt();
            assert!((mean.abs() / (t * error) - 1.0).abs() < 1e-9);
        }
        let noise = [2.3, -1.6, 2.9, -2.2, 2.0, -2.4];
        assert_eq!(fieller(&a, &noise, t), None);
        assert_eq!(fieller(&a[..1], &b[..1], t), None);
        // A numerator that does not fluctuate, and vanishes.
        assert_eq!(fieller(&[0.0; 6], &b, t), Some([0.0, 0.0]));
        // One that goes with the denominator: no more than rounding is left.
        let same = b.map(|b| -5.0 * b);
        let [low, high] = fieller(&same, &b, t).unwrap();
        assert!((low + 5.0).abs() < 1e-14 && (high + 5.0).abs() < 1e-14);
    }

    #[test]
    fn the_error_of_a_ratio_grows_with_its_denominator_s() {
        let a = [1.1, 0.7, 1.4, 0.9, 1.2, 1.05];
        let error = |b: [f64; 6]| {
            let ratio = a.iter().sum::<f64>() / b.iter().sum::<f64>();
            ratio_error(Some(0.0), ratio, &a, &b).unwrap() / ratio
        };
        let exact = error([2.0; 6]);
        let mean = a.iter().sum::<f64>() / 6.0;
        let want = standard_deviation(&a).unwrap() / 6f64.sqrt() / mean;
        assert!((exact / want - 1.0).abs() < 1e-12);
        assert!(error([1.6, 2.9, 1.6, 2.4, 2.3, 2.2]) > 1.1 * exact);
        assert!(error([0.6, 4.3, 0.6, 3.2, 2.9, 2.4]) > 2.0 * exact);
    }
}
