use super::jackknife::{jackknife, three_sigma};
use super::{Correlator, Reference, predictions};
use crate::model::EnsembleSpec;
use crate::tensor::multisets;
use crate::theory::{Exact, Values, gp_correlator, kernel_matrix};

/// `Interactions` holds what couplings are measured on: G^(n) at n = 4 and 6 less what Wick's
/// theorem makes of the 2-point function.
///
/// With one hidden layer that is G^(n) - G_GP^(n), since the 2-point function is the kernel at every
/// width. With more of them it is not, and what it differs by is no interaction.
#[derive(Debug, Clone)]
pub struct Interactions {
    /// dG^(4) of each unique 4-tuple.
    pub four: Samples,
    /// dG^(6) of each unique 6-tuple, if it was measured.
    pub six: Option<Samples>,
    /// Connected 6-point function; exact moments only.
    pub connected_six: Option<Vec<f64>>,
    /// The 2-point function, shape `[points][points]`; `None` if it is the kernel.
    pub two: Option<Vec<Vec<f64>>>,
}

/// `Samples` holds a tensor and its values in the experiments.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Values over all experiments.
    pub mean: Vec<f64>,
    /// Standard errors of `mean`, from blocks of networks; none if exact or unknown.
    pub std_err: Vec<f64>,
    /// Values in each experiment, `[experiment][element]`, none if exact.
    pub experiments: Vec<Vec<f64>>,
}

impl Samples {
    /// Makes samples of values that have no statistical error.
    pub fn exact(mean: Vec<f64>) -> Self {
        Self {
            mean,
            std_err: Vec::new(),
            experiments: Vec::new(),
        }
    }

    /// Tells whether the values are exact, not sampled.
    pub fn is_exact(&self) -> bool {
        self.experiments.is_empty()
    }

    /// Returns the degrees of freedom of standard errors over the experiments: one less than there
    /// are experiments. `None` with one experiment, which has no error, and for exact values.
    pub fn degrees_of_freedom(&self) -> Option<usize> {
        self.experiments.len().checked_sub(1).filter(|&n| n > 0)
    }

    /// Returns the means over all experiments but one, for each that is left out; none with fewer
    /// than two.
    pub(super) fn leave_one_out(&self) -> Vec<Vec<f64>> {
        let Some(others) = self.degrees_of_freedom() else {
            return Vec::new();
        };
        let mut sum = vec![0.0; self.mean.len()];
        for experiment in &self.experiments {
            sum.iter_mut().zip(experiment).for_each(|(s, x)| *s += x);
        }
        (self.experiments.iter())
            .map(|x| {
                (sum.iter().zip(x))
                    .map(|(s, x)| (s - x) / others as f64)
                    .collect()
            })
            .collect()
    }

    /// Returns the standard error of a statistic from its values with one experiment left out; 0
    /// for exact values, `None` with one experiment.
    pub(super) fn error(&self, without: &[f64]) -> Option<f64> {
        match self.is_exact() {
            true => Some(0.0),
            false => jackknife(without),
        }
    }

    /// Tells whether a measured number is not zero, by more than three of its errors: those over
    /// the experiments with as many as [`three_sigma`] allows, or those from blocks of networks, of
    /// which there are many, if known.
    pub(super) fn stands_out(
        &self,
        value: f64,
        over_experiments: Option<f64>,
        over_blocks: Option<f64>,
    ) -> bool {
        if self.is_exact() {
            return true;
        }
        let seen = |error: f64, times: f64| value.abs() > times * error;
        let experiments = over_experiments.zip(self.degrees_of_freedom());
        value != 0.0
            && (experiments.is_some_and(|(e, n)| seen(e, three_sigma(n)))
                || over_blocks.is_some_and(|e| seen(e, 3.0)))
    }
}

impl Interactions {
    /// Takes the exact values at finite width.
    pub fn exact(spec: &EnsembleSpec, exact: &Exact) -> Self {
        let points = spec.inputs.len();
        let of = |n: usize, value: &dyn Fn(&[usize]) -> f64| -> Vec<f64> {
            multisets(points, n).iter().map(|i| value(i)).collect()
        };
        let samples = |n| Samples::exact(of(n, &|i| exact.deviation(i)));
        Self {
            four: samples(4),
            six: Some(samples(6)),
            connected_six: Some(of(6, &|i| exact.connected_six(i))),
            two: None,
        }
    }

    /// Takes the exact 4-point function alone.
    pub fn exact_four(spec: &EnsembleSpec, exact: &Exact) -> Samples {
        let tuples = multisets(spec.inputs.len(), 4);
        Samples::exact(tuples.iter().map(|i| exact.deviation(i)).collect())
    }

    /// Takes measured values; `None` without a 4-point function, or without the 2-point function of a
    /// net with several hidden layers.
    pub fn measured(spec: &EnsembleSpec, correlators: &[Correlator]) -> Option<Self> {
        Self::of_deviations(spec, |n| {
            let c = correlators.iter().find(|c| c.order == n)?;
            Some(Samples {
                mean: c.delta.clone(),
                std_err: c.std_err.clone(),
                experiments: c.delta_experiments.clone(),
            })
        })
    }

