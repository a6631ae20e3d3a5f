//! Powers of N by which trained networks deviate from those of infinite width.

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma_ur;

use super::TrainedWidth;
use super::groups::Estimates;
use crate::analysis::LogFit;

/// A deviation that is not this many errors from zero is none that a line goes through.
const SEEN: f64 = 3.0;

/// `Deviation` holds what differs at one width from infinite width, field by field, in units of its size.
#[derive(Debug, Clone)]
pub struct Deviation {
    of: &'static str,
    estimates: Estimates,
    known: Vec<f64>,
    unit: Vec<f64>,
}

impl Deviation {
    pub(super) fn new(of: &'static str, estimates: Estimates, known: &[f64], unit: &[f64]) -> Self {
        Self {
            of,
            estimates,
            known: known.to_vec(),
            unit: unit.to_vec(),
        }
    }

    /// The deviation of every field; zero where there is nothing to vary.
    fn of_fields(&self, values: &[f64]) -> Vec<f64> {
        let all = values.iter().zip(&self.known).zip(&self.unit);
        all.map(|((x, known), unit)| (x - known) / unit)
            .map(|d| if d.is_finite() { d } else { 0.0 })
            .collect()
    }

    /// The length of the deviation along that of another width, with its error.
    fn along(&self, other: &Self) -> (f64, f64) {
        let direction = other.of_fields(&other.estimates.values);
        let length = direction
            .iter()
            .map(|d| d * d)
            .sum::<f64>()
            .sqrt()
            .max(f64::MIN_POSITIVE);
        let projected = |values: &[f64]| -> f64 {
            let own = self.of_fields(values);
            own.iter()
                .zip(&direction)
                .map(|(a, b)| a * b / length)
                .sum()
        };
        (
            projected(&self.estimates.values),
            self.estimates.error(&projected),
        )
    }
}

/// `TrainedFit` is the power of N by which something deviates from infinite width after some steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainedFit {
    /// Number of steps.
    pub step: u64,
    /// What deviates: mean, variance or kurtosis.
    pub of: Cow<'static, str>,
    /// Slope of log10 |deviation| against log10 N; theory: -1 as N grows.
    pub slope: Option<f64>,
    /// Standard error of the slope.
    pub std_err: Option<f64>,
    /// Sum of squared residuals, in units of the errors: large where N is too small for one power.
    pub chi2: Option<f64>,
    /// Slope between the two largest widths.
    pub last_slope: Option<f64>,
    /// Standard error of `last_slope`.
    pub last_std_err: Option<f64>,
    /// The deviation as a series in 1 / N, over all widths; `None` with fewer than three.
    pub series: Option<Series>,
    /// Size of the deviation at each width, along that of another width, in units of untrained fields; ascending in
    /// the width.
    pub deviation: Vec<f64>,
    /// Standard error of `deviation`.
    pub deviation_std_err: Vec<f64>,
    /// Widths at which the deviation differs from zero by more than three errors.
    pub widths_used: Vec<u64>,
}

/// `Series` is a deviation as a / N + b / N^2 + c / N^3 by weighted least squares, without the last term for three
/// widths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Series {
    /// Coefficients a, b, c.
    pub coefficients: Vec<f64>,
    /// Standard errors of `coefficients`.
    pub std_err: Vec<f64>,
    /// Sum of squared residuals, in units of the errors.
    pub chi2: f64,
    /// Number of widths less that of terms: what `chi2` is about if the series holds.
    pub degrees_of_freedom: usize,
    /// Probability of a larger `chi2` if the series holds.
    pub p_value: f64,
}

/// Terms of a series.
const TERMS: usize = 3;

impl Series {
    /// Fits points (N, deviation, standard error) at different widths, of which the first is the smallest.
    fn new(points: &[(f64, f64, f64)]) -> Option<Self> {
        let (first, terms) = (points.first()?.0, TERMS.min(points.len() - 1));
        if terms < 2 {
            return None;
        }
        // In units of the smallest width, and of the errors.
        let row = |&(n, _, error): &(f64, f64, f64), k: i32| (first / n).powi(k + 1) / error;
        let matrix = DMatrix::from_fn(points.len(), terms, |p, k| row(&points[p], k as i32));
        let values = DVector::from_iterator(points.len(), points.iter().map(|(_, y, e)| y / e));
        let inverse = (matrix.transpose() * &matrix).cholesky()?.inverse();
        let solution = &inverse * matrix.transpose() * &values;
        let unit = |k: usize| first.powi(k as i32 + 1);
        let (chi2, freedom) = (
            (values - matrix * &solution).norm_squared(),
            points.len() - terms,
        );
        let fit = Self {
            coefficients: (0..terms).map(|k| solution[k] * unit(k)).collect(),
            std_err: (0..terms)
                .map(|k| inverse[(k, k)].sqrt() * unit(k))
                .collect(),
            p_value: gamma_ur(0.5 * freedom as f64, (0.5 * chi2).max(f64::MIN_POSITIVE)),
            chi2,
            degrees_of_freedom: freedom,
        };
        let all = [
            &fit.coefficients[..],
            &fit.std_err,
            &[fit.chi2, fit.p_value],
        ]
        .concat();
        all.iter().all(|x| x.is_finite()).then_some(fit)
    }
}

