use serde::{Deserialize, Serialize};

use super::average::average;
use super::couplings::{Coupling, Matching};
use super::jackknife::{fieller, jackknife, ratio_error, three_sigma};
use super::{Interactions, Samples};
use crate::tensor::multisets;
use crate::theory::{VertexIntegrals, gp_correlator};

/// `SixPoint` is the 6-point function predicted from the mean coupling, in ratios over its
/// elements.
///
/// All are ratios of means over the experiments, with errors of as many degrees of freedom as the
/// coupling's: by the delete-one jackknife, and for delta never less than a third of what Fieller's
/// interval at three errors says. Nothing is divided by a coupling that is zero within its error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SixPoint {
    /// delta = dG^(6) / (-24 lambda sum over 15 pairs of K int Delta): 1 if the EFT predicts it.
    /// `None` if lambda was not measured.
    pub delta_mean: Option<f64>,
    /// Standard error of `delta_mean` over the experiments; 0 for exact moments, `None` with one
    /// experiment.
    pub delta_std_err: Option<f64>,
    /// Fieller's interval of `delta_mean` at 99.73% (three normal standard errors); `None` where it
    /// is unbounded, and for exact moments.
    pub delta_interval: Option<[f64; 2]>,
    /// Smallest delta over the elements.
    pub delta_min: Option<f64>,
    /// Largest delta over the elements.
    pub delta_max: Option<f64>,
    /// Mean of G_GP / G^(6); `None` if a measured G^(6) is zero within its error.
    pub gp_ratio_mean: Option<f64>,
    /// Standard error of `gp_ratio_mean`.
    pub gp_ratio_std_err: Option<f64>,
    /// Mean of (G_GP + prediction) / G^(6); `None` if a measured G^(6) is zero within its error, or
    /// if lambda was not measured.
    pub ratio_mean: Option<f64>,
    /// Standard error of `ratio_mean`.
    pub ratio_std_err: Option<f64>,
    /// delta of each unique 6-tuple; `None` where the prediction vanishes.
    pub delta: Vec<Option<f64>>,
    /// Standard error of the delta of each 6-tuple.
    pub delta_std_errs: Vec<Option<f64>>,
    /// Number of 6-tuples whose prediction vanishes, within the error of its integrals: left out of
    /// mean and extremes.
    pub delta_undefined: usize,
    /// G_GP / G^(6) of each 6-tuple; `None` where G^(6) is zero within its error.
    pub gp_ratio: Vec<Option<f64>>,
    /// (G_GP + prediction) / G^(6) of each 6-tuple; `None` where G^(6) is zero within its error.
    pub ratio: Vec<Option<f64>>,
    /// Number of 6-tuples whose G^(6) is zero within its error: both ratios have no such element.
    /// If it is noise that hides it they have no mean either, which would be one over a choice of
    /// noise.
    pub ratio_undefined: usize,
    /// The parts of delta - 1 (exact moments only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<Misfit>,
}

/// `Misfit` is delta - 1, averaged over elements, in its two parts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Misfit {
    /// Part from taking lambda as one number: the disconnected part with each tuple's own coupling,
    /// against that with the mean.
    pub constant_lambda: f64,
    /// Part of the connected 6-point function, which lambda at tree level does not make: kappa.
    pub kappa: f64,
    /// Mean of kappa_m = -G_c^(6) / (720 int k^6) over 6-tuples.
    pub kappa_mean: f64,
}

