//! The texts of the looped stages: the same length whatever the spec.

use super::super::shaders;
use super::super::wgsl::{Constants, Text, expand};
use super::{Kind, Lanes, Shape};
use crate::model::{Builtin, EnsembleSpec};
use crate::stream::Part;

/// Threads in a row of a dispatch: fewer than 65535 workgroups of 64.
pub const THREADS_PER_ROW: u64 = 1 << 21;

/// The text of one stage.
pub fn text(spec: &EnsembleSpec, shape: &Shape, kind: Kind) -> Text {
    let (label, text) = match kind {
        Kind::Choose => (
            "choose",
            include_str!("../../../../shaders/looped/choose.wgsl"),
        ),
        Kind::Hidden(_) | Kind::Shifts(_) => (
            "hidden",
            include_str!("../../../../shaders/looped/hidden.wgsl"),
        ),
        Kind::Readout(_) => (
            "readout",
            include_str!("../../../../shaders/looped/readout.wgsl"),
        ),
        Kind::Fields => (
            "fields",
            include_str!("../../../../shaders/looped/fields.wgsl"),
        ),
        Kind::Ratio => (
            "ratio",
            include_str!("../../../../shaders/looped/ratio.wgsl"),
        ),
        Kind::Score => (
            "score",
            include_str!("../../../../shaders/looped/score.wgsl"),
        ),
        Kind::Products => (
            "products",
            include_str!("../../../../shaders/looped/products.wgsl"),
        ),
        Kind::Sums => ("sums", include_str!("../../../../shaders/looped/sums.wgsl")),
        Kind::Best => ("best", include_str!("../../../../shaders/looped/best.wgsl")),
        Kind::Keep => ("keep", include_str!("../../../../shaders/looped/keep.wgsl")),
    };
    Text {
        label,
        wgsl: expand(text, &constants(spec, shape, kind)),
    }
}

fn constants(spec: &EnsembleSpec, shape: &Shape, kind: Kind) -> Constants {
    let layout = &shape.layout;
    let flag = |b: bool| u64::from(b);
    let is = |builtin: Builtin| flag(spec.net.builtin() == builtin);
    let is_shifts = matches!(kind, Kind::Shifts(_));
    let tiling = match is_shifts {
        true => shape.shift_tiling,
        false => shape.point_tiling,
    };
    let networks = matches!(
        kind,
        Kind::Hidden(Lanes::Networks)
            | Kind::Shifts(Lanes::Networks)
            | Kind::Readout(Lanes::Networks)
    );
    let between = if networks { layout.remainder } else { 1 };
    let slots = match kind {
        Kind::Readout(_) => shape.tail_readouts,
        _ => shape.tail,
    };
    let tilt = spec.tilt.is_some();
    let bounded = shaders::is_bounded(spec);
    let mut constants: Constants = [
        ("ERF", is(Builtin::Erf)),
        ("RELU", is(Builtin::Relu)),
        ("GAUSS", is(Builtin::ExpNormalised)),
        ("EXPONENTIAL", is(Builtin::ExpNormalised) | flag(tilt)),
        ("LATTICE", 0),
        ("BOUNDED", flag(bounded)),
        ("UNBOUNDED", flag(!bounded)),
        ("DIRECT", flag(shape.is_direct)),
        ("CONNECTED", flag(!shape.is_direct)),
        ("TILT", flag(tilt)),
        ("PLAIN", flag(!tilt)),
        ("UNITS", flag(!networks)),
        ("NETWORKS", flag(networks)),
        ("POINTWISE", flag(!is_shifts)),
        (
            "SHIFTS",
            if matches!(kind, Kind::Choose) {
                shape.shifts
            } else {
                flag(is_shifts)
            },
        ),
        ("SHIFT_COUNT", shape.shifts),
        ("BIAS", flag(layout.has_bias())),
        ("WIDTH", spec.net.width()),
        ("BLOCK", shape.block),
        ("THREADS_PER_ROW", THREADS_PER_ROW),
        ("POINTS", shape.points),
        ("OUTPUTS", layout.outputs),
        ("FIELDS", shape.fields),
        ("PRODUCTS", shape.products),
        ("ELEMENTS", shape.elements),
        ("COMPONENTS", layout.hidden_components),
        ("DRAWN", layout.drawn_components),
        ("BETWEEN", between),
        ("FULL_GROUPS", layout.full_groups),
        ("TAIL", layout.remainder),
        ("SLOTS", slots),
        ("TAIL_ROW", shape.tail_row()),
        ("HIDDEN_BLOCKS", layout.blocks(Part::Hidden)),
        ("OUTPUT_BLOCKS", layout.blocks(Part::Output)),
        ("HIDDEN_TAIL_BLOCKS", layout.blocks(Part::HiddenRemainder)),
        ("OUTPUT_TAIL_BLOCKS", layout.blocks(Part::OutputRemainder)),
        ("TOGETHER", tiling.together),
        ("TILE_QUADS", tiling.together / 4),
        ("POINT_TILES", tiling.tiles),
        ("POINT_QUADS", tiling.padded() / 4),
        ("LEFTS", shape.lefts),
        ("LEFT_ROWS", shape.left_rows),
        (
            "LEFT_ROW",
            if shape.is_direct { shape.next_row() } else { 0 },
        ),
        ("RIGHTS", shape.rights),
        ("RIGHT_TILES", shape.right_tiles),
        ("ROWS", shape.rows()),
        ("READOUT_ROW", shape.next_row()),
        ("RATIO_ROW", shape.next_row()),
        ("FIELD_STRIDE", shape.field_stride()),
        ("ONE_AT", shape.one_at()),
        ("WEIGHT_AT", shape.weight_at()),
        ("SCORE_AT", shape.score_at()),
        ("RATIO_AT", shape.ratio_at()),
        ("SUM_STRIDE", shape.sum_stride),
        ("HEAVIEST_AT", shape.heaviest_at),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_string()))
    .collect();
    let probability = spec.tilt.as_ref().map_or(1.0, |t| t.probability());
    constants.insert("PROBABILITY", format!("{probability:?}"));
    constants
}
