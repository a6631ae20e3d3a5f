use serde::{Deserialize, Serialize};

use super::correlators::{average, standard_deviation};
use crate::model::EnsembleSpec;
use crate::tensor::{multisets, pairings};
use crate::theory::{Exact, VertexIntegrals, gp_correlator, kernel_matrix};

/// G^(n) - G_GP^(n) at n = 4 and 6: what couplings are measured on.
#[derive(Debug, Clone)]
pub struct Interactions {
    /// dG^(4) of each unique 4-tuple.
    pub four: Samples,
    /// dG^(6) of each unique 6-tuple, if it was measured.
    pub six: Option<Samples>,
    /// Connected 6-point function; exact moments only.
    pub connected_six: Option<Vec<f64>>,
}

/// A tensor and its values in the experiments, `[experiment][element]`, none if exact.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Over all experiments.
    pub mean: Vec<f64>,
    /// In each.
    pub experiments: Vec<Vec<f64>>,
}

impl Interactions {
    /// Exact values at finite width.
    pub fn exact(spec: &EnsembleSpec, exact: &Exact) -> Self {
        let points = spec.inputs.len();
        let of = |n: usize, value: &dyn Fn(&[usize]) -> f64| -> Vec<f64> {
            multisets(points, n).iter().map(|i| value(i)).collect()
        };
        let samples = |n| Samples {
            mean: of(n, &|i| exact.deviation(i)),
            experiments: Vec::new(),
        };
        Self {
            four: samples(4),
            six: Some(samples(6)),
            connected_six: Some(of(6, &|i| exact.connected_six(i))),
        }
    }

    /// The exact 4-point function alone.
    pub fn exact_four(spec: &EnsembleSpec, exact: &Exact) -> Samples {
        let tuples = multisets(spec.inputs.len(), 4);
        Samples {
            mean: tuples.iter().map(|i| exact.deviation(i)).collect(),
            experiments: Vec::new(),
        }
    }

    /// Measured values; `None` without a 4-point function.
    pub fn measured(correlators: &[super::Correlator]) -> Option<Self> {
        let of = |n: usize| {
            let c = correlators.iter().find(|c| c.order == n)?;
            Some(Samples {
                mean: c.delta.clone(),
                experiments: c.delta_experiments.clone(),
            })
        };
        Some(Self {
            four: of(4)?,
            six: of(6),
            connected_six: None,
        })
    }
}

/// Whether the measured coupling is a number or depends on the external points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Naturalness {
    /// The spread over tuples is below a tenth of the mean.
    Constant,
    /// It is larger, and more than the errors explain.
    Function,
    /// It is larger, but so are the errors.
    Undecided,
}

impl std::fmt::Display for Naturalness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Function => "function",
            Self::Undecided => "undecided",
        })
    }
}

/// The quartic coupling measured at one cutoff, lambda_m = -dG^(4) / (24 int Delta) per
/// unique 4-tuple m, Delta = k(x_1, y) k(x_2, y) k(x_3, y) k(x_4, y). Unit: 1 / (f^4 x^d_in).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Coupling {
    /// Mean over tuples.
    pub mean: f64,
    /// Standard deviation over tuples.
    pub std: f64,
    /// Standard error of the mean from the experiments; 0 for exact moments, `None` with one
    /// experiment.
    pub std_err: Option<f64>,
    /// Constant or function.
    pub verdict: Naturalness,
    /// Per unique 4-tuple; `None` where the vertex integral vanishes.
    pub values: Vec<Option<f64>>,
    /// Tuples without a coupling, left out of mean and spread.
    pub undefined: usize,
}

/// The 6-point function predicted from the mean coupling, in ratios over its elements.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SixPoint {
    /// delta = dG^(6) / (-24 lambda sum over 15 pairs of K int Delta): 1 if the EFT predicts it.
    pub delta_mean: f64,
    /// Standard error from the experiments; 0 for exact moments.
    pub delta_std_err: Option<f64>,
    /// Smallest element.
    pub delta_min: f64,
    /// Largest element.
    pub delta_max: f64,
    /// Mean of G_GP / G^(6).
    pub gp_ratio_mean: f64,
    /// Mean of (G_GP + prediction) / G^(6).
    pub ratio_mean: f64,
    /// delta of each unique 6-tuple; `None` where the prediction vanishes.
    pub delta: Vec<Option<f64>>,
    /// G_GP / G^(6) of each; `None` where G^(6) vanishes.
    pub gp_ratio: Vec<Option<f64>>,
    /// (G_GP + prediction) / G^(6) of each; `None` where G^(6) vanishes.
    pub ratio: Vec<Option<f64>>,
    /// What delta - 1 is made of (exact moments only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<Misfit>,
}

