//! Networks drawn one by one, as docs of the stream's layout and of the laws have them.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, SQRT_2};

use nalgebra::DMatrix;

use crate::model::{EnsembleSpec, Law};
use crate::plan::{By, Inner};
use crate::stream::{InnerLayout, Part, StreamLayout, Words};

/// A network in plain loops.
pub(in crate::engine::cpu) struct Network<'a> {
    pub spec: &'a EnsembleSpec,
    pub experiment: u32,
    pub number: u64,
}

impl Network<'_> {
    /// The variate in place `u` of a block of a part of the stream.
    fn variate(&self, part: Part, block: u64, u: usize, law: Law) -> f64 {
        self.variate_of(part.stream(self.experiment), block, u, law)
    }

    /// The variate in place `u` of a block of a stream.
    fn variate_of(&self, stream: u64, block: u64, u: usize, law: Law) -> f64 {
        let mut words = [0; 16];
        Words::new(self.spec.seed, stream, block).fill(&mut words);
        let open = |word: u32| (f64::from(word) + 0.5) / 2f64.powi(32);
        let sign = if words[u] >> 31 == 1 { -1.0 } else { 1.0 };
        match law {
            Law::Gaussian => {
                let radius = (-2.0 * open(words[u % 8]).ln()).sqrt();
                // The upper two bits are the quadrant, the rest a signed number within it.
                let word = words[u % 8 + 8];
                let within = f64::from((word << 2) as i32) / 2f64.powi(31);
                let angle = FRAC_PI_2 * f64::from(word >> 30) + FRAC_PI_4 * within;
                radius * if u < 8 { angle.cos() } else { angle.sin() }
            }
            Law::Uniform | Law::Phase => 3f64.sqrt() * (2.0 * open(words[u]) - 1.0),
            Law::Rademacher => sign,
            Law::Laplace => -sign * open(words[u] << 1).ln() / SQRT_2,
        }
    }

    fn layout(&self) -> StreamLayout {
        StreamLayout::new(self.spec)
    }

    /// Component c of hidden unit j: a coordinate of W0, or b0.
    pub fn hidden(&self, j: u64, c: u64) -> f64 {
        let (layout, first) = (self.layout(), self.spec.net.first());
        let components = layout.hidden_components;
        let law = if c + 1 < components {
            first.law_w
        } else {
            first.law_b
        };
        let (group, u) = (j / 16, j % 16);
        match group < layout.full_groups {
            true => {
                let block = self.number * layout.blocks(Part::Hidden) + group * components + c;
                self.variate(Part::Hidden, block, u as usize, law)
            }
            false => {
                let owned = layout.blocks(Part::HiddenRemainder);
                let block = self.number / 16 * owned + c * layout.remainder + u;
                let place = self.number as usize % 16;
                self.variate(Part::HiddenRemainder, block, place, law)
            }
        }
    }

    /// The weight of hidden unit j in output a.
    pub fn readout(&self, a: u64, j: u64) -> f64 {
        let (layout, law) = (self.layout(), self.spec.net.readout().law_w);
        match j / 16 < layout.full_groups {
            true => {
                let block = self.number * layout.blocks(Part::Output) + j / 16 * layout.outputs + a;
                self.variate(Part::Output, block, j as usize % 16, law)
            }
            false => self.output_remainder(a, j % 16, law),
        }
    }

    pub fn output_remainder(&self, a: u64, u: u64, law: Law) -> f64 {
        let layout = self.layout();
        let owned = layout.blocks(Part::OutputRemainder);
        let block = self.number / 16 * owned + a * (layout.remainder + 1) + u;
        let place = self.number as usize % 16;
        self.variate(Part::OutputRemainder, block, place, law)
    }

    /// The value of hidden unit j at a point.
    pub fn value(&self, j: u64, x: &[f64]) -> f64 {
        let first = self.spec.net.first();
        let scale = first.sigma_w / (x.len() as f64).sqrt();
        let weighted = x.iter().enumerate();
        let z: f64 = weighted
            .map(|(c, x)| scale * self.hidden(j, c as u64) * x)
            .sum();
        let square: f64 = x.iter().map(|x| (scale * x).powi(2)).sum();
        let z = match first.sigma_b {
            0.0 => z,
            sigma => z + sigma * self.hidden(j, x.len() as u64),
        };
        let tape = self.spec.net.activation().tape();
        tape.evaluate(z, square + first.sigma_b.powi(2))
    }

    /// Component c of unit j of a layer above the first.
    fn inner(&self, layout: &InnerLayout, j: u64, c: u64, law: Law) -> f64 {
        let (group, u) = (j / 16, j % 16);
        match group < layout.full_groups() {
            true => {
                let block = self.number * layout.blocks() + group * layout.components + c;
                let stream = layout.stream(self.experiment);
                self.variate_of(stream, block, u as usize, law)
            }
            false => {
                let owned = layout.remainder_blocks();
                let block = self.number / 16 * owned + c * layout.remainder() + u;
                let stream = layout.remainder_stream(self.experiment);
                self.variate_of(stream, block, self.number as usize % 16, law)
            }
        }
    }

    /// The pre-activations of a layer above the first, `[unit][point]`, given the hidden values
    /// below it.
    pub fn above(&self, inner: &Inner, below: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (points, layout) = (below[0].len(), &inner.layout);
        let root = match inner.by {
            By::Weights(_) => DMatrix::zeros(0, 0),
            By::Covariance { bias } => {
                let covariance = DMatrix::from_fn(points, points, |p, q| {
                    let sum: f64 = below.iter().map(|h| h[p] * h[q]).sum();
                    bias + inner.scale * inner.scale * sum
                });
                covariance.cholesky().expect("independent points").l()
            }
        };
        (0..layout.units)
            .map(|j| {
                let bias = match inner.bias {
                    0.0 => 0.0,
                    sigma => sigma * self.inner(layout, j, layout.components - 1, inner.law_b),
                };
                let linear = |p: usize| -> f64 {
                    match inner.by {
                        By::Covariance { .. } => (0..=p)
                            .map(|c| root[(p, c)] * self.inner(layout, j, c as u64, Law::Gaussian))
                            .sum(),
                        By::Weights(law) => {
                            (below.iter().enumerate())
                                .map(|(i, h)| self.inner(layout, j, i as u64, law) * h[p])
                                .sum::<f64>()
                                * inner.scale
                        }
                    }
                };
                (0..points).map(|p| linear(p) + bias).collect()
            })
            .collect()
    }

    /// Output a at a point.
    pub fn output(&self, a: u64, x: &[f64]) -> f64 {
        let (net, readout) = (&self.spec.net, self.spec.net.readout());
        let sum: f64 = (0..net.width())
            .map(|j| self.readout(a, j) * self.value(j, x))
            .sum();
        let bias = match readout.sigma_b {
            0.0 => 0.0,
            sigma => sigma * self.output_remainder(a, self.layout().remainder, readout.law_b),
        };
        readout.sigma_w / (net.width() as f64).sqrt() * sum + bias
    }
}
