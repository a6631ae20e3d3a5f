//! What rounding to f32 can do to networks is bounded by the properties of their activation and
//! laws.

use std::ops::Range;

use super::layers::{Bounded, Place};
use crate::Result;
use crate::engine::cpu::CpuEngine;
use crate::engine::{BlockPlan, Stages};
use crate::model::{Activation, EnsembleSpec, Estimator};
use crate::plan::{Drawn, Inner};
use crate::tensor::connected_fields;
use crate::theory::kernel_matrix;

/// `EPSILON` is half a unit in the last place of a number of order one in f32.
pub(super) const EPSILON: f64 = 1.0 / 16_777_216.0;
/// `VARIATE` bounds the error of a variate. In units of epsilon and its size, which of a normal is
/// the radius of its pair: two roundings of the angle, three of the series, three of r, whose
/// logarithm can lose a factor of two between e ln 2 and its series; other laws have fewer.
pub(super) const VARIATE: f64 = 8.0 * EPSILON;
/// A readout adds groups of 16 terms, and up to 256 groups: their roundings add like the square root
/// of their number, relative to the larger of rms and sum.
pub(super) const SUM: f64 = 16.0 * EPSILON;

/// `Hidden` holds the hidden values of networks in f64, `[network][unit][point]`, and bounds of
/// their errors in f32.
pub(super) struct Hidden {
    drawn: Drawn,
    places: Vec<Place>,
    /// The units of all layers, one layer after the other.
    networks: Vec<Bounded>,
}

impl Hidden {
    /// Draws the first `networks` networks of a block.
    pub fn new(spec: &EnsembleSpec, block: u64, networks: usize) -> Result<Self> {
        let cpu = CpuEngine::new();
        let values = cpu.hidden_values(spec, block, networks)?;
        let linear = linear(spec);
        let mut errors = cpu.hidden_values(&linear, block, networks)?;
        let (variance, error) = (variances(spec), pre_activation_errors(&linear)?);
        let tape = spec.net.activation().tape();
        let first = spec.net.first().width as usize;
        for network in &mut errors {
            network.truncate(first);
            for unit in network {
                for (p, z) in unit.iter_mut().enumerate() {
                    *z = tape.error_in_f32(*z, variance[p], error[p]);
                }
            }
        }
        let block = BlockPlan::new(spec).block(block);
        let place = |n: u64| Place {
            seed: spec.seed,
            experiment: block.experiment,
            network: block.first + n,
        };
        let mut all = Self {
            drawn: Drawn::at_all_points(spec)?,
            places: (0..values.len() as u64).map(place).collect(),
            networks: (values.into_iter().zip(errors))
                .map(|(values, errors)| Bounded { values, errors })
                .collect(),
        };
        for n in 0..all.networks.len() {
            for layer in 1..spec.net.depth() {
                let below = all.layer(n, layer - 1);
                let errors = all.above(n, layer, &below).errors;
                all.networks[n].errors.extend(errors);
            }
        }
        Ok(all)
    }

    /// Returns the hidden values of a network, layer after layer, and bounds of their errors, given what
    /// an engine has for them: those of the first layer as they are, those of others from the engine's
    /// own values of the layer below.
    pub fn beside(&self, network: usize, got: &[Vec<f64>]) -> Bounded {
        let mut all = self.layer(network, 0);
        for layer in 1..self.drawn.spec().net.depth() {
            let values = got[self.units(layer - 1)].to_vec();
            let errors = vec![vec![0.0; values[0].len()]; values.len()];
            let layer = self.above(network, layer, &Bounded { values, errors });
            all.values.extend(layer.values);
            all.errors.extend(layer.errors);
        }
        all
    }

    /// Lists the units of a hidden layer among those of all.
    fn units(&self, layer: usize) -> Range<usize> {
        let widths = self.drawn.spec().net.hidden();
        let first: u64 = widths[..layer].iter().sum();
        first as usize..(first + widths[layer]) as usize
    }

