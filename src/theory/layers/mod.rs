//! Deep networks, layer by layer: the kernel at infinite width, and to first order in 1/n how the covariance of a
//! layer deviates from it; critical points; exact values where there are some.

mod averages;
mod critical;
mod exact;
mod frame;
mod predictions;
mod recursion;
mod rule;
mod susceptibility;
#[cfg(test)]
mod tests;
mod values;

use rayon::prelude::*;

use super::average::{Moment, moments};
use super::kernel::homogeneous::Correlated;
use super::kernel::{Kernel, Point};
use crate::model::Net;
use crate::model::activation::Op;
use crate::{Error, Result};
use averages::{Both, Fourth, Unit};
pub use critical::{Critical, CriticalClass, critical};
use recursion::{Cumulants, LayerAverages, Numbers, Step};
use susceptibility::Panel;
pub use values::DeepTheory;

/// `LayerTheory` says what theory predicts of the covariance C behind a hidden layer, that of the next layer's
/// pre-activations, or of the outputs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerTheory {
    /// The kernel at infinite width, `[points][points]`.
    pub kernel: Vec<Vec<f64>>,
    /// The mean of C less the kernel, to first order in 1/n, `[pair]`; empty below order 2.
    pub mean_correction: Vec<f64>,
    /// The covariance of C between pairs, to first order in 1/n, `[pair][pair]`; empty below order 4.
    pub covariance: Vec<Vec<f64>>,
    /// What a small change of a pre-activation's variance is multiplied by, `[point]`.
    pub chi_par: Vec<f64>,
    /// What a small change of a pre-activation's direction is multiplied by, `[point]`; infinite where the activation
    /// jumps.
    pub chi_perp: Vec<f64>,
    /// Relative numerical error of mean correction and covariance.
    pub error: f64,
}

/// `Layers` holds what theory predicts of each hidden layer of a net at some points.
///
/// ```
/// use nnqft_gpu::{model::Net, theory::Layers};
///
/// // At sigma_w^2 = 2 every layer of ReLU adds 5/n to the relative variance of the kernel.
/// let net = Net::named("relu", 1)?.with_hidden(&[100, 100, 100])?.with_sigma_w(2f64.sqrt());
/// let layers = Layers::new(&net, &[vec![1.0]], 4)?;
/// let last = &layers.layers()[2];
/// assert!((last.covariance[0][0] / last.kernel[0][0].powi(2) - 0.15).abs() < 1e-9);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Layers {
    net: Net,
    order: usize,
    numbers: Numbers,
    /// Kernels of pre-activations, from the first hidden layer to the outputs, and errors of the last.
    kernels: Vec<Vec<Vec<f64>>>,
    kernel_error: Vec<Vec<f64>>,
    /// `[hidden layer]`, coarse and fine; empty below order 2.
    averages: Vec<Both<LayerAverages>>,
    /// Of each pair of points alone, where mean corrections of many are asked for and nothing else.
    alone: Vec<Layers>,
    is_ray: bool,
    /// Behind each hidden layer.
    cumulants: Vec<Cumulants>,
    layers: Vec<LayerTheory>,
    errors: [f64; 3],
}

/// Points up to which mean corrections come from all pairs together.
const TOGETHER: usize = 6;
/// What rounding leaves of relative precision, layer by layer.
const ROUNDING: f64 = 1e-13;

