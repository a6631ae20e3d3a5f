//! Networks: hidden values, then outputs or covariances (twin of `shaders/networks.wgsl` and
//! `shaders/remainder.wgsl`).
//!
//! 16 networks are drawn side by side, network l in lane l of every number. All loops run
//! over rows of lanes, so that compilers turn them into vector code.

use super::Setup;
use super::activation::{Activation, Erf, Gauss, Relu, exp};
use super::normals::{Halves, box_muller, box_muller_blocks};
use super::words::{Words, lanes};
use crate::engine::{GROUP, Layer};
use crate::model::{Architecture, EnsembleSpec, Estimator};
use crate::simd::{Aligned, has_fma, madd};

/// Networks that are drawn together.
pub const TILE: usize = GROUP as usize;
/// Hidden units of a full group.
const UNITS: usize = GROUP as usize;
/// Numbers of one component of a full group, `[unit][lane]`.
const ROWS: usize = UNITS * TILE;

/// One number of each of 16 networks.
pub type Tile = [f64; TILE];

/// Draws networks, 16 at a time, and reduces each to its fields: the outputs f_a(x_p), or
/// D(x_p, x_q) = C - K for p <= q.
#[derive(Debug)]
pub struct Networks {
    setup: Setup,
    work: Work,
}

#[derive(Debug)]
struct Work {
    /// Words of one component of a full group, `[word][lane]`.
    words: [u32; ROWS],
    /// Words of the tail, `[component or output][unit][lane]`.
    tail: Vec<u32>,
    halves: Halves,
    /// Where they come from: tails of consecutive tiles follow each other in both streams.
    hidden_tail: Words,
    output_tail: Words,
    /// Standard normals of W0 and b0, `[component][unit][lane]`.
    hidden: Aligned,
    /// Standard normals of W1, `[output][unit][lane]`.
    output: Aligned,
    /// z, then h_j(x_p) of one group, `[point][unit][lane]`.
    values: Aligned,
    /// e^(n . step) of one group on a lattice, `[unit][lane]`.
    step: Aligned,
    /// Sums over units, `[field]`.
    sums: Vec<Tile>,
    /// Inverse weights of the importance sampling.
    ratio: Tile,
    /// The unit that is shifted and the shift, if any, of each network.
    shifted: [Option<(usize, usize)>; TILE],
    /// The lane whose hidden values someone wants to see, and those, `[unit][point]`.
    trace: Option<(usize, Vec<Vec<f64>>)>,
}

/// A place in the units of 16 networks.
#[derive(Debug, Clone, Copy)]
struct At {
    experiment: u32,
    /// Number of the 16 networks within the experiment.
    tile: u64,
    /// First hidden unit.
    unit: usize,
}

impl Networks {
    /// Ready to draw any networks of a spec.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let setup = Setup::new(spec);
        let components = setup.layout.hidden_components as usize;
        let outputs = setup.layout.outputs as usize;
        let tail = setup.layout.blocks(Layer::HiddenTail);
        let tail = tail.max(setup.layout.blocks(Layer::OutputTail)) as usize * TILE;
        let work = Work {
            words: [0; ROWS],
            tail: vec![0; tail],
            halves: Halves::default(),
            hidden_tail: Words::new(setup.seed, 0, 0),
            output_tail: Words::new(setup.seed, 0, 0),
            hidden: Aligned::new(0.0, components * ROWS),
            output: Aligned::new(0.0, outputs * ROWS),
            values: Aligned::new(0.0, spec.inputs.len() * ROWS),
            step: Aligned::new(0.0, ROWS),
            sums: vec![[0.0; TILE]; setup.fields()],
            ratio: [0.0; TILE],
            shifted: [None; TILE],
            trace: None,
        };
        Self { setup, work }
    }

    /// Fields per network.
    pub fn fields(&self) -> usize {
        self.work.sums.len()
    }

    /// Typical size of each field.
    pub fn scales(&self) -> &[f64] {
        &self.setup.scales
    }

    /// Whether networks have different weights.
    pub fn is_weighted(&self) -> bool {
        self.setup.tilt.is_some()
    }

    /// Draws networks 16 `tile` to 16 `tile` + 15 of an experiment into `fields`, one tile
    /// per field; returns their weights.
    pub fn draw(&mut self, experiment: u32, tile: u64, fields: &mut [Tile]) -> Tile {
        let Self { setup, work } = self;
        work.sums.fill([0.0; TILE]);
        work.ratio = [0.0; TILE];
        let mut at = At {
            experiment,
            tile,
            unit: 0,
        };
        work.pick_shifts(setup, at);
        for _ in 0..setup.layout.full_groups {
            add_group(setup, work, at);
            at.unit += UNITS;
        }
        add_tail(setup, work, at);
        finish(setup, work, fields);
        match &setup.tilt {
            None => [1.0; TILE],
            Some(tilt) => work.ratio.map(|ratio| 1.0 / (tilt.probability + ratio)),
        }
    }

    /// h_j(x_p) of one network, `[unit][point]`.
    pub fn hidden_values(&mut self, experiment: u32, network: u64) -> Vec<Vec<f64>> {
        let lane = (network % GROUP) as usize;
        self.work.trace = Some((lane, Vec::new()));
        let mut ignored = vec![[0.0; TILE]; self.fields()];
        self.draw(experiment, network / GROUP, &mut ignored);
        self.work.trace.take().map(|t| t.1).unwrap_or_default()
    }
}

