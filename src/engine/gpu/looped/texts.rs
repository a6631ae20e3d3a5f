//! This module renders the texts of the looped stages, which have the same length whatever the
//! spec.

use serde::Serialize;

use super::super::activation::Code;
use super::super::deep;
use super::super::setup::Setup;
use super::super::template::{Text, render};
use super::super::variates::Variates;
use super::super::{SAMPLE_THREADS, THREADS_PER_ROW};
use super::{Kind, Lanes, Shape};
use crate::stream::Part;

/// Renders the text of one stage.
pub fn text(setup: &Setup, shape: &Shape, kind: Kind) -> Text {
    let path = match kind {
        Kind::Choose => "looped/choose",
        Kind::Deep => return deep::text(setup, false, Some(shape.field_stride())),
        Kind::Hidden(_) | Kind::Shifts(_) => "looped/hidden",
        Kind::Readout(_) => "looped/readout",
        Kind::Fields => "looped/fields",
        Kind::Cumulants(_) => "looped/cumulants",
        Kind::Ratio => "looped/ratio",
        Kind::Score => "looped/score",
        Kind::Products => "looped/products",
        Kind::Sums => "looped/sums",
        Kind::Best => "looped/best",
        Kind::Keep => "looped/keep",
    };
    render(path, &Context::new(setup, shape, kind))
}

/// `Evaluates` says what `hidden.wgsl` evaluates units at.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Evaluates {
    Points,
    Shifts,
}

/// A part is a range of components of a hidden unit whose variates have one law.
#[derive(Serialize)]
struct LawPart {
    law: &'static str,
    /// The first component after the part.
    end: usize,
}

impl LawPart {
    fn all(hidden: &[&'static str]) -> Vec<Self> {
        let chunks = hidden.chunk_by(|a, b| a == b);
        let ends = chunks.scan(0, |end, part| {
            *end += part.len();
            Some((part[0], *end))
        });
        ends.map(|(law, end)| Self { law, end }).collect()
    }
}

/// Lists the functions that a stage draws with.
fn laws(setup: &Setup, kind: Kind) -> Vec<&'static str> {
    let law = &setup.variates;
    let mut all = match kind {
        Kind::Hidden(_) | Kind::Shifts(_) => law.hidden.clone(),
        Kind::Readout(_) => vec![law.readout, law.readout_bias],
        Kind::Choose
        | Kind::Deep
        | Kind::Fields
        | Kind::Cumulants(_)
        | Kind::Ratio
        | Kind::Score
        | Kind::Products
        | Kind::Sums
        | Kind::Best
        | Kind::Keep => Vec::new(),
    };
    all.dedup();
    all
}

/// A context holds what the texts are rendered for.
#[derive(Serialize)]
struct Context<'a> {
    /// Number of threads of a workgroup, and of a row of a dispatch.
    threads: u64,
    threads_per_row: u64,
    activation: &'a Code,
    /// The functions that variates are drawn with, of each kind of parameter, and all of them.
    law: &'a Variates,
    laws: Vec<&'static str>,
    /// The components that are drawn, in parts of one law.
    parts: Vec<LawPart>,
    /// Whether b1 is among the units that are drawn and has another law than the output weights.
    has_own_bias: bool,
    is_bounded: bool,
    is_progression: bool,
    is_direct: bool,
    is_tilted: bool,
    /// What the variates of a block of random words belong to, and which of the units that fill no
    /// group are drawn.
    lanes: Lanes,
    drawn_units: u64,
    /// Points or shifts: how many one thread evaluates, and the tiles of them; quads of points in a
    /// row of the table.
    evaluates: Evaluates,
    tile_points: u64,
    tiles: u64,
    point_quads: u64,
    width: u64,
    block: u64,
    points: u64,
    outputs: u64,
    shifts: u64,
    /// The probability of a network without shift.
    probability: f64,
    has_bias: bool,
    /// Components of a hidden unit, those that are drawn, and blocks of random words from one of
    /// them to the next.
    components: u64,
    drawn: u64,
    blocks_between: u64,
    full_groups: u64,
    remainder: u64,
    /// Number of blocks of random words: per network, and for the remainder per 16 networks.
    hidden_blocks: u64,
    output_blocks: u64,
    hidden_remainder_blocks: u64,
    output_remainder_blocks: u64,
    /// Number of rows of the buffer `hidden`, and the first row of each kind.
    rows: u64,
    remainder_row: u64,
    readout_row: u64,
    ratio_row: u64,
    /// Rows on either side of a tile of `fields.wgsl`.
    lefts: u64,
    left_row: u64,
    left_rows: u64,
    rights: u64,
    right_tiles: u64,
    fields: u64,
    quadratic: u64,
    /// Cumulants of one order: that order, how many, and the first one's field.
    order: u64,
    cumulants: u64,
    first_cumulant: u64,
    products: u64,
    elements: u64,
    /// Places in a network's row of the buffer `fields`, and in a block's of `sums`.
    field_stride: u64,
    one_at: u64,
    weight_at: u64,
    score_at: u64,
    ratio_at: u64,
    sum_stride: u64,
    heaviest_at: u64,
}

