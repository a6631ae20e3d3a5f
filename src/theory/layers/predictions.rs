//! n-point functions that follow from the layers: to first order in 1/n, and exact ones where there are some.

use super::exact::{Affine, Linear, Ray};
use super::values::Beyond;
use super::{DeepTheory, Layers, matrix};
use crate::model::Activation;
use crate::theory::average::exponential::Exponentials;
use crate::theory::kernel::homogeneous::Homogeneous;
use crate::theory::readout::Readout;

impl Layers {
    /// Returns n-point functions to first order in 1/n; exact ones if the net has one hidden layer.
    ///
    /// # Panics
    /// If the layers were computed below order 2.
    pub fn first_order(&self) -> DeepTheory {
        let widths = self.net.hidden();
        let sum: f64 = widths.iter().map(|&n| 1.0 / n as f64).sum();
        let squares: f64 = widths.iter().map(|&n| 1.0 / (n as f64).powi(2)).sum();
        let left_out = match self.net.depth() {
            1 => 0.0,
            _ => 1.0 - squares / (sum * sum),
        };
        let strength = match self.alone.is_empty() {
            true => (0..self.points()).map(|p| self.strength(p)).collect(),
            false => (0..self.points())
                .map(|p| self.alone[self.numbers.pair(p, p)].strength(0))
                .collect(),
        };
        let last = self.cumulants.last();
        let second = last.filter(|_| self.order >= 4);
        self.theory(
            &self.layers[self.layers.len() - 1].mean_correction,
            second.map_or(Vec::new(), |last| last.second.clone()),
            last.map_or(Vec::new(), |last| last.third.clone()),
            strength,
            left_out,
        )
    }

    /// How strong deviations at a point are, relative to the kernel.
    fn strength(&self, p: usize) -> f64 {
        let last = self.cumulants.last().expect("order 2 or above");
        let pair = self.numbers.pair(p, p);
        let k = self.kernels[self.kernels.len() - 1][p][p];
        match k > 0.0 {
            true => last.second[pair][pair] / (k * k) + 2.0 * last.mean[pair].abs() / k,
            false => 0.0,
        }
    }

    fn theory(
        &self,
        mean: &[f64],
        second: Vec<Vec<f64>>,
        third: Vec<f64>,
        strength: Vec<f64>,
        left_out: f64,
    ) -> DeepTheory {
        let count = self.points();
        DeepTheory {
            kernel: self.kernels[self.kernels.len() - 1].clone().into(),
            kernel_error: self.kernel_error.clone(),
            mean: matrix(count, |a, b| mean[self.numbers.pair(a, b)]),
            second,
            third,
            errors: self.errors,
            strength,
            left_out,
            readout: Readout::of(&self.net),
            beyond: self.beyond_readout(),
        }
    }

    fn beyond_readout(&self) -> Option<Beyond> {
        if self.net.has_gaussian_readout() || self.order < 4 {
            return None;
        }
        let last = self.net.depth() - 1;
        let averages = &self.averages[last][1];
        let step = self.step(last, 1, None);
        let with_fourth = match last {
            0 => Vec::new(),
            _ if self.order < 6 => Vec::new(),
            _ => step.fourth_along(&step.carried(&self.cumulants[last - 1])),
        };
        Some(Beyond {
            vw: step.vw,
            units: step.units,
            moments: [
                averages.second.clone(),
                averages.fourth.values.clone(),
                averages.sixth.clone(),
            ],
            with_fourth,
        })
    }

    /// Returns n-point functions that are exact at every width, where theory has them: one hidden layer, linear
    /// activations, and activations of degree 1 without biases on a ray, with normal weights from the second layer on.
    pub fn exact(&self) -> Option<DeepTheory> {
        if self.order < 4 || self.cumulants.is_empty() {
            return None;
        }
        if self.net.depth() == 1 {
            return Some(self.first_order());
        }
        let is_normal = (self.net.layers()[1..].iter()).all(|layer| {
            let weights = layer.law_w.is_gaussian() || layer.sigma_w == 0.0;
            weights && (layer.law_b.is_gaussian() || layer.sigma_b == 0.0)
        });
        let no_bias = self.net.layers().iter().all(|layer| layer.sigma_b == 0.0);
        let activation = self.net.activation();
        let affine = affine(activation);
        let homogeneous = Homogeneous::of(activation).filter(|_| no_bias && self.is_ray);
        if !is_normal || (affine.is_none() && homogeneous.is_none()) {
            return None;
        }
        let mut state = self.cumulants[0].clone();
        for l in 1..self.net.depth() {
            let layer = Affine::new(&self.net.layers()[l + 1], self.net.layers()[l].width);
            let [kernel, behind] = [l, l + 1].map(|l| self.flat(&self.kernels[l]));
            state = match (affine, homogeneous) {
                (Some([slope, constant]), _) => Linear {
                    numbers: &self.numbers,
                    slope,
                    constant,
                    affine: layer,
                }
                .after(&kernel, &state),
                (None, Some(homogeneous)) => Ray {
                    ratios: ratios(homogeneous),
                    affine: layer,
                    kernels: [&kernel, &behind],
                }
                .after(&state),
                (None, None) => return None,
            };
        }
        let strength = vec![0.0; self.points()];
        Some(self.theory(&state.mean, state.second, state.third, strength, 0.0))
    }

    fn flat(&self, matrix: &[Vec<f64>]) -> Vec<f64> {
        self.numbers
            .pairs
            .iter()
            .map(|&[a, b]| matrix[a][b])
            .collect()
    }
}

/// The slope and the constant of a linear activation.
fn affine(activation: &Activation) -> Option<[f64; 2]> {
    let linear = Homogeneous::of(activation).filter(|h| h.modulus == 0.0);
    (linear.map(|h| [h.linear, 0.0]))
        .or_else(|| Exponentials::of(activation.tape()).and_then(|sum| sum.affine()))
}

/// E[h^4] / E[h^2]^2 and E[h^6] / E[h^2]^3 of a normal.
fn ratios(h: Homogeneous) -> [f64; 2] {
    let sides = h.sides();
    let sum = |power: i32| 0.5 * sides.iter().map(|side| side.powi(power)).sum::<f64>();
    [
        3.0 * sum(4) / sum(2).powi(2),
        15.0 * sum(6) / sum(2).powi(3),
    ]
}
