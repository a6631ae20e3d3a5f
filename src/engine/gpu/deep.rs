//! This module renders the text of the stage that draws networks of several hidden layers, and lays out
//! the numbers that it reads.

use serde::Serialize;

use super::SAMPLE_THREADS;
use super::activation::Code;
use super::layout::to_f32;
use super::looped::THREADS_PER_ROW;
use super::setup::Setup;
use super::template::{Text, render};
use super::variates;
use crate::model::Law;
use crate::plan::{By, Inner};
use crate::sentence::sentence;
use crate::stream::InnerLayout;
use crate::tensor::multisets;
use crate::{Error, Result};

/// Number of points up to which one thread keeps the pre-activations of 16 units, and the sums over
/// pairs of points. A GPU has 255 registers per thread, which 8 points take; with more of them a driver
/// moves some to memory of the thread's own, and compilers take more than linear time (llvmpipe 18 s of one
/// core at 12 points).
const MAX_POINTS: usize = 16;

/// Number of blocks of random words up to which one thread draws a network. A block with its 16
/// activations at every point takes a thread of a full GPU some ten microseconds, and desktops take a
/// GPU away that is busy for two seconds.
const MAX_BLOCKS: u64 = 1 << 17;

/// Number of groups of units whose products are summed by themselves, which keeps the rounding of f32
/// near 1e-7 at any width.
const CHUNK_GROUPS: u64 = 16;

/// Count of numbers that every adapter can bind as a uniform: 16 KiB.
const UNIFORM: usize = 4096;

/// Refuses networks that one thread cannot draw.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check(setup: &Setup) -> Result<()> {
    if setup.points > MAX_POINTS {
        return Err(Error::invalid(
            "inputs",
            format!("with {} points", setup.points),
            sentence!(
                "with several hidden layers the shaders draw at most {} points; use `backend` cpu",
                MAX_POINTS.to_string()
            ),
        ));
    }
    if !setup.cumulants.is_empty() {
        return Err(Error::invalid(
            "estimator",
            "connected",
            sentence!(
                "with {} hidden layers the shaders take a readout of normal weights and biases; use `backend` cpu, or `estimator` direct",
                setup.depth.to_string()
            ),
        ));
    }
    let of_layer = |layout: &InnerLayout| layout.blocks().saturating_add(layout.remainder_blocks());
    let first =
        (setup.stream.full_groups + setup.stream.remainder) * setup.stream.hidden_components;
    let inner = setup.inner.iter().map(|inner| of_layer(&inner.layout));
    match inner.fold(first, u64::saturating_add) > MAX_BLOCKS {
        true => Err(Error::invalid(
            "width",
            setup.width,
            sentence!(
                "with {} hidden layers and {} points a network is too much for one thread of the shaders; use `backend` cpu",
                setup.depth.to_string(),
                setup.points.to_string()
            ),
        )),
        false => Ok(()),
    }
}

/// Tells whether layers of a net take hidden values one by one, so that those go through memory.
pub fn has_weights(setup: &Setup) -> bool {
    let is_by_weights = |inner: &Inner| matches!(inner.by, By::Weights(_));
    setup.inner.iter().any(is_by_weights)
}

/// Counts the bytes of a network's hidden values.
pub fn hidden_bytes(setup: &Setup) -> u64 {
    setup.units() * setup.points as u64 * 4
}

/// `Places` tells where in the buffer `parameters` the numbers of a net are: `at` in the text. A layer's
/// are counted from the start of its record; a whole number takes two places.
#[derive(Debug, Clone, Default, Serialize)]
struct Places {
    is_uniform: bool,
    quads: usize,
    /// The first record, and the distance to the next.
    layers: usize,
    stride: usize,
    /// Numbers of components of a unit, and of weights or normals among them.
    components: usize,
    weights: usize,
    /// Factor of the weights, square of a normal bias that is part of the covariance, factor of a bias
    /// that is drawn by itself.
    scale: usize,
    bias_squared: usize,
    bias: usize,
    /// Numbers of the laws of weights and biases, and whether hidden values are taken one by one.
    law: usize,
    bias_law: usize,
    takes_values: usize,
    /// Per point: what a pre-activation starts with, and its variance where the activation takes it.
    offset: usize,
    variance: usize,
    /// Per pair of points, what is taken off the product of hidden values.
    centre: usize,
    /// The units of the fields.
    fields: usize,
}