impl Layers {
    /// Computes kernels and, for n-point functions up to `order`, the cumulants that they need: from 2 on mean
    /// corrections, from 4 on covariances, from 6 on third cumulants. `points` have d_in coordinates each.
    ///
    /// # Errors
    /// [`Error::Invalid`] if first order is not known: biases of deeper layers that are not normal, or an activation
    /// of the variance of z in a net of several hidden layers.
    pub fn new(net: &Net, points: &[Vec<f64>], order: usize) -> Result<Self> {
        if order >= 2 {
            check(net)?;
        }
        let depth = net.depth();
        let count = points.len();
        let numbers = Numbers::new(count, order);
        let (second, errors) = second_moments(net, points, &numbers);
        let mut kernels = vec![of_inputs(net, points)];
        for (l, second) in second.iter().enumerate() {
            let layer = net.layers()[l + 1];
            let of = |a: usize, b: usize| {
                layer.sigma_b.powi(2) + layer.sigma_w.powi(2) * second[numbers.pair(a, b)]
            };
            kernels.push(matrix(count, of));
        }
        let vw = net.readout().sigma_w.powi(2);
        let kernel_error = matrix(count, |a, b| {
            vw * errors[numbers.pair(a, b)] + 4.0 * f64::EPSILON * kernels[depth][a][b].abs()
        });
        let by_pairs = (2..4).contains(&order) && count > TOGETHER;
        let averages = match order >= 2 && !by_pairs {
            true => averages(net, points, &kernels, second, order.max(4)),
            false => Vec::new(),
        };
        let alone = match by_pairs {
            true => (numbers.pairs.par_iter())
                .map(|&[a, b]| {
                    let few = if a == b {
                        vec![points[a].clone()]
                    } else {
                        vec![points[a].clone(), points[b].clone()]
                    };
                    Self::new(net, &few, order)
                })
                .collect::<Result<_>>()?,
            false => Vec::new(),
        };
        let on_ray = |pair: &[usize; 2]| {
            let k = &kernels[0];
            let [xx, yy] = pair.map(|p| k[p][p]);
            let varies = xx > 0.0 && yy > 0.0;
            !varies || {
                let pair = Correlated::new([xx, k[pair[0]][pair[1]], yy]);
                pair.sine == 0.0 && pair.cosine > 0.0
            }
        };
        let numbers = match order >= 2 {
            true => Numbers::new(count, order.max(4)),
            false => numbers,
        };
        let layers = Self {
            is_ray: numbers.pairs.iter().all(on_ray),
            net: net.clone(),
            order,
            numbers,
            kernel_error,
            averages,
            alone,
            cumulants: Vec::new(),
            layers: of_kernels(net, &kernels),
            kernels,
            errors: [0.0; 3],
        };
        Ok(layers.run())
    }

    /// Returns the same net with hidden layers of other widths, at little cost.
    ///
    /// # Panics
    /// If there are more or fewer.
    pub fn at_widths(&self, hidden: &[u64]) -> Self {
        assert_eq!(
            hidden.len(),
            self.net.depth(),
            "one width for each hidden layer"
        );
        let net = self
            .net
            .clone()
            .with_hidden(hidden)
            .expect("widths of hidden layers");
        let alone = self
            .alone
            .iter()
            .map(|layers| layers.at_widths(hidden))
            .collect();
        let layers = Self {
            net,
            alone,
            ..self.clone()
        };
        layers.run()
    }

    /// Lists what is behind each hidden layer.
    pub fn layers(&self) -> &[LayerTheory] {
        &self.layers
    }

    /// Lists the pairs of points in ascending order: rows and columns of covariances.
    pub fn pairs(&self) -> &[[usize; 2]] {
        &self.numbers.pairs
    }

    /// Runs the recursion with both rules: their distance is the error.
    fn run(mut self) -> Self {
        if !self.alone.is_empty() {
            return self.gathered();
        }
        if self.averages.is_empty() {
            return self;
        }
        let [coarse, fine] = [0, 1].map(|effort| self.recursion(effort));
        for (l, (coarse, fine)) in coarse.iter().zip(&fine).enumerate() {
            let errors = self.distances(&self.kernels[l + 1], coarse, fine);
            let floor = ROUNDING * (l + 1) as f64;
            self.errors = std::array::from_fn(|k| errors[k] + floor);
            let layer = &mut self.layers[l];
            layer.mean_correction = fine.mean.clone();
            if self.order >= 4 {
                layer.covariance = fine.second.clone();
            }
            layer.error = self.errors.iter().copied().fold(0.0, f64::max);
        }
        self.cumulants = fine;
        self
    }