    fn layer(&self, network: usize, layer: usize) -> Bounded {
        let (all, units) = (&self.networks[network], self.units(layer));
        Bounded {
            values: all.values[units.clone()].to_vec(),
            errors: all.errors[units].to_vec(),
        }
    }

    /// Computes the hidden values of a layer above the first from those below it.
    fn above(&self, network: usize, layer: usize, below: &Bounded) -> Bounded {
        let inner: &Inner = &self.drawn.inner()[layer - 1];
        let tape = self.drawn.spec().net.activation().tape();
        let mut all = self.places[network].above(inner, below);
        for (values, errors) in all.values.iter_mut().zip(&mut all.errors) {
            for ((z, error), v) in values.iter_mut().zip(errors).zip(&inner.variances) {
                *error = tape.error_in_f32(*z, *v, *error);
                *z = tape.evaluate(*z, *v);
            }
        }
        all
    }

    /// Bounds the error of every field of a network, whose fields in f64 are given.
    pub fn fields(&self, network: usize, fields: &[f64]) -> Vec<f64> {
        let net = &self.drawn.spec().net;
        let last = self.layer(network, net.depth() - 1);
        let (values, errors) = (&last.values, &last.errors);
        let units = || values.iter().zip(errors);
        let p = self.drawn.parameters();
        let points = p.weights.len();
        match self.drawn.spec().estimator {
            Estimator::Direct if net.depth() > 1 => {
                let outputs = &self.drawn.inner()[net.depth() - 1];
                self.places[network].above(outputs, &last).errors.concat()
            }
            Estimator::Direct => (fields.iter().enumerate())
                .map(|(f, field)| {
                    // Each unit's error goes with a weight of its own, either sign of which is
                    // equally likely: they add like their root mean square.
                    let point = f % points;
                    let square = |(h, e): (&Vec<f64>, &Vec<f64>)| {
                        (e[point] + VARIATE * h[point].abs()).powi(2)
                    };
                    let of_units = units().map(square).sum::<f64>().sqrt();
                    let rms = self.drawn.scales()[f];
                    p.readout * p.laws.readout.reach() * of_units
                        + p.readout_bias * p.laws.readout_bias.reach() * VARIATE
                        + SUM * rms.max(field.abs())
                })
                .collect(),
            Estimator::Connected => {
                let spec = self.drawn.spec();
                (connected_fields(points, &spec.orders, !spec.net.has_cumulants())
                    .iter()
                    .enumerate())
                .map(|(f, index)| {
                    let size = |h: &Vec<f64>| index.iter().map(|&i| h[i].abs()).product::<f64>();
                    let square = |(h, e): (&Vec<f64>, &Vec<f64>)| {
                        let most: f64 = index.iter().map(|&i| h[i].abs() + e[i]).product();
                        (most - size(h)).powi(2)
                    };
                    // Errors of variates have either sign. Those of a fit may have one for many
                    // units, and the centre has one for all.
                    let either = units().map(square).sum::<f64>().sqrt();
                    let one = units().map(|(h, _)| size(h)).sum::<f64>();
                    let (factor, centre) = match self.drawn.centre().get(f) {
                        Some(centre) => (p.readout * p.readout, centre.abs()),
                        None => (p.cumulant(index.len() as u32).0, 0.0),
                    };
                    let one = one + values.len() as f64 * centre;
                    factor.abs() * (either + VARIATE * one)
                })
                .collect()
            }
        }
    }
}

/// `Averages` holds what is left of the errors of hidden values in averages over networks, relative
/// to the rms of a field.
pub(super) struct Averages {
    /// The part that is the same in every network, as a fit's.
    pub bias: f64,
    /// The rms of the part that averages out, from network to network: units so near to a jump of the
    /// activation that they are on the other side of it in f32, and in deep nets the paths of units
    /// along directions that are all but absent from a covariance. All else is far below a field's
    /// fluctuation.
    pub single: f64,
}

/// The number of hidden units from which averages are estimated.
const UNITS: u64 = 20_000;
/// Distance from a jump, in standard deviations, within which the density of pre-activations is
/// taken to be that at the jump.
const NEAR: f64 = 0.02;
/// Number of networks whose bounds tell how far paths are off.
const PATHS: usize = 16;

