//! Descent of the readout alone: linear, so that outputs at the data are all that has to be followed.

use super::super::drawing::ROWS;
use super::super::networks::{TILE, Tile};
use super::super::rows::add_products;
use super::super::tape::{Evaluator, Scratch};
use super::all::{chunks, finish, pre_activations};
use super::{Descent, Parameters, Problem};
use crate::model::activation::Tape;
use crate::simd::{Aligned, has_fma, vectorised};

/// `Readout` holds what 16 networks yield as they were drawn, and the covariances C of their hidden layers.
///
/// A step changes f(x) by - eta sum_mu C(x, x_mu) (f(x_mu) - y_mu), C = sigma_b^2 + sigma_w^2/N sum_j h_j h_j: the sums
/// of all errors so far and f as it was drawn give f, with no loop over units.
pub struct Readout {
    evaluator: Evaluator,
    scratch: Scratch,
    /// Hidden values of some units, `[point][unit][lane]`.
    values: Aligned,
    /// C, `[point][data]`.
    covariance: Vec<Tile>,
    /// f as it was drawn, `[point][output]`.
    drawn: Vec<Tile>,
    /// The sums of all errors so far, `[data][output]`.
    errors: Vec<Tile>,
}

impl Readout {
    pub fn new(problem: &Problem, tape: &Tape) -> Self {
        let (points, data, outputs) = (problem.points(), problem.data(), problem.outputs());
        let zeros = |count: usize| vec![[0.0; TILE]; count];
        Self {
            evaluator: Evaluator::new(tape),
            scratch: Scratch::default(),
            values: Aligned::new(0.0, points * ROWS),
            covariance: zeros(points * data),
            drawn: zeros(points * outputs),
            errors: zeros(data * outputs),
        }
    }

    /// Computes the outputs at some points.
    fn outputs(&self, problem: &Problem, points: std::ops::Range<usize>, outputs: &mut [Tile]) {
        let (data, count) = (problem.data(), problem.outputs());
        for p in points {
            for a in 0..count {
                let f = &mut outputs[p * count + a];
                let mut moved = [0.0; TILE];
                for mu in 0..data {
                    let (c, sum) = (
                        &self.covariance[p * data + mu],
                        &self.errors[mu * count + a],
                    );
                    for l in 0..TILE {
                        moved[l] += c[l] * sum[l];
                    }
                }
                for l in 0..TILE {
                    f[l] = self.drawn[p * count + a][l] - problem.rate * moved[l];
                }
            }
        }
    }
}

impl Descent for Readout {
    fn begin(&mut self, problem: &Problem, parameters: &Parameters) {
        self.errors.fill([0.0; TILE]);
        self.covariance.fill([0.0; TILE]);
        self.drawn.fill([0.0; TILE]);
        add_units(self, problem, parameters);
        finish(problem, &parameters.bias, &mut self.drawn);
        let p = &problem.setup.parameters;
        let (weights, bias) = (p.readout * p.readout, p.readout_bias * p.readout_bias);
        for c in self.covariance.iter_mut().flatten() {
            *c = bias + weights * *c;
        }
    }

    fn forward(&mut self, problem: &Problem, outputs: &mut [Tile]) {
        self.outputs(problem, 0..problem.data(), outputs);
    }

    fn look(&mut self, problem: &Problem, outputs: &mut [Tile]) {
        self.outputs(problem, problem.data()..problem.points(), outputs);
    }

    fn step(&mut self, problem: &Problem, errors: &[Tile], outputs: &mut [Tile]) {
        for (sum, error) in self.errors.iter_mut().zip(errors) {
            for l in 0..TILE {
                sum[l] += error[l];
            }
        }
        self.forward(problem, outputs);
    }
}

vectorised! {
    fn add_units(readout: &mut Readout, problem: &Problem, parameters: &Parameters) {
        add_all_units::<{ has_fma!() }>(readout, problem, parameters)
    }
}

/// Sums outputs and products of hidden values over all units.
#[inline(always)]
fn add_all_units<const FMA: bool>(this: &mut Readout, problem: &Problem, parameters: &Parameters) {
    let stride = problem.setup.width as usize * TILE;
    let (data, count) = (problem.data(), problem.outputs());
    for (start, rows) in chunks(stride) {
        for (p, values) in this.values.chunks_exact_mut(ROWS).enumerate() {
            let values = &mut values[..rows];
            let point = &problem.setup.linear[p];
            pre_activations::<FMA>(point, &parameters.hidden, (stride, start), values);
            this.evaluator
                .apply(values, problem.variances[p], &mut this.scratch);
        }
        let at = |p: usize| &this.values[p * ROWS..][..rows];
        for p in 0..problem.points() {
            for (a, sum) in this.drawn[p * count..][..count].iter_mut().enumerate() {
                let readout = &parameters.readout[a * stride + start..][..rows];
                add_products::<FMA>(sum, readout, at(p));
            }
            for (mu, sum) in this.covariance[p * data..][..data].iter_mut().enumerate() {
                add_products::<FMA>(sum, at(p), at(mu));
            }
        }
    }
}
