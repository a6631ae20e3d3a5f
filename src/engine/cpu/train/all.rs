//! Descent of all parameters: forward through the hidden layer and back.

use super::super::drawing::ROWS;
use super::super::networks::{TILE, Tile};
use super::super::rows::add_products;
use super::super::tape::{DualEvaluator, Scratch};
use super::{Descent, Parameters, Problem};
use crate::model::activation::Dual;
use crate::simd::{Aligned, has_fma, madd, vectorised};

/// `All` holds the parameters of 16 networks, and what the last pass forward has left of every unit at the data.
pub struct All {
    evaluator: DualEvaluator,
    scratch: Scratch,
    /// `[component][unit][lane]`
    hidden: Aligned,
    /// `[output][unit][lane]`
    readout: Aligned,
    bias: Vec<Tile>,
    /// Hidden values at the data and their derivatives, `[data][unit][lane]`.
    values: Aligned,
    slopes: Aligned,
    /// The same of some units at another point.
    value: Aligned,
    slope: Aligned,
    /// Errors times what they move parameters by, `[data][output]`.
    errors: Vec<Tile>,
    /// Steps of some units, `[component, then output][unit][lane]`.
    moves: Aligned,
}

impl All {
    pub fn new(problem: &Problem, dual: &Dual) -> Self {
        let setup = &problem.setup;
        let stride = setup.width as usize * TILE;
        let (components, outputs) = (setup.linear[0].len(), problem.outputs());
        let zeros = |rows: usize| Aligned::new(0.0, rows);
        Self {
            evaluator: DualEvaluator::new(dual),
            scratch: Scratch::default(),
            hidden: zeros(components * stride),
            readout: zeros(outputs * stride),
            bias: vec![[0.0; TILE]; outputs],
            values: zeros(problem.data() * stride),
            slopes: zeros(problem.data() * stride),
            value: zeros(ROWS),
            slope: zeros(ROWS),
            errors: vec![[0.0; TILE]; problem.data() * outputs],
            moves: zeros((components + outputs) * ROWS),
        }
    }
}

impl Descent for All {
    fn begin(&mut self, _: &Problem, parameters: &Parameters) {
        self.hidden.copy_from_slice(&parameters.hidden);
        self.readout.copy_from_slice(&parameters.readout);
        self.bias.copy_from_slice(&parameters.bias);
    }

    fn forward(&mut self, problem: &Problem, outputs: &mut [Tile]) {
        forward(self, problem, outputs);
    }

    fn look(&mut self, problem: &Problem, outputs: &mut [Tile]) {
        look(self, problem, outputs);
    }

    fn step(&mut self, problem: &Problem, errors: &[Tile]) {
        step(self, problem, errors);
    }
}

vectorised! {
    fn forward(all: &mut All, problem: &Problem, outputs: &mut [Tile]) {
        go_forward::<{ has_fma!() }>(all, problem, outputs)
    }
}

vectorised! {
    fn look(all: &mut All, problem: &Problem, outputs: &mut [Tile]) {
        look_at_others::<{ has_fma!() }>(all, problem, outputs)
    }
}

vectorised! {
    fn step(all: &mut All, problem: &Problem, errors: &[Tile]) {
        go_back::<{ has_fma!() }>(all, problem, errors)
    }
}

/// Some units of every network: where their rows start, and how many there are.
pub(super) fn chunks(stride: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..stride)
        .step_by(ROWS)
        .map(move |start| (start, ROWS.min(stride - start)))
}

#[inline(always)]
fn go_forward<const FMA: bool>(all: &mut All, problem: &Problem, outputs: &mut [Tile]) {
    let stride = problem.setup.width as usize * TILE;
    let (data, count) = (problem.data(), problem.outputs());
    outputs[..data * count].fill([0.0; TILE]);
    for (start, rows) in chunks(stride) {
        for mu in 0..data {
            let at = mu * stride + start;
            let values = &mut all.values[at..at + rows];
            pre_activations::<FMA>(
                &problem.setup.linear[mu],
                &all.hidden,
                (stride, start),
                values,
            );
            let slopes = &mut all.slopes[at..at + rows];
            (all.evaluator).apply(values, slopes, problem.variances[mu], &mut all.scratch);
            add_outputs::<FMA>(
                &all.readout,
                (stride, start),
                values,
                &mut outputs[mu * count..][..count],
            );
        }
    }
    finish(problem, &all.bias, &mut outputs[..data * count]);
}