/// Fits the deviations of several widths.
pub fn fits(widths: &[TrainedWidth]) -> Vec<TrainedFit> {
    let mut sorted: Vec<&TrainedWidth> = widths.iter().collect();
    sorted.sort_by_key(|w| w.width);
    sorted.dedup_by_key(|w| w.width);
    let [first, _, ..] = sorted[..] else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (k, step) in first.steps.iter().enumerate() {
        for j in 0..step.deviations.len() {
            let at = |i: usize| sorted[i].steps[k].deviations.get(j);
            let Some(deviations) = (0..sorted.len()).map(at).collect::<Option<Vec<_>>>() else {
                continue;
            };
            let along: Vec<(f64, f64)> = (deviations.iter().enumerate())
                // That of the smallest width has the least noise; its own noise would only add up.
                .map(|(i, deviation)| deviation.along(deviations[usize::from(i == 0)]))
                .collect();
            let points: Vec<(f64, f64, f64)> = (sorted.iter().zip(&along))
                .filter(|(_, (size, error))| *size > SEEN * error)
                .map(|(w, &(size, error))| (w.width as f64, size, error))
                .collect();
            let every: Vec<(f64, f64, f64)> = (sorted.iter().zip(&along))
                .map(|(w, &(size, error))| (w.width as f64, size, error))
                .collect();
            let fit = LogFit::new(&points);
            let last = LogFit::new(&points[points.len().saturating_sub(2)..]);
            all.push(TrainedFit {
                step: step.step,
                of: deviations[0].of.into(),
                slope: fit.map(|f| f.slope),
                std_err: fit.map(|f| f.std_err),
                // A line goes through any two points.
                chi2: fit.filter(|_| points.len() > 2).map(|f| f.chi2),
                last_slope: last.map(|f| f.slope),
                last_std_err: last.map(|f| f.std_err),
                series: Series::new(&every),
                deviation: along.iter().map(|a| a.0).collect(),
                deviation_std_err: along.iter().map(|a| a.1).collect(),
                widths_used: points.iter().map(|p| p.0 as u64).collect(),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_found_with_its_errors() {
        const WIDTHS: [f64; 5] = [20.0, 50.0, 100.0, 200.0, 400.0];
        let at = |n: f64| (n, 3.0 / n - 20.0 / (n * n) + 90.0 / (n * n * n), 0.01);
        let fit = Series::new(&WIDTHS.map(at)).unwrap();
        for (got, want) in fit.coefficients.iter().zip([3.0, -20.0, 90.0]) {
            assert!((got / want - 1.0).abs() < 1e-8, "{fit:?}");
        }
        assert!(fit.chi2 < 1e-12 && fit.degrees_of_freedom == 2);
        assert_eq!(
            Series::new(&WIDTHS.map(at)[..3])
                .unwrap()
                .coefficients
                .len(),
            2
        );
        assert_eq!(Series::new(&WIDTHS.map(at)[..2]), None);
        // Of two degrees of freedom chi^2 is exponential.
        let mut moved = WIDTHS.map(at);
        (moved[1].1, moved[3].1) = (moved[1].1 + 0.03, moved[3].1 - 0.02);
        let moved = Series::new(&moved).unwrap();
        assert!(moved.chi2 > 1.0, "{moved:?}");
        assert!((moved.p_value - (-0.5 * moved.chi2).exp()).abs() < 1e-12);
        // Shifts of one point by one error at a time add up to the errors.
        let mut squares = [0.0; TERMS];
        for k in 0..WIDTHS.len() {
            let mut points = WIDTHS.map(at);
            points[k].1 += 0.01;
            let moved = Series::new(&points).unwrap();
            for (j, square) in squares.iter_mut().enumerate() {
                *square += (moved.coefficients[j] - fit.coefficients[j]).powi(2);
            }
        }
        for (square, error) in squares.iter().zip(&fit.std_err) {
            assert!((square.sqrt() / error - 1.0).abs() < 1e-6);
        }
    }
}