impl<'a> Context<'a> {
    fn new(setup: &'a Setup, shape: &Shape, kind: Kind) -> Self {
        let stream = &shape.stream;
        let (evaluates, tiling) = match kind {
            Kind::Shifts(_) => (Evaluates::Shifts, shape.shift_tiling),
            _ => (Evaluates::Points, shape.point_tiling),
        };
        let lanes = match kind {
            Kind::Hidden(lanes) | Kind::Shifts(lanes) | Kind::Readout(lanes) => lanes,
            _ => Lanes::Units,
        };
        let order = match kind {
            Kind::Cumulants(order) => order,
            _ => 4,
        };
        let (cumulants, first_cumulant) = shape.cumulants(order);
        Self {
            threads: SAMPLE_THREADS,
            threads_per_row: THREADS_PER_ROW,
            activation: &setup.activation,
            law: &setup.variates,
            laws: laws(setup, kind),
            parts: LawPart::all(&setup.variates.hidden),
            has_own_bias: stream.has_bias()
                && matches!(kind, Kind::Readout(Lanes::Networks))
                && setup.variates.readout != setup.variates.readout_bias,
            is_bounded: setup.is_bounded,
            // Hidden values go through memory, whatever the points.
            is_progression: false,
            is_direct: shape.is_direct,
            is_tilted: shape.shifts > 0,
            lanes,
            drawn_units: match kind {
                Kind::Readout(_) => shape.remainder_readouts,
                _ => shape.remainder,
            },
            evaluates,
            tile_points: tiling.together,
            tiles: tiling.tiles,
            point_quads: tiling.padded() / 4,
            width: setup.width,
            block: shape.block,
            points: shape.points,
            outputs: stream.outputs,
            shifts: shape.shifts,
            probability: setup.tilt.as_ref().map_or(1.0, |tilt| tilt.probability),
            has_bias: stream.has_bias(),
            components: stream.hidden_components,
            drawn: stream.drawn_components,
            blocks_between: match lanes {
                Lanes::Units => 1,
                Lanes::Networks => shape.remainder,
            },
            full_groups: stream.full_groups,
            remainder: shape.remainder,
            hidden_blocks: stream.blocks(Part::Hidden),
            output_blocks: stream.blocks(Part::Output),
            hidden_remainder_blocks: stream.blocks(Part::HiddenRemainder),
            output_remainder_blocks: stream.blocks(Part::OutputRemainder),
            rows: shape.rows(),
            remainder_row: shape.remainder_row(),
            readout_row: shape.next_row(),
            ratio_row: shape.next_row(),
            lefts: shape.lefts,
            left_row: match shape.is_direct {
                true => shape.next_row(),
                false => 0,
            },
            left_rows: shape.left_rows,
            rights: shape.rights,
            right_tiles: shape.right_tiles,
            fields: shape.fields,
            quadratic: shape.quadratic,
            order,
            cumulants,
            first_cumulant,
            products: shape.products,
            elements: shape.elements,
            field_stride: shape.field_stride(),
            one_at: shape.one_at(),
            weight_at: shape.weight_at(),
            score_at: shape.score_at(),
            ratio_at: shape.ratio_at(),
            sum_stride: shape.sum_stride,
            heaviest_at: shape.heaviest_at,
        }
    }
}