/// delta - 1, averaged over elements, in its two parts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Misfit {
    /// From taking lambda as one number: the disconnected part with each tuple's own
    /// coupling, against that with the mean.
    pub constant_lambda: f64,
    /// The connected 6-point function, which lambda at tree level does not make: kappa.
    pub kappa: f64,
    /// Mean of kappa_m = -G_c^(6) / (720 int k^6) over 6-tuples.
    pub kappa_mean: f64,
}

impl Coupling {
    /// Measures lambda at the cutoff of `vertex`. `None` if every tuple's integral vanishes.
    ///
    /// ```
    /// use nnqft_gpu::analysis::{Coupling, Interactions};
    /// use nnqft_gpu::model::{Architecture, EnsembleSpec};
    /// use nnqft_gpu::theory::{Exact, Vertex, vertex_integrals};
    ///
    /// let mut spec = EnsembleSpec::preset(Architecture::Relu, 1)?;
    /// spec.width = 20;
    /// let spec = spec.validate()?;
    /// let four = Interactions::exact_four(&spec, &Exact::new(&spec));
    /// let vertex = &vertex_integrals(&spec, Vertex::Full, &[100.0])?[0];
    /// let lambda = Coupling::measure(spec.inputs.len(), &four, vertex).unwrap();
    /// assert!((lambda.mean / -6.25e-11 - 1.0).abs() < 1e-6);
    /// # Ok::<(), nnqft_gpu::Error>(())
    /// ```
    pub fn measure(points: usize, four: &Samples, vertex: &VertexIntegrals) -> Option<Self> {
        let tuples = multisets(points, 4);
        let integrals: Vec<Option<f64>> = (tuples.iter())
            .map(|i| {
                let integral = vertex.integral(i);
                let vanishes = integral.abs() <= 1e-10 * vertex.size(i) || !integral.is_normal();
                (!vanishes).then_some(integral)
            })
            .collect();
        let lambda = |four: &[f64]| -> Vec<Option<f64>> {
            (four.iter().zip(&integrals))
                .map(|(d, integral)| integral.map(|i| -d / (24.0 * i)))
                .collect()
        };
        let values = lambda(&four.mean);
        let defined: Vec<f64> = values.iter().flatten().copied().collect();
        let mean = average(&defined)?;
        // Over all tuples, not a sample of them.
        let squares: Vec<f64> = defined.iter().map(|l| (l - mean).powi(2)).collect();
        let std = average(&squares)?.sqrt();
        let per_experiment: Vec<Vec<f64>> = (four.experiments.iter())
            .map(|four| lambda(four).into_iter().flatten().collect())
            .collect();
        let experiments = (per_experiment.len() as f64).sqrt();
        let std_err = match four.experiments.len() {
            0 => Some(0.0),
            _ => {
                let means: Vec<f64> = per_experiment.iter().filter_map(|v| average(v)).collect();
                standard_deviation(&means).map(|s| s / experiments)
            }
        };
        // What the errors alone would spread the tuples by.
        let noise = match four.experiments.len() {
            0 => Some(0.0),
            1 => None,
            _ => {
                let squares: Vec<f64> = (0..defined.len())
                    .filter_map(|m| {
                        let values: Vec<f64> = per_experiment.iter().map(|v| v[m]).collect();
                        standard_deviation(&values).map(|s| (s / experiments).powi(2))
                    })
                    .collect();
                average(&squares).map(f64::sqrt)
            }
        };
        let verdict = match (std < 0.1 * mean.abs(), noise) {
            (true, _) => Naturalness::Constant,
            (false, Some(noise)) if std > 3.0 * noise => Naturalness::Function,
            _ => Naturalness::Undecided,
        };
        Some(Self {
            mean,
            std,
            std_err,
            verdict,
            undefined: values.len() - defined.len(),
            values,
        })
    }
}

