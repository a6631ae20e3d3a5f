use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::couplings::non_local;
use crate::tensor::multisets;
use crate::theory::VertexIntegrals;
use crate::{Error, Result};

/// A term of lambda as a function (arXiv:2008.08601v2):
/// dG^(4) = -(l0 T_0 + l2 T_2 + lNL T_NL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// T_0 = 24 int Delta.
    #[serde(rename = "l0")]
    Constant,
    /// T_2 = 24 int y^2 Delta.
    #[serde(rename = "l2")]
    Quadratic,
    /// T_NL = 8 sum over 3 pairings of int int k k (y) k k (z), from lNL (int f^2)^2.
    #[serde(rename = "lNL")]
    NonLocal,
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Constant => "l0",
            Self::Quadratic => "l2",
            Self::NonLocal => "lNL",
        })
    }
}

/// The source's three models.
pub const MODELS: [&[Term]; 3] = [
    &[Term::Constant],
    &[Term::Constant, Term::Quadratic],
    &[Term::Constant, Term::Quadratic, Term::NonLocal],
];

/// Errors of a fit over 4-tuples, in percent of dG^(4).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Misses {
    /// Mean absolute percentage error.
    pub mape: f64,
    /// Worst.
    pub max: f64,
}

/// Linear least squares of dG^(4) on some terms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FunctionFit {
    /// The terms.
    pub terms: Vec<Term>,
    /// Rank of the least-squares problem on the train inputs.
    pub rank: usize,
    /// One coefficient per term; `None` if the rank is too low for them to mean anything.
    pub coefficients: Option<Vec<f64>>,
    /// On the inputs that it was fitted to.
    pub train: Misses,
    /// On the others.
    pub test: Misses,
}

/// dG^(4) of each unique 4-tuple of some inputs, with their vertex integrals.
#[derive(Debug, Clone, Copy)]
pub struct Tuples<'a> {
    /// Number of input points.
    pub points: usize,
    /// dG^(4).
    pub four: &'a [f64],
    /// At the fit's cutoff.
    pub vertex: &'a VertexIntegrals,
}

impl Tuples<'_> {
    /// -T_k of every tuple, `[tuple][term]`.
    fn matrix(&self, terms: &[Term]) -> DMatrix<f64> {
        let tuples = multisets(self.points, 4);
        DMatrix::from_fn(tuples.len(), terms.len(), |m, k| -match terms[k] {
            Term::Constant => 24.0 * self.vertex.integral(&tuples[m]),
            Term::Quadratic => 24.0 * self.vertex.quadratic(&tuples[m]),
            Term::NonLocal => non_local(&tuples[m], self.vertex),
        })
    }

    fn misses(&self, predicted: &DVector<f64>) -> Misses {
        let percent: Vec<f64> = (self.four.iter().zip(predicted.iter()))
            .map(|(d, p)| 100.0 * ((p - d) / d).abs())
            .collect();
        Misses {
            mape: percent.iter().sum::<f64>() / percent.len() as f64,
            max: percent.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// Fits a model on the train tuples and tries it on the test tuples.
///
/// # Errors
/// [`Error::Invalid`] with fewer tuples than terms.
pub fn fit_function(terms: &[Term], train: Tuples, test: Tuples) -> Result<FunctionFit> {
    let full = train.matrix(terms);
    if full.nrows() < terms.len() {
        return Err(Error::invalid(
            "--inputs",
            format!("with {} points", train.points),
            format!(
                "{} unique 4-tuples cannot fix {} coefficients; give more points",
                full.nrows(),
                terms.len()
            ),
        ));
    }
    // Columns of unit length: terms differ by powers of the cutoff.
    let scales: Vec<f64> = (full.column_iter())
        .map(|c| c.norm())
        .map(|norm| if norm > 0.0 { norm } else { 1.0 })
        .collect();
    let mut unit = full.clone();
    for (mut column, scale) in unit.column_iter_mut().zip(&scales) {
        column /= *scale;
    }
    // Pivoted QR: the columns that matter come first; the integrals are good to 1e-11.
    let qr = unit.col_piv_qr();
    let r = qr.r();
    let rank = (0..terms.len())
        .take_while(|&k| r[(k, k)].abs() > 1e-9 * r[(0, 0)].abs())
        .count();
    let projected = qr.q().transpose() * DVector::from_column_slice(train.four);
    let mut solution = DVector::zeros(terms.len());
    if rank > 0 {
        let leading = r.view((0, 0), (rank, rank)).into_owned();
        let solved = (leading.solve_upper_triangular(&projected.rows(0, rank).into_owned()))
            .ok_or_else(|| Error::NotFinite("the fit".into()))?;
        solution.rows_mut(0, rank).copy_from(&solved);
    }
    qr.p().inv_permute_rows(&mut solution);
    for (coefficient, scale) in solution.iter_mut().zip(&scales) {
        *coefficient /= scale;
    }
    Ok(FunctionFit {
        terms: terms.to_vec(),
        rank,
        train: train.misses(&(&full * &solution)),
        test: test.misses(&(test.matrix(terms) * &solution)),
        coefficients: (rank == terms.len()).then(|| solution.iter().copied().collect()),
    })
}