impl Averages {
    pub fn new(spec: &EnsembleSpec) -> Result<Self> {
        let spec = EnsembleSpec {
            estimator: Estimator::Direct,
            tilt: None,
            ..spec.clone()
        };
        let linear = linear(&spec);
        let first = spec.net.first().width;
        let networks = UNITS.div_ceil(first) as usize;
        let mut all = CpuEngine::new().hidden_values(&linear, 0, networks)?;
        for network in &mut all {
            network.truncate(first as usize);
        }
        let (variance, error) = (variances(&spec), pre_activation_errors(&linear)?);
        let (activation, readout) = (spec.net.activation(), spec.net.readout().sigma_w);
        let kernel = kernel_matrix(&spec);
        let (mut bias, mut jumps) = (0.0f64, 0.0f64);
        for (p, (v, error)) in variance.into_iter().zip(error).enumerate() {
            let z: Vec<f64> = all.iter().flatten().map(|unit| unit[p]).collect();
            let mean =
                |of: &dyn Fn(f64) -> f64| z.iter().map(|&z| of(z)).sum::<f64>() / z.len() as f64;
            let share =
                |kink: f64, within: f64| mean(&|z| f64::from(u8::from((z - kink).abs() <= within)));
            let of_fit = mean(&|z| activation.tape().error_in_f32(z, v, 0.0).powi(2));
            let near = NEAR * v.sqrt();
            let of_jumps: f64 = (activation.kinks().iter())
                .map(|&kink| {
                    let jump =
                        activation.evaluate(kink + error, v) - activation.evaluate(kink - error, v);
                    // Those that are there in the sample, and those of a smooth density.
                    let probability =
                        share(kink, error) + share(kink, near) * (error / near).min(1.0);
                    jump * jump * probability
                })
                .sum();
            let relative = |square: f64| match kernel[p][p] > 0.0 {
                true => readout * (square / kernel[p][p]).sqrt(),
                false => 0.0,
            };
            bias = bias.max(relative(of_fit));
            jumps = jumps.max(relative(of_jumps));
        }
        // Every layer adds its own.
        let depth = spec.net.depth() as f64;
        let paths = match spec.net.depth() {
            1 => 0.0,
            _ => paths(&spec)?,
        };
        Ok(Self {
            bias: bias * depth,
            single: (jumps * depth.sqrt()).hypot(paths),
        })
    }
}

/// Returns the rms of the errors of fields of single networks, relative to their size, from their
/// bounds.
fn paths(spec: &EnsembleSpec) -> Result<f64> {
    let hidden = Hidden::new(spec, 0, PATHS)?;
    let fields = CpuEngine::new().draw_networks(spec, 0, PATHS)?;
    let mut squares = Vec::new();
    for (n, network) in fields.iter().enumerate() {
        let errors = hidden.fields(n, &network.field);
        let relative = errors.iter().zip(hidden.drawn.scales());
        squares.extend(relative.map(|(error, scale)| (error / scale).min(1.0).powi(2)));
    }
    Ok((squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
}

/// Returns the ensemble with pre-activations for hidden values.
fn linear(spec: &EnsembleSpec) -> EnsembleSpec {
    let identity: Activation = "z".parse().expect("an activation");
    EnsembleSpec {
        net: spec.net.clone().with_activation(identity),
        ..spec.clone()
    }
}

/// Returns Var z at every point.
fn variances(spec: &EnsembleSpec) -> Vec<f64> {
    let square = |form: Vec<f64>| form.iter().map(|x| x * x).sum();
    let forms = spec.inputs.points().iter().map(|x| spec.net.linear_form(x));
    forms.map(square).collect()
}

/// Bounds the error of a pre-activation at every point, given the ensemble of [`linear`]: each
/// variate's, at the largest that can be drawn.
fn pre_activation_errors(linear: &EnsembleSpec) -> Result<Vec<f64>> {
    let drawn = Drawn::at_all_points(linear)?;
    Ok(drawn.reach().iter().map(|z| VARIATE * z).collect())
}