    /// Takes the exact values that measured ones stand beside, from those of the same net with
    /// hidden layers of any width; `None` where they are not known.
    pub fn beside(spec: &EnsembleSpec, values: &Values) -> Option<Self> {
        let values = values.at_widths_of(&spec.net)?;
        let predictions = predictions(spec, &values).ok()?;
        Self::of_deviations(spec, |n| {
            let prediction = predictions.iter().find(|p| p.order == n)?;
            match &prediction.reference {
                Reference::Exact(known) => Some(Samples::exact(known.delta.clone())),
                Reference::FirstOrder(_) | Reference::None => None,
            }
        })
    }

    /// Takes G^(n) - G_GP^(n) of the orders that there are.
    pub(crate) fn of_deviations(
        spec: &EnsembleSpec,
        of: impl Fn(usize) -> Option<Samples>,
    ) -> Option<Self> {
        let (mut four, mut six, mut two) = (of(4)?, of(6), None);
        if spec.net.depth() > 1 {
            let kernel = kernel_matrix(spec);
            let pairs = TwoPoint::new(&kernel, of(2)?);
            four = pairs.taken_out_of(four, 4);
            six = six.map(|six| pairs.taken_out_of(six, 6));
            two = Some(pairs.matrix(&pairs.deviations.mean));
        }
        Some(Self {
            four,
            six,
            connected_six: None,
            two,
        })
    }
}

/// `TwoPoint` is a 2-point function that is not the kernel.
struct TwoPoint<'a> {
    kernel: &'a [Vec<f64>],
    /// G^(2) - K of each pair.
    deviations: Samples,
}

impl<'a> TwoPoint<'a> {
    fn new(kernel: &'a [Vec<f64>], deviations: Samples) -> Self {
        Self { kernel, deviations }
    }

    /// Returns the 2-point function that deviates so from the kernel.
    fn matrix(&self, deviations: &[f64]) -> Vec<Vec<f64>> {
        let mut matrix = self.kernel.to_vec();
        for (pair, deviation) in multisets(matrix.len(), 2).iter().zip(deviations) {
            let (a, b) = (pair[0], pair[1]);
            matrix[a][b] += deviation;
            matrix[b][a] = matrix[a][b];
        }
        matrix
    }

    /// Takes what the 2-point function makes of an n-point function out of it, in each experiment by
    /// its own. Errors from blocks stay: those of the 2-point function are small beside them.
    fn taken_out_of(&self, samples: Samples, order: usize) -> Samples {
        let tuples = multisets(self.kernel.len(), order);
        let less = |values: &[f64], deviations: &[f64]| -> Vec<f64> {
            let two = self.matrix(deviations);
            (tuples.iter().zip(values))
                .map(|(i, value)| {
                    let i = &i[..];
                    value - (gp_correlator(&two, i) - gp_correlator(self.kernel, i))
                })
                .collect()
        };
        Samples {
            mean: less(&samples.mean, &self.deviations.mean),
            experiments: (samples.experiments.iter().zip(&self.deviations.experiments))
                .map(|(values, deviations)| less(values, deviations))
                .collect(),
            std_err: samples.std_err,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Inputs, Net};

    /// Where the 4-point function is Wick's sum of the 2-point function, nothing interacts, however
    /// far that is from the kernel.
    #[test]
    fn a_two_point_function_of_its_own_is_no_interaction() {
        let net = Net::named("tanh", 1).unwrap().with_hidden(&[5, 5]).unwrap();
        let inputs = Inputs::new(vec![vec![0.4], vec![1.1]]).unwrap();
        let spec = EnsembleSpec::of_net(net).unwrap().with_inputs(inputs);
        let kernel = kernel_matrix(&spec);
        let mut two = kernel.clone();
        let deviations = [0.03, -0.02, 0.05];
        two[0][0] += 0.03;
        two[0][1] -= 0.02;
        two[1][0] -= 0.02;
        two[1][1] += 0.05;
        let connected = |n: usize| -> Vec<f64> {
            (0..multisets(2, n).len())
                .map(|e| 1e-3 * (e + 1) as f64)
                .collect()
        };
        let of = |n: usize| -> Vec<f64> {
            (multisets(2, n).iter().zip(connected(n)))
                .map(|(i, c)| gp_correlator(&two, &i[..]) - gp_correlator(&kernel, &i[..]) + c)
                .collect()
        };
        let samples = |n: usize| {
            let mean = if n == 2 { deviations.to_vec() } else { of(n) };
            Some(Samples {
                std_err: vec![0.0; mean.len()],
                experiments: vec![mean.clone(); 2],
                mean,
            })
        };
        let interactions = Interactions::of_deviations(&spec, samples).unwrap();
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
        let six = interactions.six.unwrap();
        for (got, n) in [(&interactions.four, 4), (&six, 6)] {
            assert!(near(&got.mean, &connected(n)), "{got:?}");
            assert!(got.experiments.iter().all(|x| near(x, &connected(n))));
        }
        assert!(near(&interactions.two.unwrap().concat(), &two.concat()));
        // Without the 2-point function nothing can be told.
        assert!(Interactions::of_deviations(&spec, |n| samples(n).filter(|_| n > 2)).is_none());
    }
}