impl SixPoint {
    /// Holds the 6-point function against the tree-level prediction with one coupling.
    /// `None` if it was not measured or is predicted to vanish everywhere.
    pub fn predict(
        spec: &EnsembleSpec,
        interactions: &Interactions,
        vertex: &VertexIntegrals,
    ) -> Option<Self> {
        let points = spec.inputs.len();
        let six = interactions.six.as_ref()?;
        let lambda = Coupling::measure(points, &interactions.four, vertex)?;
        let kernel = kernel_matrix(spec);
        let tuples = multisets(points, 6);
        // sum over 15 pairs K_ab int Delta_cdef
        let vertices: Vec<f64> = (tuples.iter())
            .map(|index| {
                pairs_and_rests(index)
                    .map(|(a, b, rest)| kernel[a][b] * vertex.integral(&rest))
                    .sum()
            })
            .collect();
        let largest = vertices.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
        let deltas = |six: &[f64], lambda: f64| -> Vec<Option<f64>> {
            (six.iter().zip(&vertices))
                .map(|(d, v)| {
                    (v.abs() > 1e-12 * largest && lambda != 0.0).then(|| d / (-24.0 * lambda * v))
                })
                .collect()
        };
        let delta = deltas(&six.mean, lambda.mean);
        let defined: Vec<f64> = delta.iter().flatten().copied().collect();
        let delta_mean = average(&defined)?;
        // Each experiment has a coupling and a 6-point function of its own.
        let means: Vec<f64> = (six.experiments.iter().zip(&interactions.four.experiments))
            .filter_map(|(six, four)| {
                let four = Samples {
                    mean: four.clone(),
                    experiments: Vec::new(),
                };
                let lambda = Coupling::measure(points, &four, vertex)?.mean;
                average(
                    &deltas(six, lambda)
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>(),
                )
            })
            .collect();
        let delta_std_err = match means.len() {
            0 => Some(0.0),
            n => standard_deviation(&means).map(|s| s / (n as f64).sqrt()),
        };
        let gp: Vec<f64> = tuples.iter().map(|i| gp_correlator(&kernel, i)).collect();
        let over_full = |numerators: Vec<f64>| -> Vec<Option<f64>> {
            (numerators.iter().zip(gp.iter().zip(&six.mean)))
                .map(|(x, (gp, d))| Some(x / (gp + d)).filter(|r| r.is_finite()))
                .collect()
        };
        let predicted = gp.iter().zip(&vertices);
        let predicted = predicted
            .map(|(gp, v)| gp - 24.0 * lambda.mean * v)
            .collect();
        let (gp_ratio, ratio) = (over_full(gp.clone()), over_full(predicted));
        let mean =
            |all: &[Option<f64>]| average(&all.iter().flatten().copied().collect::<Vec<_>>());
        let misfit = interactions.connected_six.as_ref().and_then(|connected| {
            let kappa: Vec<f64> = (tuples.iter().zip(connected))
                .map(|(index, c)| -c / (720.0 * vertex.integral(index)))
                .filter(|k| k.is_finite())
                .collect();
            let share = average(
                &deltas(connected, lambda.mean)
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>(),
            )?;
            Some(Misfit {
                constant_lambda: delta_mean - 1.0 - share,
                kappa: share,
                kappa_mean: average(&kappa)?,
            })
        });
        Some(Self {
            delta_mean,
            delta_std_err,
            delta_min: defined.iter().copied().fold(f64::INFINITY, f64::min),
            delta_max: defined.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            gp_ratio_mean: mean(&gp_ratio)?,
            ratio_mean: mean(&ratio)?,
            delta,
            gp_ratio,
            ratio,
            misfit,
        })
    }
}

/// The 15 ways to single out a pair of six points: (a, b, the other four).
fn pairs_and_rests(index: &[usize]) -> impl Iterator<Item = (usize, usize, Vec<usize>)> + '_ {
    (1..6).flat_map(move |j| {
        (0..j).map(move |i| {
            let rest = (0..6).filter(|&k| k != i && k != j).map(|k| index[k]);
            (index[i], index[j], rest.collect())
        })
    })
}

/// The double-vertex function of the v2 fits, T_NL = 8 sum over 3 pairings J_12 J_34 with
/// J_12 = int k(x_1, y) k(x_2, y) dy.
pub(super) fn non_local(index: &[usize], vertex: &VertexIntegrals) -> f64 {
    let j = |(a, b): (usize, usize)| vertex.integral(&[index[a], index[b]]);
    let pairs = pairings(4);
    8.0 * pairs.iter().map(|p| j(p[0]) * j(p[1])).sum::<f64>()
}
