//! This module lays out the buffer `parameters` of straight-line shaders, and the numbers that are
//! in it.

use serde::Serialize;

use super::deep;
use super::setup::Setup;
use crate::{Error, Result};

/// Count of numbers that every adapter can bind as a uniform: 16 KiB.
const UNIFORM: usize = 4096;

/// `Places` tells where the shaders find each constant of a run: `at` in their texts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Places {
    /// Whether the buffer is a uniform, and how many quads it holds.
    is_uniform: bool,
    quads: usize,
    /// Distance in numbers from one point to the next.
    stride: usize,
    /// Places per point: of the weights of the components, offset, readout, the readout of b1, and
    /// the variance where the activation takes it.
    weight: Vec<Vec<usize>>,
    offset: Vec<usize>,
    readout: Vec<usize>,
    readout_bias: Vec<usize>,
    variance: Vec<usize>,
    /// Place of the weight of b0.
    bias: usize,
    /// Places per pair of points: of 4 E[h h], and the unit of the pair's field.
    centre: Vec<usize>,
    unit: Vec<usize>,
    /// Place of the first shift, which is none, and the distance from one shift to the next; a
    /// shift has its components, then its logarithm.
    shift: usize,
    shift_stride: usize,
    /// Places for equally spaced points: of the step, and per point the factor of the
    /// normalisation.
    step: Vec<usize>,
    factor: Vec<usize>,
}

/// A layout holds the constants of a run and where they are.
pub struct Layout {
    pub at: Places,
    numbers: Vec<f64>,
}

impl Layout {
    pub fn new(setup: &Setup) -> Self {
        let (p, unit) = (&setup.parameters, setup.activation.unit);
        let mut at = Places::default();
        let mut numbers = Vec::new();
        for (i, (x, offset)) in p.weights.iter().zip(&p.offset).enumerate() {
            // A covariance has no readout.
            let scale = if setup.is_direct {
                setup.scales[i]
            } else {
                1.0
            };
            at.weight
                .push(put(&mut numbers, x.iter().map(|x| unit * x)));
            at.offset.push(put_one(&mut numbers, unit * offset));
            at.readout.push(put_one(&mut numbers, p.readout / scale));
            at.readout_bias
                .push(put_one(&mut numbers, p.readout_bias / scale));
            let variance = setup.variances.get(i).copied();
            at.variance.extend(put(&mut numbers, variance.into_iter()));
        }
        at.stride = numbers.len() / setup.points;
        at.bias = put_one(&mut numbers, unit * p.bias);
        if !setup.is_direct {
            at.centre = put(&mut numbers, setup.centre.iter().map(|m| 4.0 * m));
            let units = setup.scales.iter().map(|s| p.readout * p.readout / s);
            at.unit = put(&mut numbers, units);
        }
        if let Some(tilt) = &setup.tilt {
            at.shift_stride = setup.d_in + 2;
            at.shift = numbers.len();
            numbers.extend(vec![0.0; at.shift_stride]);
            for (shift, log) in tilt.shifts.iter().zip(&tilt.logarithms) {
                numbers.extend(shift.iter().chain([log]));
            }
        }
        if let Some(progression) = &setup.progression {
            at.step = put(&mut numbers, progression.step.iter().map(|x| unit * x));
            at.factor = put(&mut numbers, progression.factors.iter().copied());
        }
        at.is_uniform = numbers.len() <= UNIFORM;
        at.quads = numbers.len().div_ceil(4);
        numbers.resize(4 * at.quads, 0.0);
        Self { at, numbers }
    }

    /// Returns the numbers that the buffer holds.
    ///
    /// # Errors
    /// Those of [`to_f32`].
    fn numbers(&self) -> Result<Vec<f32>> {
        to_f32(&self.numbers)
    }
}

/// Returns the numbers of the buffer `parameters` of a setup's shaders.
///
/// # Errors
/// Those of [`to_f32`].
pub fn numbers(setup: &Setup) -> Result<Vec<f32>> {
    match setup.is_deep() {
        true => deep::numbers(setup),
        false => Layout::new(setup).numbers(),
    }
}

/// Appends values and tells the place of each.
fn put(numbers: &mut Vec<f64>, values: impl Iterator<Item = f64>) -> Vec<usize> {
    let first = numbers.len();
    numbers.extend(values);
    (first..numbers.len()).collect()
}

fn put_one(numbers: &mut Vec<f64>, value: f64) -> usize {
    numbers.push(value);
    numbers.len() - 1
}

/// Rounds constants to f32, as the shaders take them.
///
/// # Errors
/// [`Error::Overflow`] of a constant that leaves no room.
pub fn to_f32(all: &[f64]) -> Result<Vec<f32>> {
    // Normals reach 6.8; headroom for sums over coordinates and units.
    let limit = f64::from(f32::MAX) / 1e6;
    if let Some(bad) = all.iter().find(|x| x.abs() > limit || !x.is_finite()) {
        return Err(Error::Overflow(format!("a weight of scale {bad:.3e}")));
    }
    Ok(all.iter().map(|&x| x as f32).collect())
}
