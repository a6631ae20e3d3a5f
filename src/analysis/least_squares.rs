//! This module has linear least squares: straight lines, and any number of terms.

use nalgebra::{ColPivQR, DMatrix, DVector, Dyn};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// `Line` is a straight line by weighted least squares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub slope: f64,
    /// Weighted sum of the squared distances of x from its mean.
    pub spread: f64,
    /// Weighted sum of the squared distances of y from its mean.
    pub total: f64,
    /// Weighted sum of the squared distances of y from the line.
    pub residual: f64,
}

impl Line {
    /// Fits the line through points (x, y, weight); `None` unless two have different x.
    pub fn new(points: &[(f64, f64, f64)]) -> Option<Self> {
        let sum =
            |f: &dyn Fn(&(f64, f64, f64)) -> f64| points.iter().map(|p| p.2 * f(p)).sum::<f64>();
        let weight = sum(&|_| 1.0);
        let (x, y) = (sum(&|p| p.0) / weight, sum(&|p| p.1) / weight);
        let spread = sum(&|p| (p.0 - x).powi(2));
        let slope = sum(&|p| (p.0 - x) * (p.1 - y)) / spread;
        (points.len() >= 2 && spread != 0.0).then(|| Self {
            slope,
            spread,
            total: sum(&|p| (p.1 - y).powi(2)),
            residual: sum(&|p| (p.1 - y - slope * (p.0 - x)).powi(2)),
        })
    }
}

/// `LogFit` is a straight line through log10 |y| against log10 x, by weighted least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogFit {
    /// Slope of the line.
    pub slope: f64,
    /// Standard error of the slope, from the points' errors.
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
        let line = Line::new(&rows)?;
        let fit = Self {
            slope: line.slope,
            std_err: line.spread.powf(-0.5),
            chi2: line.residual,
        };
        let finite = fit.slope.is_finite() && fit.std_err.is_finite() && fit.std_err > 0.0;
        finite.then_some(fit)
    }
}

/// `Terms` solves least squares on the columns of a matrix, for any number of right-hand sides.
pub(super) struct Terms {
    qr: ColPivQR<f64, Dyn, Dyn>,
    /// Lengths of the columns, which differ by powers of a cutoff.
    scales: Vec<f64>,
    /// Number of columns that are independent of each other.
    pub rank: usize,
}

impl Terms {
    /// Decomposes a matrix whose entries are good to 1e-11: columns that add less than 1e-9 to
    /// those before them, longest first, count as dependent.
    pub fn new(matrix: &DMatrix<f64>) -> Self {
        let scales: Vec<f64> = (matrix.column_iter())
            .map(|c| c.norm())
            .map(|norm| if norm > 0.0 { norm } else { 1.0 })
            .collect();
        let mut unit = matrix.clone();
        for (mut column, scale) in unit.column_iter_mut().zip(&scales) {
            column /= *scale;
        }
        let qr = unit.col_piv_qr();
        let r = qr.r();
        let rank = (0..scales.len())
            .take_while(|&k| r[(k, k)].abs() > 1e-9 * r[(0, 0)].abs())
            .count();
        Self { qr, scales, rank }
    }

    /// Returns the coefficients of the columns; those of dependent ones are zero.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn solve(&self, values: &[f64]) -> Result<DVector<f64>> {
        let projected = self.qr.q().transpose() * DVector::from_column_slice(values);
        let mut solution = DVector::zeros(self.scales.len());
        let rank = self.rank;
        if rank > 0 {
            let leading = self.qr.r().view((0, 0), (rank, rank)).into_owned();
            let solved = leading
                .solve_upper_triangular(&projected.rows(0, rank).into_owned())
                .ok_or_else(|| Error::NotFinite("the fit".into()))?;
            solution.rows_mut(0, rank).copy_from(&solved);
        }
        self.qr.p().inv_permute_rows(&mut solution);
        for (coefficient, scale) in solution.iter_mut().zip(&self.scales) {
            *coefficient /= scale;
        }
        Ok(solution)
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

    #[test]
    fn terms_of_any_size_and_those_that_repeat_others() {
        let x = [0.5, 1.0, 2.0, 3.5];
        // y = 3 - 2e8 (1e-8 x), and a third term that is the first two added up.
        let matrix = DMatrix::from_fn(4, 3, |r, c| match c {
            0 => 1.0,
            1 => 1e-8 * x[r],
            _ => 1.0 + 1e-8 * x[r],
        });
        let y = x.map(|x| 3.0 - 2.0 * x);
        let two = Terms::new(&matrix.columns(0, 2).into_owned());
        let solution = two.solve(&y).unwrap();
        assert_eq!(two.rank, 2);
        assert!((solution[0] - 3.0).abs() < 1e-12 && (solution[1] / -2e8 - 1.0).abs() < 1e-12);
        let three = Terms::new(&matrix);
        assert_eq!(three.rank, 2);
        let misses = &matrix * three.solve(&y).unwrap() - DVector::from_column_slice(&y);
        assert!(misses.norm() < 1e-6, "{misses}");
    }
}