impl SixPoint {
    /// Holds the 6-point function against the tree-level prediction with one coupling; `kernel` is
    /// the kernel at the points, shape `[points][points]`, in whose place a 2-point function that is
    /// not the kernel steps. `None` if the function was not measured or is predicted to vanish
    /// everywhere.
    pub fn predict(
        kernel: &[Vec<f64>],
        interactions: &Interactions,
        vertex: &VertexIntegrals,
    ) -> Option<Self> {
        let kernel = interactions.two.as_deref().unwrap_or(kernel);
        let points = kernel.len();
        let (four, six) = (&interactions.four, interactions.six.as_ref()?);
        let lambda = Coupling::measure(points, four, vertex)?;
        let trees = Trees::new(kernel, vertex);
        if trees.vertices.iter().flatten().count() == 0 || (four.is_exact() && lambda.mean == 0.0) {
            return None;
        }
        let matching = Matching::new(points, vertex);
        let measured = Measured {
            couplings: four
                .experiments
                .iter()
                .filter_map(|f| matching.mean(f))
                .collect(),
            without: (four.leave_one_out().iter().zip(six.leave_one_out()))
                .filter_map(|(four, six)| Some((matching.mean(four)?, six)))
                .collect(),
            seen: seen(six, &trees.gp),
            trees: &trees,
            lambda: &lambda,
            six,
        };
        let (delta, gp_ratio, ratio) = (measured.delta(), measured.gp_ratio(), measured.ratio());
        let delta_mean = delta.mean();
        let misfit = interactions.connected_six.as_ref().and_then(|connected| {
            let share = mean(&trees.delta(lambda.mean, connected))?;
            Some(Misfit {
                constant_lambda: delta_mean? - 1.0 - share,
                kappa: share,
                kappa_mean: trees.kappa(connected, vertex)?,
            })
        });
        // A mean over the elements that noise has left would be one of another set.
        let whole = six.is_exact() || measured.seen.iter().all(|s| *s);
        Some(Self {
            delta_mean,
            delta_std_err: delta.mean_error(),
            delta_interval: delta.interval(lambda.degrees_of_freedom),
            delta_min: delta.extreme(f64::min),
            delta_max: delta.extreme(f64::max),
            gp_ratio_mean: gp_ratio.mean().filter(|_| whole),
            gp_ratio_std_err: gp_ratio.mean_error().filter(|_| whole),
            ratio_mean: ratio.mean().filter(|_| whole),
            ratio_std_err: ratio.mean_error().filter(|_| whole),
            delta_std_errs: delta.errors(),
            delta_undefined: trees.vertices.iter().filter(|v| v.is_none()).count(),
            ratio_undefined: measured.seen.iter().filter(|s| !**s).count(),
            delta: delta.values,
            gp_ratio: gp_ratio.values,
            ratio: ratio.values,
            misfit,
        })
    }
}

/// `Measured` is the 6-point function beside the coupling.
struct Measured<'a> {
    trees: &'a Trees,
    lambda: &'a Coupling,
    six: &'a Samples,
    /// Coupling in each experiment.
    couplings: Vec<f64>,
    /// Coupling and dG^(6) with one experiment left out.
    without: Vec<(f64, Vec<f64>)>,
    /// Whether G^(6) is not zero within its error.
    seen: Vec<bool>,
}

impl Measured<'_> {
    fn over(&self, of: impl Fn(f64, &[f64]) -> Vec<Option<f64>>) -> Ratios {
        Ratios {
            values: of(self.lambda.mean, &self.six.mean),
            without: self.without.iter().map(|(l, six)| of(*l, six)).collect(),
            is_exact: self.six.is_exact(),
            numerators: Vec::new(),
            denominators: Vec::new(),
        }
    }

    fn unmeasured(&self) -> Ratios {
        Ratios {
            values: vec![None; self.six.mean.len()],
            ..self.over(|_, _| Vec::new())
        }
    }

    fn delta(&self) -> Ratios {
        if !self.lambda.measured {
            return self.unmeasured();
        }
        let trees = self.trees;
        Ratios {
            numerators: self
                .six
                .experiments
                .iter()
                .map(|six| trees.delta(1.0, six))
                .collect(),
            denominators: self.couplings.clone(),
            ..self.over(|lambda, six| trees.delta(lambda, six))
        }
    }

    fn gp_ratio(&self) -> Ratios {
        self.over_full(|_, e| self.trees.gp[e])
    }

    fn ratio(&self) -> Ratios {
        match self.lambda.measured {
            true => self.over_full(|lambda, e| self.trees.gp[e] + self.trees.prediction(lambda, e)),
            false => self.unmeasured(),
        }
    }

    fn over_full(&self, numerator: impl Fn(f64, usize) -> f64) -> Ratios {
        self.over(|lambda, six| {
            (six.iter().enumerate())
                .map(|(e, d)| self.seen[e].then(|| numerator(lambda, e) / (self.trees.gp[e] + d)))
                .map(|ratio| ratio.filter(|r| r.is_finite()))
                .collect()
        })
    }
}

/// `Ratios` holds the ratios of each element, and again with one experiment left out.
struct Ratios {
    values: Vec<Option<f64>>,
    without: Vec<Vec<Option<f64>>>,
    is_exact: bool,
    /// Numerators in each experiment, where numerators and their common denominator are linear in
    /// the moments; else none.
    numerators: Vec<Vec<Option<f64>>>,
    denominators: Vec<f64>,
}