impl Work {
    /// Picks the hidden unit to shift and its shift, if any, of each network.
    fn pick_shifts(&mut self, setup: &Setup, at: At) {
        let Some(tilt) = &setup.tilt else { return };
        let mut words = [0; ROWS];
        Words::new(
            setup.seed,
            Layer::Tilt.stream(at.experiment),
            at.tile * GROUP,
        )
        .fill(&mut words);
        let choose = |word: u32, n: u64| ((u64::from(word) * n) >> 32) as usize;
        for (l, words) in words.chunks_exact(UNITS).enumerate() {
            let unit = choose(words[1], setup.width as u64);
            // The first choice is none.
            let shift = choose(words[0], tilt.shifts.len() as u64 + 1).checked_sub(1);
            self.shifted[l] = shift.map(|shift| (unit, shift));
        }
    }
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn add_group(setup: &Setup, work: &mut Work, at: At) {
    group::<{ has_fma!() }>(setup, work, at);
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn add_tail(setup: &Setup, work: &mut Work, at: At) {
    tail::<{ has_fma!() }>(setup, work, at);
}

/// Fields from the sums over units.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn finish(setup: &Setup, work: &Work, fields: &mut [Tile]) {
    let p = &setup.parameters;
    match setup.estimator {
        Estimator::Direct => {
            let (points, tail) = (p.weights.len(), setup.layout.tail as usize);
            for (k, (f, sum)) in fields.iter_mut().zip(&work.sums).enumerate() {
                // b1 is the last row of the tail; without bias it counts nothing.
                let b1 = &work.output[(k / points * (tail + 1) + tail) * TILE..][..TILE];
                for l in 0..TILE {
                    f[l] = p.readout_bias * b1[l] + p.readout * sum[l];
                }
            }
        }
        Estimator::Connected => {
            for ((d, sum), centre) in fields.iter_mut().zip(&work.sums).zip(&setup.centre) {
                for l in 0..TILE {
                    d[l] = p.readout * p.readout * (sum[l] - setup.width * centre);
                }
            }
        }
    }
}

/// A full group: each network has blocks of its own, one lane draws one block.
#[inline(always)]
fn group<const FMA: bool>(setup: &Setup, work: &mut Work, at: At) {
    let layout = &setup.layout;
    let (words, hidden) = (&mut work.words, &mut work.hidden);
    draw_group::<FMA>(
        setup,
        at,
        Layer::Hidden,
        layout.hidden_components,
        words,
        &mut hidden[..layout.drawn_components as usize * ROWS],
    );
    if setup.estimator == Estimator::Direct {
        draw_group::<FMA>(
            setup,
            at,
            Layer::Output,
            layout.outputs,
            words,
            &mut work.output,
        );
    }
    add_units::<FMA>(setup, work, at, UNITS, UNITS);
}

// Not closures: those would be compiled without the processor features of their caller.
#[inline(always)]
fn draw_group<const FMA: bool>(
    setup: &Setup,
    at: At,
    layer: Layer,
    blocks: u64,
    words: &mut [u32; ROWS],
    normals: &mut [f64],
) {
    let stride = setup.layout.blocks(layer);
    let first = at.tile * GROUP * stride + at.unit as u64 / GROUP * blocks;
    for (c, normals) in normals.chunks_exact_mut(ROWS).enumerate() {
        let stream = layer.stream(at.experiment);
        lanes(setup.seed, stream, first + c as u64, stride, words);
        let (radii, angles) = words.split_at(ROWS / 2);
        let (x, y) = normals.split_at_mut(ROWS / 2);
        box_muller::<FMA>(radii, angles, x, y);
    }
}

/// The units that fill no group: blocks hold a word for each of the 16 networks.
#[inline(always)]
fn tail<const FMA: bool>(setup: &Setup, work: &mut Work, at: At) {
    let units = setup.layout.tail as usize;
    if units > 0 {
        let drawn = setup.layout.drawn_components as usize * units;
        let owned = setup.layout.blocks(Layer::HiddenTail);
        let stream = Layer::HiddenTail.stream(at.experiment);
        work.hidden_tail.seek(stream, at.tile * owned);
        let words = &mut work.tail[..drawn * TILE];
        work.hidden_tail.fill(words);
        let normals = &mut work.hidden[..words.len()];
        box_muller_blocks::<FMA>(words, normals, &mut work.halves);
    }
    if setup.estimator == Estimator::Direct && (units > 0 || setup.layout.has_bias()) {
        let owned = setup.layout.blocks(Layer::OutputTail);
        let stream = Layer::OutputTail.stream(at.experiment);
        work.output_tail.seek(stream, at.tile * owned);
        let words = &mut work.tail[..owned as usize * TILE];
        work.output_tail.fill(words);
        let normals = &mut work.output[..words.len()];
        box_muller_blocks::<FMA>(words, normals, &mut work.halves);
    }
    if units > 0 {
        add_units::<FMA>(setup, work, at, units, units + 1);
    }
}

/// Adds `units` hidden units whose normals are drawn; an output's normals have
/// `output_rows` rows.
#[inline(always)]
fn add_units<const FMA: bool>(
    setup: &Setup,
    work: &mut Work,
    at: At,
    units: usize,
    output_rows: usize,
) {
    let rows = units * TILE;
    if let Some(tilt) = &setup.tilt {
        for (l, shifted) in work.shifted.iter().enumerate() {
            if let Some((unit, shift)) = *shifted
                && (at.unit..at.unit + units).contains(&unit)
            {
                for (c, t) in tilt.shifts[shift].iter().enumerate() {
                    work.hidden[c * rows + (unit - at.unit) * TILE + l] += t;
                }
            }
        }
    }
    match setup.arch {
        Architecture::Erf => add_fields::<FMA, Erf>(setup, work, rows, output_rows),
        Architecture::Relu => add_fields::<FMA, Relu>(setup, work, rows, output_rows),
        Architecture::Gauss => add_fields::<FMA, Gauss>(setup, work, rows, output_rows),
    }
    if let Some(tilt) = &setup.tilt {
        for (t, log) in tilt.shifts.iter().zip(&tilt.logarithms) {
            let mut along = [*log; ROWS];
            let along = &mut along[..rows];
            for (c, t) in t.iter().enumerate() {
                for (a, g) in along.iter_mut().zip(&work.hidden[c * rows..]) {
                    *a = madd::<FMA>(*g, *t, *a);
                }
            }
            along.iter_mut().for_each(|a| *a = exp::<FMA>(*a));
            for along in along.as_chunks::<TILE>().0 {
                for (ratio, along) in work.ratio.iter_mut().zip(along) {
                    *ratio += along;
                }
            }
        }
    }
    if let Some((lane, trace)) = &mut work.trace {
        let values = |p: usize| &work.values[p * ROWS..][..rows];
        for unit in 0..units {
            trace.push(
                (0..setup.linear.len())
                    .map(|p| values(p)[unit * TILE + *lane])
                    .collect(),
            );
        }
    }
}

/// Adds what rows of units contribute to the sums of the fields.
#[inline(always)]
fn add_fields<const FMA: bool, A: Activation>(
    setup: &Setup,
    work: &mut Work,
    rows: usize,
    output_rows: usize,
) {
    let p = &setup.parameters;
    let points = setup.linear.len();
    let outputs = work.output.chunks_exact(output_rows * TILE);
    if let (Architecture::Relu, Estimator::Direct, 1, None) = (
        setup.arch,
        setup.estimator,
        setup.layout.outputs,
        &work.trace,
    ) {
        // An activation so cheap that its value is not worth storing.
        for ((x, offset), sum) in setup.linear.iter().zip(&p.offset).zip(&mut work.sums) {
            let (normals, readout) = (&work.hidden, &work.output[..rows]);
            match x[..] {
                [x] => add_outputs::<FMA, A, 1>(sum, [x], *offset, normals, readout),
                [x, y] => add_outputs::<FMA, A, 2>(sum, [x, y], *offset, normals, readout),
                _ => {
                    let values = &mut work.values[..rows];
                    evaluate::<FMA, A>(x, *offset, normals, values);
                    add_products::<FMA>(sum, readout, values);
                }
            }
        }
        return;
    }
    // On a lattice only the first point is evaluated, the rest are multiples of it.
    let evaluated = match setup.lattice {
        Some(_) => 1,
        None => points,
    };
    let evaluated = setup.linear[..evaluated].iter().zip(&p.offset);
    for ((x, offset), values) in evaluated.zip(work.values.chunks_exact_mut(ROWS)) {
        evaluate::<FMA, A>(x, *offset, &work.hidden, &mut values[..rows]);
    }
    if let Some(lattice) = &setup.lattice {
        let ratio = &mut work.step[..rows];
        evaluate::<FMA, A>(&lattice.step, 0.0, &work.hidden, ratio);
        for (p, factor) in lattice.factors.iter().enumerate().skip(1) {
            let (before, values) = work.values[(p - 1) * ROWS..].split_at_mut(ROWS);
            let values = values[..rows].iter_mut().zip(&before[..rows]);
            for ((h, before), ratio) in values.zip(ratio.iter()) {
                *h = before * (ratio * factor);
            }
        }
    }
    let values = |p: usize| &work.values[p * ROWS..][..rows];
    match setup.estimator {
        Estimator::Direct => {
            for (sums, readout) in work.sums.chunks_exact_mut(points).zip(outputs) {
                for (p, sum) in sums.iter_mut().enumerate() {
                    add_products::<FMA>(sum, &readout[..rows], values(p));
                }
            }
        }
        Estimator::Connected => {
            let mut sums = work.sums.iter_mut();
            for p in 0..points {
                for (q, sum) in (p..points).zip(&mut sums) {
                    add_products::<FMA>(sum, values(p), values(q));
                }
            }
        }
    }
}

/// Activations of rows of units: `values` = act(sum_c x_c n_c - offset), the normals n being
/// `[component][row]`.
#[inline(always)]
fn evaluate<const FMA: bool, A: Activation>(
    x: &[f64],
    offset: f64,
    normals: &[f64],
    values: &mut [f64],
) {
    // Zipped, not indexed: a check in the loop would leave its last turns without vectors.
    let rows = values.len();
    let (a, b) = (
        &normals[..rows],
        normals.get(rows..2 * rows).unwrap_or_default(),
    );
    match x[..] {
        [x] => {
            for (h, n) in values.iter_mut().zip(a) {
                *h = A::of::<FMA>(madd::<FMA>(*n, x, -offset));
            }
        }
        [x, y] => {
            for (h, (n, m)) in values.iter_mut().zip(a.iter().zip(b)) {
                *h = A::of::<FMA>(madd::<FMA>(*m, y, madd::<FMA>(*n, x, -offset)));
            }
        }
        _ => {
            values.fill(-offset);
            for (x, n) in x.iter().zip(normals.chunks_exact(rows)) {
                for (z, n) in values.iter_mut().zip(n) {
                    *z = madd::<FMA>(*n, *x, *z);
                }
            }
            for z in values {
                *z = A::of::<FMA>(*z);
            }
        }
    }
}

/// [`evaluate`] and [`add_products`] in one.
#[inline(always)]
fn add_outputs<const FMA: bool, A: Activation, const D: usize>(
    sum: &mut Tile,
    x: [f64; D],
    offset: f64,
    normals: &[f64],
    readout: &[f64],
) {
    let mut components: [&[Tile]; D] = [&[]; D];
    for (c, component) in components.iter_mut().enumerate() {
        *component = normals[c * readout.len()..][..readout.len()].as_chunks().0;
    }
    let mut total = *sum;
    for (unit, readout) in readout.as_chunks::<TILE>().0.iter().enumerate() {
        for l in 0..TILE {
            let mut z = -offset;
            for c in 0..D {
                z = madd::<FMA>(components[c][unit][l], x[c], z);
            }
            total[l] = madd::<FMA>(readout[l], A::of::<FMA>(z), total[l]);
        }
    }
    *sum = total;
}

/// Adds the products of two rows of units, network by network.
#[inline(always)]
fn add_products<const FMA: bool>(sum: &mut Tile, a: &[f64], b: &[f64]) {
    let mut total = *sum;
    let rows = a.as_chunks::<TILE>().0.iter().zip(b.as_chunks::<TILE>().0);
    for (a, b) in rows {
        for l in 0..TILE {
            total[l] = madd::<FMA>(a[l], b[l], total[l]);
        }
    }
    *sum = total;
}
