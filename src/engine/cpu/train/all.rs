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
    /// Components of the linear form at the data, `[data][component]`.
    points: Vec<f64>,
    /// Hidden values at the data and their derivatives, `[some units][data][unit][lane]`: what a pass needs at a time
    /// is in one place.
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
        let points = &setup.linear[..problem.data()];
        Self {
            evaluator: DualEvaluator::new(dual),
            scratch: Scratch::default(),
            hidden: zeros(components * stride),
            readout: zeros(outputs * stride),
            bias: vec![[0.0; TILE]; outputs],
            points: points.iter().flatten().copied().collect(),
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

    fn step(&mut self, problem: &Problem, errors: &[Tile], outputs: &mut [Tile]) {
        step(self, problem, errors, outputs);
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
    fn step(all: &mut All, problem: &Problem, errors: &[Tile], outputs: &mut [Tile]) {
        go_back::<{ has_fma!() }>(all, problem, errors, outputs)
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
    let outputs = &mut outputs[..problem.data() * problem.outputs()];
    outputs.fill([0.0; TILE]);
    for chunk in chunks(stride) {
        fill::<FMA>(all, problem, chunk);
        activate::<FMA>(all, problem, chunk, outputs);
    }
    finish(problem, &all.bias, outputs);
}

/// Computes the pre-activations of some units at the data.
#[inline(always)]
fn fill<const FMA: bool>(all: &mut All, problem: &Problem, (start, rows): (usize, usize)) {
    let stride = problem.setup.width as usize * TILE;
    let points = &problem.setup.linear[..problem.data()];
    let values = &mut all.values[start * points.len()..];
    for (point, values) in points.iter().zip(values.chunks_exact_mut(rows)) {
        pre_activations::<FMA>(point, &all.hidden, (stride, start), values);
    }
}

/// Makes hidden values and derivatives of some units' pre-activations at the data, and adds what they contribute to
/// the outputs.
#[inline(always)]
fn activate<const FMA: bool>(
    all: &mut All,
    problem: &Problem,
    (start, rows): (usize, usize),
    outputs: &mut [Tile],
) {
    let stride = problem.setup.width as usize * TILE;
    let at = start * problem.data();
    let values = all.values[at..].chunks_exact_mut(rows);
    let both = values.zip(all.slopes[at..].chunks_exact_mut(rows));
    let outputs = outputs.chunks_exact_mut(problem.outputs());
    for (((values, slopes), v), outputs) in both.zip(&problem.variances).zip(outputs) {
        (all.evaluator).apply(values, slopes, *v, &mut all.scratch);
        add_outputs::<FMA>(&all.readout, (stride, start), values, outputs);
    }
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

/// Moves the networks and computes their new outputs, some units after the other: what is left of these at the data is
/// read while it is near, and written once.
#[inline(always)]
fn go_back<const FMA: bool>(
    all: &mut All,
    problem: &Problem,
    errors: &[Tile],
    outputs: &mut [Tile],
) {
    let (p, count) = (&problem.setup.parameters, problem.outputs());
    // What multiplies a hidden value's derivative.
    let scale = -problem.rate * p.readout;
    for (scaled, error) in all.errors.iter_mut().zip(errors) {
        *scaled = error.map(|e| scale * e);
    }
    let outputs = &mut outputs[..problem.data() * count];
    outputs.fill([0.0; TILE]);
    for chunk in chunks(problem.setup.width as usize * TILE) {
        match (problem.setup.linear[0].len(), count) {
            (1, 1) => move_units::<FMA, 1>(all, problem, chunk),
            (2, 1) => move_units::<FMA, 2>(all, problem, chunk),
            (3, 1) => move_units::<FMA, 3>(all, problem, chunk),
            _ => {
                move_any_units::<FMA>(all, problem, chunk);
                fill::<FMA>(all, problem, chunk);
            }
        }
        activate::<FMA>(all, problem, chunk, outputs);
    }
    let scale = -problem.rate * p.readout_bias;
    for errors in errors.chunks_exact(count) {
        for (bias, error) in all.bias.iter_mut().zip(errors) {
            for l in 0..TILE {
                bias[l] = madd::<FMA>(scale, error[l], bias[l]);
            }
        }
    }
    finish(problem, &all.bias, outputs);
}

/// Networks whose parameters of a unit stay in registers while the data go by.
const LANES: usize = 8;

/// Moves some units of networks of few components and one output, unit by unit, and leaves their new pre-activations
/// in place of their values; nothing else is stored on the way.
#[inline(always)]
fn move_units<const FMA: bool, const C: usize>(
    all: &mut All,
    problem: &Problem,
    (start, rows): (usize, usize),
) {
    let stride = problem.setup.width as usize * TILE;
    let part = start * problem.data()..(start + rows) * problem.data();
    let values = all.values[part.clone()].as_chunks_mut::<LANES>().0;
    let slopes = &all.slopes[part].as_chunks::<LANES>().0[..values.len()];
    let (points, errors) = (all.points.as_chunks::<C>().0, &all.errors[..]);
    for at in (0..rows).step_by(LANES) {
        let half = at % TILE / LANES;
        let mut w = *lanes(&all.readout[start + at..]);
        let mut n = [[0.0; LANES]; C];
        for (c, n) in n.iter_mut().enumerate() {
            *n = *lanes(&all.hidden[c * stride + start + at..]);
        }
        let (mut of_readout, mut of_hidden) = ([0.0; LANES], [[0.0; LANES]; C]);
        // Places are counted: chunks of so many rows would take a division for every unit.
        let mut place = at / LANES;
        for (error, point) in errors.iter().zip(points) {
            let error = error.as_chunks::<LANES>().0[half];
            let (value, slope, point) = (values[place], slopes[place], *point);
            place += rows / LANES;
            for l in 0..LANES {
                of_readout[l] = madd::<FMA>(error[l], value[l], of_readout[l]);
                let back = error[l] * w[l] * slope[l];
                for c in 0..C {
                    of_hidden[c][l] = madd::<FMA>(point[c], back, of_hidden[c][l]);
                }
            }
        }
        for l in 0..LANES {
            w[l] += of_readout[l];
            for c in 0..C {
                n[c][l] += of_hidden[c][l];
            }
        }
        *lanes_mut(&mut all.readout[start + at..]) = w;
        for (c, n) in n.iter().enumerate() {
            *lanes_mut(&mut all.hidden[c * stride + start + at..]) = *n;
        }
        let mut place = at / LANES;
        for point in points {
            // Copies: what may lie in the row that is written would be read again for every number.
            let (point, mut z) = (*point, [0.0; LANES]);
            for l in 0..LANES {
                z[l] = n[0][l] * point[0];
                // The signs of zeros are those of `pre_activations`.
                if C > 2 {
                    z[l] += 0.0;
                }
                for c in 1..C {
                    z[l] = madd::<FMA>(n[c][l], point[c], z[l]);
                }
            }
            values[place] = z;
            place += rows / LANES;
        }
    }
}

#[inline(always)]
fn lanes(all: &[f64]) -> &[f64; LANES] {
    all.first_chunk().expect("as many numbers")
}

#[inline(always)]
fn lanes_mut(all: &mut [f64]) -> &mut [f64; LANES] {
    all.first_chunk_mut().expect("as many numbers")
}

/// Moves some units of networks of any number of components and outputs, a step of the work at a time.
#[inline(always)]
fn move_any_units<const FMA: bool>(
    all: &mut All,
    problem: &Problem,
    (start, rows): (usize, usize),
) {
    let count = problem.outputs();
    let stride = problem.setup.width as usize * TILE;
    let components = problem.setup.linear[0].len();
    let part = start * problem.data()..;
    all.moves.fill(0.0);
    let data =
        (all.values[part.clone()].chunks_exact(rows)).zip(all.slopes[part].chunks_exact(rows));
    for ((errors, point), (values, slopes)) in (all.errors.chunks_exact(count))
        .zip(&problem.setup.linear)
        .zip(data)
    {
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
        for (x, moves) in point.iter().zip(hidden_moves.chunks_exact_mut(ROWS)) {
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
    for (((back, moves), w), h) in back.zip(moves).zip(readout).zip(values) {
        let (mut b, mut m) = (*back, *moves);
        for l in 0..TILE {
            b[l] = madd::<FMA>(error[l], w[l], b[l]);
            m[l] = madd::<FMA>(error[l], h[l], m[l]);
        }
        (*back, *moves) = (b, m);
    }
}