impl Ratios {
    fn mean(&self) -> Option<f64> {
        mean(&self.values)
    }

    fn extreme(&self, pick: fn(f64, f64) -> f64) -> Option<f64> {
        self.values.iter().flatten().copied().reduce(pick)
    }

    /// Returns the standard error of some function of the elements.
    fn error(&self, of: impl Fn(&[Option<f64>]) -> Option<f64>) -> Option<f64> {
        let value = of(&self.values)?;
        if self.is_exact {
            return Some(0.0);
        }
        let without: Option<Vec<f64>> = self.without.iter().map(|w| of(w)).collect();
        let numerators: Vec<f64> = self.numerators.iter().filter_map(|n| of(n)).collect();
        ratio_error(jackknife(&without?), value, &numerators, &self.denominators)
    }

    fn mean_error(&self) -> Option<f64> {
        self.error(mean)
    }

    fn errors(&self) -> Vec<Option<f64>> {
        (0..self.values.len())
            .map(|e| self.error(|of| of[e]))
            .collect()
    }

    /// Returns Fieller's interval of the mean.
    fn interval(&self, degrees_of_freedom: Option<usize>) -> Option<[f64; 2]> {
        self.mean()?;
        let numerators: Vec<f64> = self.numerators.iter().filter_map(|n| mean(n)).collect();
        fieller(
            &numerators,
            &self.denominators,
            three_sigma(degrees_of_freedom?),
        )
    }
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    average(&values.iter().flatten().copied().collect::<Vec<_>>())
}

/// Tells whether each G^(6) is not zero within its error.
fn seen(six: &Samples, gp: &[f64]) -> Vec<bool> {
    let without = six.leave_one_out();
    (gp.iter().zip(&six.mean).enumerate())
        .map(|(e, (gp, d))| {
            let values: Vec<f64> = without.iter().map(|w| w[e]).collect();
            six.stands_out(gp + d, jackknife(&values), six.std_err.get(e).copied())
        })
        .collect()
}

/// `Trees` holds the tree-level diagrams of each 6-tuple.
struct Trees {
    tuples: Vec<Vec<usize>>,
    gp: Vec<f64>,
    /// Sum over 15 pairs of K int Delta; `None` where it vanishes within its error.
    vertices: Vec<Option<f64>>,
}

impl Trees {
    fn new(kernel: &[Vec<f64>], vertex: &VertexIntegrals) -> Self {
        let tuples = multisets(kernel.len(), 6);
        let vertices = (tuples.iter())
            .map(|index| {
                let (mut sum, mut zero) = (0.0, 0.0);
                for (a, b, rest) in pairs_and_rests(index) {
                    sum += kernel[a][b] * vertex.integral(&rest);
                    zero += kernel[a][b].abs() * vertex.zero(&rest);
                }
                (sum.abs() > zero).then_some(sum)
            })
            .collect();
        Self {
            gp: tuples.iter().map(|i| gp_correlator(kernel, i)).collect(),
            vertices,
            tuples,
        }
    }

    /// Returns the prediction -24 lambda sum K int Delta.
    fn prediction(&self, lambda: f64, element: usize) -> f64 {
        -24.0 * lambda * self.vertices[element].unwrap_or(0.0)
    }

    fn delta(&self, lambda: f64, six: &[f64]) -> Vec<Option<f64>> {
        (six.iter().zip(&self.vertices))
            .map(|(d, v)| Some(d / (-24.0 * lambda * (*v)?)))
            .collect()
    }

    /// Returns the mean of kappa over the 6-tuples.
    fn kappa(&self, connected: &[f64], vertex: &VertexIntegrals) -> Option<f64> {
        let kappa: Vec<f64> = (self.tuples.iter().zip(connected))
            .filter_map(|(index, c)| Some(-c / (720.0 * vertex.present(index)?)))
            .collect();
        average(&kappa)
    }
}

/// Lists the 15 ways to single out a pair of six points: (a, b, the other four).
fn pairs_and_rests(index: &[usize]) -> impl Iterator<Item = (usize, usize, Vec<usize>)> + '_ {
    (1..6).flat_map(move |j| {
        (0..j).map(move |i| {
            let rest = (0..6).filter(|&k| k != i && k != j).map(|k| index[k]);
            (index[i], index[j], rest.collect())
        })
    })
}
