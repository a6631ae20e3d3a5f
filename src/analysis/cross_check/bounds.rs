//! What rounding to f32 can do to networks is bounded by the properties of their activation and
//! laws.

use crate::Result;
use crate::engine::Stages;
use crate::engine::cpu::CpuEngine;
use crate::model::{Activation, EnsembleSpec, Estimator};
use crate::plan::Drawn;
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
const SUM: f64 = 16.0 * EPSILON;

/// `Hidden` holds the hidden values of networks in f64, `[network][unit][point]`, and bounds of
/// their errors in f32.
pub(super) struct Hidden {
    drawn: Drawn,
    pub values: Vec<Vec<Vec<f64>>>,
    pub errors: Vec<Vec<Vec<f64>>>,
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
        for unit in errors.iter_mut().flatten() {
            for (p, z) in unit.iter_mut().enumerate() {
                *z = tape.error_in_f32(*z, variance[p], error[p]);
            }
        }
        Ok(Self {
            drawn: Drawn::at_all_points(spec)?,
            values,
            errors,
        })
    }

    /// Bounds the error of every field of a network, whose fields in f64 are given.
    pub fn fields(&self, network: usize, fields: &[f64]) -> Vec<f64> {
        let (values, errors) = (&self.values[network], &self.errors[network]);
        let units = || values.iter().zip(errors);
        let p = self.drawn.parameters();
        let points = p.weights.len();
        match self.drawn.spec().estimator {
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
                let is_gaussian = spec.net.has_gaussian_readout_weights();
                (connected_fields(points, &spec.orders, is_gaussian)
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
    /// The rms of the part that averages out: units so near to a jump of the activation that they
    /// are on the other side of it in f32. All else is far below a field's fluctuation.
    pub jumps: f64,
}

/// The number of hidden units from which averages are estimated.
const UNITS: u64 = 20_000;
/// Distance from a jump, in standard deviations, within which the density of pre-activations is
/// taken to be that at the jump.
const NEAR: f64 = 0.02;

impl Averages {
    pub fn new(spec: &EnsembleSpec) -> Result<Self> {
        let spec = EnsembleSpec {
            estimator: Estimator::Direct,
            tilt: None,
            ..spec.clone()
        };
        let linear = linear(&spec);
        let networks = UNITS.div_ceil(spec.net.width()) as usize;
        let all = CpuEngine::new().hidden_values(&linear, 0, networks)?;
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
        Ok(Self { bias, jumps })
    }
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