#[inline(always)]
fn look_at_others<const FMA: bool>(all: &mut All, problem: &Problem, outputs: &mut [Tile]) {
    let stride = problem.setup.width as usize * TILE;
    let (data, count) = (problem.data(), problem.outputs());
    let others = &mut outputs[data * count..];
    others.fill([0.0; TILE]);
    for (start, rows) in chunks(stride) {
        for (k, outputs) in others.chunks_exact_mut(count).enumerate() {
            let p = data + k;
            let value = &mut all.value[..rows];
            pre_activations::<FMA>(
                &problem.setup.linear[p],
                &all.hidden,
                (stride, start),
                value,
            );
            let slope = &mut all.slope[..rows];
            (all.evaluator).apply(value, slope, problem.variances[p], &mut all.scratch);
            add_outputs::<FMA>(&all.readout, (stride, start), value, outputs);
        }
    }
    finish(problem, &all.bias, others);
}

/// Computes pre-activations of some units at a point.
#[inline(always)]
pub(super) fn pre_activations<const FMA: bool>(
    point: &[f64],
    hidden: &[f64],
    (stride, start): (usize, usize),
    z: &mut [f64],
) {
    let rows = z.len();
    let component = |c: usize| &hidden[c * stride + start..][..rows];
    match *point {
        [x] => {
            for (z, n) in z.iter_mut().zip(component(0)) {
                *z = n * x;
            }
        }
        [x, y] => {
            let both = component(0).iter().zip(component(1));
            for (z, (n, m)) in z.iter_mut().zip(both) {
                *z = madd::<FMA>(*m, y, n * x);
            }
        }
        _ => {
            z.fill(0.0);
            for (x, hidden) in point.iter().zip(hidden.chunks_exact(stride)) {
                for (z, n) in z.iter_mut().zip(&hidden[start..]) {
                    *z = madd::<FMA>(*n, *x, *z);
                }
            }
        }
    }
}

/// Adds what some units contribute to the outputs at a point.
#[inline(always)]
fn add_outputs<const FMA: bool>(
    readout: &[f64],
    (stride, start): (usize, usize),
    values: &[f64],
    outputs: &mut [Tile],
) {
    for (sum, readout) in outputs.iter_mut().zip(readout.chunks_exact(stride)) {
        add_products::<FMA>(sum, &readout[start..start + values.len()], values);
    }
}

/// Makes outputs of sums over units.
pub(super) fn finish(problem: &Problem, bias: &[Tile], outputs: &mut [Tile]) {
    let p = &problem.setup.parameters;
    for outputs in outputs.chunks_exact_mut(bias.len()) {
        for (f, b1) in outputs.iter_mut().zip(bias) {
            for l in 0..TILE {
                f[l] = p.readout_bias * b1[l] + p.readout * f[l];
            }
        }
    }
}

#[inline(always)]
fn go_back<const FMA: bool>(all: &mut All, problem: &Problem, errors: &[Tile]) {
    let (p, count) = (&problem.setup.parameters, problem.outputs());
    // What multiplies a hidden value's derivative.
    let scale = -problem.rate * p.readout;
    for (scaled, error) in all.errors.iter_mut().zip(errors) {
        *scaled = error.map(|e| scale * e);
    }
    match (problem.setup.linear[0].len(), count) {
        (1, 1) => move_units::<FMA, 1>(all, problem),
        (2, 1) => move_units::<FMA, 2>(all, problem),
        (3, 1) => move_units::<FMA, 3>(all, problem),
        _ => move_any_units::<FMA>(all, problem),
    }
    let scale = -problem.rate * p.readout_bias;
    for errors in errors.chunks_exact(count) {
        for (bias, error) in all.bias.iter_mut().zip(errors) {
            for l in 0..TILE {
                bias[l] = madd::<FMA>(scale, error[l], bias[l]);
            }
        }
    }
}

/// Networks whose parameters of a unit stay in registers while the data go by.
const LANES: usize = 8;