    /// Gathers what was computed of each pair of points alone.
    fn gathered(mut self) -> Self {
        for (l, layer) in self.layers.iter_mut().enumerate() {
            let of = |layers: &Self| {
                layers.layers[l].mean_correction[if layers.points() == 1 { 0 } else { 1 }]
            };
            layer.mean_correction = self.alone.iter().map(of).collect();
            layer.error = self
                .alone
                .iter()
                .map(|of| of.layers[l].error)
                .fold(0.0, f64::max);
        }
        for (k, error) in self.errors.iter_mut().enumerate() {
            *error = self.alone.iter().map(|of| of.errors[k]).fold(0.0, f64::max);
        }
        self
    }

    fn points(&self) -> usize {
        self.kernels[0].len()
    }

    /// The step through a hidden layer; `beyond` are the fourth cumulants of its pre-activations.
    fn step<'a>(&'a self, l: usize, effort: usize, beyond: Option<&'a [f64]>) -> Step<'a> {
        Step {
            numbers: &self.numbers,
            averages: &self.averages[l][effort],
            units: self.net.layers()[l].width as f64,
            vw: self.net.layers()[l + 1].sigma_w.powi(2),
            beyond,
        }
    }

    fn recursion(&self, effort: usize) -> Vec<Cumulants> {
        let pairs = self.numbers.pairs.len();
        let mut state = Cumulants {
            mean: vec![0.0; pairs],
            second: vec![vec![0.0; pairs]; pairs],
            third: Vec::new(),
        };
        (0..self.net.depth())
            .map(|l| {
                let beyond = self.beyond(l, effort);
                state = self.step(l, effort, beyond.as_deref()).after(&state);
                state.clone()
            })
            .collect()
    }

    /// Fourth cumulants of a hidden layer's pre-activations, given the covariance, from weights that are not normal: to
    /// first order they move the mean of the next covariance, and nothing else.
    fn beyond(&self, l: usize, effort: usize) -> Option<Vec<f64>> {
        let layer = self.net.layers()[l];
        if l == 0 || layer.law_w.is_gaussian() {
            return None;
        }
        let units = self.net.layers()[l - 1].width as f64;
        let unit = layer.law_w.cumulant(4) * layer.sigma_w.powi(4) / units;
        let fourth = &self.averages[l - 1][effort].fourth.values;
        Some(fourth.iter().map(|m| unit * m).collect())
    }

    /// Relative errors of mean, covariance and third cumulant: the largest over pairs, in units of what they are next to.
    fn distances(&self, kernel: &[Vec<f64>], coarse: &Cumulants, fine: &Cumulants) -> [f64; 3] {
        let count = self.numbers.pairs.len();
        let size = |a: usize| fine.second[a][a].max(0.0).sqrt();
        let scale = |a: usize| {
            let [p, q] = self.numbers.pairs[a];
            (kernel[p][p] * kernel[q][q]).sqrt()
        };
        let mut errors = [0.0f64; 3];
        let mut note = |k: usize, distance: f64, unit: f64| {
            if unit > 0.0 {
                let relative = distance.abs() / unit;
                // The finer of two rules whose errors are powers of each other.
                errors[k] = errors[k].max(relative * (10.0 * relative).min(1.0).powf(0.25));
            }
        };
        for a in 0..count {
            note(0, fine.mean[a] - coarse.mean[a], size(a).powi(2) / scale(a));
            for b in 0..count {
                note(
                    1,
                    fine.second[a][b] - coarse.second[a][b],
                    size(a) * size(b),
                );
                if fine.third.is_empty() {
                    continue;
                }
                for d in 0..count {
                    let at = (a * count + b) * count + d;
                    let unit = (size(a) * size(b) * size(d)).powf(4.0 / 3.0)
                        / (scale(a) * scale(b) * scale(d)).cbrt();
                    note(2, fine.third[at] - coarse.third[at], unit);
                }
            }
        }
        errors
    }
}

/// Refuses what first order is not known for.
fn check(net: &Net) -> Result<()> {
    let deeper = &net.layers()[1..net.depth()];
    if let Some(layer) =
        (deeper.iter()).find(|layer| !layer.law_b.is_gaussian() && layer.sigma_b != 0.0)
    {
        let reason = "theory to first order in 1/n needs gaussian biases, or none, from the second hidden layer on";
        return Err(Error::invalid("law_b", layer.law_b, reason));
    }
    let depends = net.activation().tape().ops().contains(&Op::V);
    if depends && !deeper.is_empty() {
        let reason =
            "theory of several hidden layers needs an activation of z alone, not of its variance v";
        return Err(Error::invalid("activation", net.activation(), reason));
    }
    Ok(())
}

