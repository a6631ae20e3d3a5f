use serde::{Deserialize, Serialize};

/// Straight line through log10 |y| against log10 x, by weighted least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogFit {
    /// Slope.
    pub slope: f64,
    /// Its standard error, from the points' errors.
    pub std_err: f64,
    /// Sum of squared residuals in units of the points' errors.
    pub chi2: f64,
}

impl LogFit {
    /// Fits points (x, y, standard error of y), x > 0. `None` unless two have different x
    /// and all have errors above zero.
    pub fn new(points: &[(f64, f64, f64)]) -> Option<Self> {
        // To first order the error of log10 |y| is that of y over |y| ln 10.
        let rows: Vec<(f64, f64, f64)> = (points.iter())
            .map(|&(x, y, error)| {
                let weight = (y.abs() * std::f64::consts::LN_10 / error).powi(2);
                (x.log10(), y.abs().log10(), weight)
            })
            .collect();
        let sum =
            |f: &dyn Fn(&(f64, f64, f64)) -> f64| rows.iter().map(|r| r.2 * f(r)).sum::<f64>();
        let total = sum(&|_| 1.0);
        let (x, y) = (sum(&|r| r.0) / total, sum(&|r| r.1) / total);
        let spread = sum(&|r| (r.0 - x).powi(2));
        let slope = sum(&|r| (r.0 - x) * (r.1 - y)) / spread;
        let fit = Self {
            slope,
            std_err: spread.powf(-0.5),
            chi2: sum(&|r| (r.1 - y - slope * (r.0 - x)).powi(2)),
        };
        let finite = fit.slope.is_finite() && fit.std_err.is_finite() && fit.std_err > 0.0;
        (rows.len() >= 2 && finite).then_some(fit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law() {
        let at = |x: f64| (x, -3.0 * x.powf(-1.5), 0.01 * x.powf(-1.5));
        let fit = LogFit::new(&[2.0, 5.0, 70.0].map(at)).unwrap();
        assert!((fit.slope + 1.5).abs() < 1e-12 && fit.chi2 < 1e-20);
        // Equal relative errors: the ordinary formula.
        let logs = [2.0f64, 5.0, 70.0].map(f64::log10);
        let mean = logs.iter().sum::<f64>() / 3.0;
        let spread: f64 = logs.iter().map(|x| (x - mean).powi(2)).sum();
        let sigma = 0.01 / 3.0 / std::f64::consts::LN_10;
        assert!((fit.std_err / (sigma / spread.sqrt()) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn points_that_fix_no_line() {
        assert_eq!(LogFit::new(&[]), None);
        assert_eq!(LogFit::new(&[(2.0, 1.0, 0.1)]), None);
        assert_eq!(LogFit::new(&[(2.0, 1.0, 0.1), (2.0, 1.1, 0.1)]), None);
        assert_eq!(LogFit::new(&[(2.0, 1.0, 0.0), (3.0, 1.0, 0.1)]), None);
        assert_eq!(LogFit::new(&[(2.0, 0.0, 0.1), (3.0, 1.0, 0.1)]), None);
    }
}