/// Moves the units of networks of few components and one output, unit by unit, with nothing stored on the way.
#[inline(always)]
fn move_units<const FMA: bool, const C: usize>(all: &mut All, problem: &Problem) {
    let stride = problem.setup.width as usize * TILE;
    let data = problem.data();
    for at in (0..stride).step_by(LANES) {
        let lane = at % TILE;
        let w = *lanes(&all.readout[at..]);
        let (mut of_readout, mut of_hidden) = ([0.0; LANES], [[0.0; LANES]; C]);
        for mu in 0..data {
            let error = lanes(&all.errors[mu][lane..]);
            let values = lanes(&all.values[mu * stride + at..]);
            let slopes = lanes(&all.slopes[mu * stride + at..]);
            let point: &[f64; C] = first(&problem.setup.linear[mu]);
            for l in 0..LANES {
                of_readout[l] = madd::<FMA>(error[l], values[l], of_readout[l]);
                let back = error[l] * w[l] * slopes[l];
                for c in 0..C {
                    of_hidden[c][l] = madd::<FMA>(point[c], back, of_hidden[c][l]);
                }
            }
        }
        add(&mut all.readout[at..], &of_readout);
        for (c, moves) in of_hidden.iter().enumerate() {
            add(&mut all.hidden[c * stride + at..], moves);
        }
    }
}

#[inline(always)]
fn first<const N: usize>(all: &[f64]) -> &[f64; N] {
    all.first_chunk().expect("as many numbers")
}

#[inline(always)]
fn lanes(all: &[f64]) -> &[f64; LANES] {
    first(all)
}

#[inline(always)]
fn add(all: &mut [f64], moves: &[f64; LANES]) {
    let all: &mut [f64; LANES] = all.first_chunk_mut().expect("as many numbers");
    for l in 0..LANES {
        all[l] += moves[l];
    }
}

/// Moves the units of networks of any number of components and outputs, a step of the work at a time.
#[inline(always)]
fn move_any_units<const FMA: bool>(all: &mut All, problem: &Problem) {
    let count = problem.outputs();
    let stride = problem.setup.width as usize * TILE;
    let components = problem.setup.linear[0].len();
    for (start, rows) in chunks(stride) {
        all.moves.fill(0.0);
        for (mu, errors) in all.errors.chunks_exact(count).enumerate() {
            let (values, slopes) = (
                &all.values[mu * stride + start..][..rows],
                &all.slopes[mu * stride + start..][..rows],
            );
            let mut back = [0.0; ROWS];
            let back = &mut back[..rows];
            let (hidden_moves, readout_moves) = all.moves.split_at_mut(components * ROWS);
            for (a, error) in errors.iter().enumerate() {
                let readout = &all.readout[a * stride + start..][..rows];
                let moves = &mut readout_moves[a * ROWS..][..rows];
                descend_readout::<FMA>(*error, readout, values, back, moves);
            }
            for (back, slope) in back.iter_mut().zip(slopes) {
                *back *= slope;
            }
            for (x, moves) in problem.setup.linear[mu]
                .iter()
                .zip(hidden_moves.chunks_exact_mut(ROWS))
            {
                for (m, back) in moves.iter_mut().zip(back.iter()) {
                    *m = madd::<FMA>(*x, *back, *m);
                }
            }
        }
        let moves = all.moves.chunks_exact(ROWS);
        let hidden = all.hidden.chunks_exact_mut(stride);
        for (parameters, moves) in hidden
            .chain(all.readout.chunks_exact_mut(stride))
            .zip(moves)
        {
            for (parameter, m) in parameters[start..start + rows].iter_mut().zip(moves) {
                *parameter += m;
            }
        }
    }
}

/// Adds the step of the readout of some units to one output at one point, and what goes back through it.
#[inline(always)]
fn descend_readout<const FMA: bool>(
    error: Tile,
    readout: &[f64],
    values: &[f64],
    back: &mut [f64],
    moves: &mut [f64],
) {
    let back = back.as_chunks_mut::<TILE>().0.iter_mut();
    let moves = moves.as_chunks_mut::<TILE>().0.iter_mut();
    let readout = readout.as_chunks::<TILE>().0.iter();
    let values = values.as_chunks::<TILE>().0.iter();
    for (((back, m), w), h) in back.zip(moves).zip(readout).zip(values) {
        for l in 0..TILE {
            back[l] = madd::<FMA>(error[l], w[l], back[l]);
            m[l] = madd::<FMA>(error[l], h[l], m[l]);
        }
    }
}