/// E[h h] behind each hidden layer, `[layer][pair]`, and the errors of the last.
fn second_moments(net: &Net, points: &[Vec<f64>], numbers: &Numbers) -> (Vec<Vec<f64>>, Vec<f64>) {
    let kernel = Kernel::new(net);
    let seen: Vec<Point> = points.iter().map(|x| kernel.point(x)).collect();
    let all: Vec<Vec<Moment>> = (numbers.pairs.par_iter())
        .map(|&[a, b]| kernel.second_moments(&seen[a], &seen[b]))
        .collect();
    let layer = |l: usize| all.iter().map(|of| of[l].value).collect();
    let errors = all.iter().map(|of| of[of.len() - 1].error).collect();
    ((0..net.depth()).map(layer).collect(), errors)
}

/// The covariance of the first layer's pre-activations.
fn of_inputs(net: &Net, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let forms: Vec<Vec<f64>> = points.iter().map(|x| net.linear_form(x)).collect();
    matrix(points.len(), |a, b| {
        super::average::dot(&forms[a], &forms[b])
    })
}

/// A symmetric matrix.
fn matrix(count: usize, of: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    (0..count)
        .map(|a| (0..count).map(|b| of(a.min(b), a.max(b))).collect())
        .collect()
}

/// Layers of which kernels alone are known, and how they pass small changes on.
fn of_kernels(net: &Net, kernels: &[Vec<Vec<f64>>]) -> Vec<LayerTheory> {
    let panel = Panel::new();
    (0..net.depth())
        .map(|l| {
            let vw = net.layers()[l + 1].sigma_w.powi(2);
            // At zero the limit of small variances is what counts.
            let chi = (0..kernels[l].len())
                .map(|p| panel.at(net.activation(), kernels[l][p][p].max(1e-12)))
                .collect::<Vec<_>>();
            LayerTheory {
                kernel: kernels[l + 1].clone(),
                mean_correction: Vec::new(),
                covariance: Vec::new(),
                chi_par: chi.iter().map(|chi| vw * chi.parallel).collect(),
                chi_perp: chi.iter().map(|chi| vw * chi.perpendicular).collect(),
                error: 0.0,
            }
        })
        .collect()
}

/// Averages of every hidden layer.
fn averages(
    net: &Net,
    points: &[Vec<f64>],
    kernels: &[Vec<Vec<f64>>],
    second: Vec<Vec<f64>>,
    order: usize,
) -> Vec<Both<LayerAverages>> {
    let unit = Unit::new(net.activation());
    let is_normal = net.has_gaussian_units() && !net.activation().tape().ops().contains(&Op::V);
    (second.into_iter().enumerate())
        .map(|(l, second)| {
            let kernel = &kernels[l];
            if l == 0 && !is_normal {
                let of = |order: usize| -> Vec<f64> {
                    moments(net, points, order)
                        .iter()
                        .map(|m| m.value)
                        .collect()
                };
                let first = LayerAverages {
                    pairs: Vec::new(),
                    second,
                    fourth: Fourth {
                        values: of(4),
                        slopes: Vec::new(),
                    },
                    sixth: if order >= 6 { of(6) } else { Vec::new() },
                };
                return [first.clone(), first];
            }
            let pairs = if l == 0 {
                [Vec::new(), Vec::new()]
            } else {
                unit.pairs(kernel)
            };
            let fourth = unit.fourth(kernel, order >= 6 && l > 0);
            let sixth = match order >= 6 {
                true => unit.sixth(kernel),
                false => [Vec::new(), Vec::new()],
            };
            let mut all = pairs.into_iter().zip(fourth).zip(sixth);
            [second.clone(), second].map(|second| {
                let ((pairs, fourth), sixth) = all.next().expect("coarse and fine");
                LayerAverages {
                    pairs,
                    second,
                    fourth,
                    sixth,
                }
            })
        })
        .collect()
}