/// `Table` holds the numbers of the buffer `parameters`, and where they are.
struct Table {
    at: Places,
    numbers: Vec<f64>,
}

/// A record holds the numbers of a layer.
#[derive(Default)]
struct Record {
    units: u64,
    components: u64,
    weights: u64,
    scale: f64,
    bias_squared: f64,
    bias: f64,
    law: usize,
    bias_law: usize,
    takes_values: bool,
    offsets: Vec<f64>,
    variances: Vec<f64>,
    centre: Vec<f64>,
}

impl Record {
    /// Appends the record to `numbers` and tells the place of each number from its start on.
    fn put(&self, numbers: &mut Vec<f64>) -> Places {
        let start = numbers.len();
        let mut put = |values: &[f64]| {
            numbers.extend(values);
            numbers.len() - values.len() - start
        };
        put(&whole(self.units));
        Places {
            components: put(&whole(self.components)),
            weights: put(&whole(self.weights)),
            scale: put(&[self.scale]),
            bias_squared: put(&[self.bias_squared]),
            bias: put(&[self.bias]),
            law: put(&[self.law as f64]),
            bias_law: put(&[self.bias_law as f64]),
            takes_values: put(&[f64::from(u8::from(self.takes_values))]),
            offset: put(&self.offsets),
            variance: put(&self.variances),
            centre: put(&self.centre),
            stride: numbers.len() - start,
            ..Places::default()
        }
    }
}

/// Returns a whole number as 16 bits and the ones above them, each exact in f32.
fn whole(n: u64) -> [f64; 2] {
    [(n & 0xffff) as f64, (n >> 16) as f64]
}

impl Table {
    fn new(setup: &Setup) -> Self {
        let p = &setup.parameters;
        let unit = setup.activation.unit;
        let mut numbers = Vec::new();
        for c in 0..setup.d_in {
            numbers.extend(p.weights.iter().map(|x| unit * x[c]));
        }
        if setup.stream.has_bias() {
            numbers.extend(vec![unit * p.bias; setup.points]);
        }
        let layers = numbers.len();
        let mut at = Places::default();
        for record in records(setup) {
            at = record.put(&mut numbers);
        }
        at.layers = layers;
        at.fields = numbers.len();
        match setup.is_direct {
            true => numbers.extend(setup.scales.iter().map(|s| 1.0 / s)),
            false => numbers.extend(setup.scales.iter().map(|s| p.readout * p.readout / s)),
        }
        at.is_uniform = numbers.len() <= UNIFORM;
        at.quads = numbers.len().div_ceil(4);
        numbers.resize(4 * at.quads, 0.0);
        Self { at, numbers }
    }
}

/// Lists the records of the hidden layers, and of the outputs if they are drawn.
fn records(setup: &Setup) -> Vec<Record> {
    let (p, unit) = (&setup.parameters, setup.activation.unit);
    let pairs = setup.points * (setup.points + 1) / 2;
    let laws = laws(setup);
    let number = |law: Law| {
        let name = variates::function(law);
        laws.iter()
            .position(|known| *known == name)
            .unwrap_or_default()
    };
    let offsets = |v: &[f64]| match setup.has_offset {
        true => v.iter().map(|v| -unit * v).collect(),
        false => Vec::new(),
    };
    let variances = |v: &[f64]| match setup.activation.uses_variance {
        true => v.to_vec(),
        false => Vec::new(),
    };
    let centre = |layer: usize| match (setup.is_direct, layer == setup.depth) {
        (true, _) => Vec::new(),
        (false, true) => setup.centre.clone(),
        (false, false) => vec![0.0; pairs],
    };
    let first = Record {
        units: setup.hidden[0],
        components: setup.stream.hidden_components,
        offsets: offsets(&p.offset),
        variances: variances(&setup.variances),
        centre: centre(1),
        ..Record::default()
    };
    let above = setup.inner.iter().enumerate().map(|(k, inner)| {
        // The outputs are no arguments of the activation.
        let unit = if k + 1 == setup.depth { 1.0 } else { unit };
        let (takes_values, bias_squared, law) = match inner.by {
            By::Covariance { bias } => (false, bias, Law::Gaussian),
            By::Weights(law) => (true, 0.0, law),
        };
        let has_own_bias = inner.bias != 0.0;
        Record {
            units: inner.layout.units,
            components: inner.layout.components,
            weights: inner.layout.components - u64::from(has_own_bias),
            scale: unit * inner.scale,
            bias_squared: unit * unit * bias_squared,
            bias: unit * inner.bias,
            law: number(law),
            bias_law: number(inner.law_b),
            takes_values,
            offsets: offsets(&inner.variances),
            variances: variances(&inner.variances),
            centre: centre(k + 2),
        }
    });
    std::iter::once(first).chain(above).collect()
}

