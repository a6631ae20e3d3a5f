use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::Samples;
use super::average::average;
use super::couplings::{Coupling, non_local};
use super::jackknife::jackknife;
use super::least_squares::Terms;
use crate::tensor::multisets;
use crate::theory::VertexIntegrals;
use crate::{Error, Result};

/// A term is a part of lambda as a function (arXiv:2008.08601v2):
/// dG^(4) = -(l0 T_0 + l2 T_2 + lNL T_NL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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

/// The three models of the source.
pub const MODELS: [&[Term]; 3] = [
    &[Term::Constant],
    &[Term::Constant, Term::Quadratic],
    &[Term::Constant, Term::Quadratic, Term::NonLocal],
];

/// `Misses` says how far a fit is from dG^(4) over the 4-tuples, in percent of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Misses {
    /// Mean absolute percentage error; `None` if there is nothing to hold the fit against.
    pub mape: Option<f64>,
    /// Standard error of `mape` (delete-one jackknife); 0 for exact moments, `None` with one experiment.
    pub std_err: Option<f64>,
    /// Mean standard error of the misses: the part of `mape` that the networks' noise makes.
    pub noise: Option<f64>,
    /// Worst absolute percentage error; `None` if there is nothing to hold the fit against.
    pub max: Option<f64>,
    /// Number of tuples left out because their dG^(4) is zero within its error.
    pub unmeasured: usize,
}

/// `FunctionFit` is a linear least-squares fit of dG^(4) with some terms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionFit {
    /// Terms of the model.
    pub terms: Vec<Term>,
    /// Rank of the least-squares problem on the train inputs.
    pub rank: usize,
    /// Coefficients, one per term; `None` if the rank is too low for them to mean anything.
    pub coefficients: Option<Vec<f64>>,
    /// Standard errors of the coefficients over the experiments; 0 for exact moments, `None` with one
    /// experiment.
    pub coefficients_std_err: Option<Vec<f64>>,
    /// Whether the mean coupling is not zero within its error on either inputs: else the misses
    /// are left out.
    pub measured: bool,
    /// Misses on the inputs that the model was fitted to.
    pub train: Misses,
    /// Misses on the other inputs.
    pub test: Misses,
}

/// `FitSet` is what a fit is made to or tried on: dG^(4) of each unique 4-tuple of some inputs,
/// with their vertex integrals.
#[derive(Debug, Clone, Copy)]
pub struct FitSet<'a> {
    /// Number of input points.
    pub points: usize,
    /// Samples of dG^(4).
    pub four: &'a Samples,
    /// Vertex integrals at the fit's cutoff.
    pub vertex: &'a VertexIntegrals,
}

impl FitSet<'_> {
    /// Makes the matrix of -T_k of every tuple, `[tuple][term]`.
    fn matrix(&self, terms: &[Term]) -> DMatrix<f64> {
        let tuples = multisets(self.points, 4);
        DMatrix::from_fn(tuples.len(), terms.len(), |m, k| -match terms[k] {
            Term::Constant => 24.0 * self.vertex.integral(&tuples[m]),
            Term::Quadratic => 24.0 * self.vertex.quadratic(&tuples[m]),
            Term::NonLocal => non_local(&tuples[m], self.vertex),
        })
    }

    fn is_measured(&self) -> bool {
        Coupling::measure(self.points, self.four, self.vertex).is_some_and(|l| l.measured)
    }

    /// Tells whether each dG^(4) is not zero within its error.
    fn seen(&self, without: &[Vec<f64>]) -> Vec<bool> {
        (self.four.mean.iter().enumerate())
            .map(|(m, &d)| {
                let values: Vec<f64> = without.iter().map(|w| w[m]).collect();
                let blocks = self.four.std_err.get(m).copied();
                d != 0.0 && self.four.stands_out(d, jackknife(&values), blocks)
            })
            .collect()
    }
}

/// Returns the signed misses in percent, of the tuples that are seen.
fn percent(four: &[f64], predicted: &DVector<f64>, seen: &[bool]) -> Vec<f64> {
    (four.iter().zip(predicted.iter()).zip(seen))
        .filter(|(_, seen)| **seen)
        .map(|((d, p), _)| 100.0 * (p - d) / d)
        .collect()
}

/// Fits a model on the train tuples and tries it on the test tuples.
///
/// # Errors
/// [`Error::Invalid`] with fewer tuples than terms.
pub fn fit_function(terms: &[Term], train: FitSet, test: FitSet) -> Result<FunctionFit> {
    let full = train.matrix(terms);
    if full.nrows() < terms.len() {
        return Err(Error::invalid(
            "inputs",
            format!("with {} points", train.points),
            format!(
                "{} unique 4-tuples cannot fix {} coefficients; give more points",
                full.nrows(),
                terms.len()
            ),
        ));
    }
    let fit = Terms::new(&full);
    let solution = fit.solve(&train.four.mean)?;
    let train_without = train.four.leave_one_out();
    let without: Vec<DVector<f64>> = (train_without.iter())
        .map(|four| fit.solve(four))
        .collect::<Result<_>>()?;
    let measured = train.is_measured() && test.is_measured();
    let is_exact = train.four.is_exact();
    let error = |values: &[f64]| {
        if is_exact {
            Some(0.0)
        } else {
            jackknife(values)
        }
    };
    let misses = |of: &FitSet, matrix: &DMatrix<f64>, left_out: &[Vec<f64>]| -> Misses {
        let mut seen = of.seen(left_out);
        if !measured {
            seen.fill(false);
        }
        let all = percent(&of.four.mean, &(matrix * &solution), &seen);
        // Experiments of the same number are of the same networks at other inputs.
        let each: Vec<Vec<f64>> = (left_out.iter().zip(&without))
            .map(|(four, solution)| percent(four, &(matrix * solution), &seen))
            .collect();
        let size = |misses: &[f64]| average(&misses.iter().map(|p| p.abs()).collect::<Vec<_>>());
        let means: Vec<f64> = each.iter().filter_map(|misses| size(misses)).collect();
        let errors: Option<Vec<f64>> = (0..all.len())
            .map(|m| error(&each.iter().map(|misses| misses[m]).collect::<Vec<_>>()))
            .collect();
        Misses {
            mape: size(&all),
            std_err: size(&all).and_then(|_| error(&means)),
            noise: errors.and_then(|e| average(&e)),
            max: all.iter().map(|p| p.abs()).reduce(f64::max),
            unmeasured: seen.iter().filter(|s| !**s).count(),
        }
    };
    let determined = fit.rank == terms.len();
    Ok(FunctionFit {
        terms: terms.to_vec(),
        rank: fit.rank,
        measured,
        train: misses(&train, &full, &train_without),
        test: misses(&test, &test.matrix(terms), &test.four.leave_one_out()),
        coefficients: determined.then(|| solution.iter().copied().collect()),
        coefficients_std_err: (0..terms.len())
            .map(|k| error(&without.iter().map(|s| s[k]).collect::<Vec<_>>()))
            .collect::<Option<Vec<f64>>>()
            .filter(|_| determined),
    })
}