/// Lists the functions that the variates of a net are drawn with, each once.
fn laws(setup: &Setup) -> Vec<&'static str> {
    let mut all = setup.variates.hidden.clone();
    for inner in &setup.inner {
        all.push(match inner.by {
            By::Covariance { .. } => variates::function(Law::Gaussian),
            By::Weights(law) => variates::function(law),
        });
        if inner.bias != 0.0 {
            all.push(variates::function(inner.law_b));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// A part is a range of components of a unit of the first layer whose variates have one law.
#[derive(Serialize)]
struct Part {
    /// Number of the law among those of the net.
    law: usize,
    /// The first component after the part.
    end: usize,
}

/// A context holds what the text is rendered for.
#[derive(Serialize)]
struct Context<'a> {
    threads: u64,
    threads_per_row: u64,
    /// Whether networks are those of a pass of the looped stages, and the name of the uniform.
    is_looped: bool,
    uniform: &'static str,
    at: &'a Places,
    activation: &'a Code,
    laws: Vec<&'static str>,
    parts: Vec<Part>,
    has_offset: bool,
    is_bounded: bool,
    is_progression: bool,
    is_tilted: bool,
    is_direct: bool,
    /// Whether some layers are drawn by the covariance of the one below, some by weights, and some with
    /// a bias of its own.
    has_covariance: bool,
    has_weights: bool,
    has_own_bias: bool,
    keeps_hidden: bool,
    depth: usize,
    points: usize,
    pairs: Vec<Vec<usize>>,
    /// Number of units of all hidden layers.
    units: u64,
    chunk_groups: u64,
    block: u64,
    row_quads: usize,
    field_stride: u64,
}

/// Renders the text of `deep.wgsl`. With `records_hidden` the text keeps all hidden values; with a
/// `field_stride` it is one of the looped stages, and so long is a network's row of `fields`.
pub fn text(setup: &Setup, records_hidden: bool, field_stride: Option<u64>) -> Text {
    let table = Table::new(setup);
    let laws = laws(setup);
    let number = |name: &str| laws.iter().position(|known| *known == name);
    let is_by_weights = |inner: &Inner| matches!(inner.by, By::Weights(_));
    let hidden = &setup.variates.hidden;
    let parts = (hidden.chunk_by(|a, b| a == b)).scan(0, |end, part| {
        *end += part.len();
        Some(Part {
            law: number(part[0]).unwrap_or_default(),
            end: *end,
        })
    });
    let context = Context {
        threads: SAMPLE_THREADS,
        threads_per_row: THREADS_PER_ROW,
        is_looped: field_stride.is_some(),
        uniform: match field_stride {
            Some(_) => "work",
            None => "batch",
        },
        at: &table.at,
        activation: &setup.activation,
        parts: parts.collect(),
        has_offset: setup.has_offset,
        // Pre-activations of layers above the first have no bound.
        is_bounded: false,
        is_progression: false,
        is_tilted: false,
        is_direct: setup.is_direct,
        has_covariance: !setup.inner.iter().all(is_by_weights),
        has_weights: has_weights(setup),
        has_own_bias: setup.inner.iter().any(|inner| inner.bias != 0.0),
        keeps_hidden: records_hidden || has_weights(setup),
        depth: setup.depth,
        points: setup.points,
        pairs: multisets(setup.points, 2),
        units: setup.units(),
        chunk_groups: CHUNK_GROUPS,
        block: setup.block(),
        row_quads: setup.row_quads(),
        field_stride: field_stride.unwrap_or_default(),
        laws,
    };
    render("deep", &context)
}

/// Returns the numbers that the buffer `parameters` holds.
///
/// # Errors
/// Those of [`to_f32`].
pub fn numbers(setup: &Setup) -> Result<Vec<f32>> {
    to_f32(&Table::new(setup).numbers)
}
