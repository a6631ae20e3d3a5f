//! This module holds the sizes that the texts of the looped stages and their buffers share.

use super::super::profile::Profile;
use super::super::setup::Setup;
use super::super::{deep, moments, networks};
use crate::stream::{GROUP, StreamLayout};
use crate::tensor::MomentPlan;

/// Bytes of rows of the buffer `hidden` that a network's smallest piece may take: a chunk of units
/// is shorter where there are many points. The chunk depends on the spec alone, and so do the
/// roundings.
const CHUNK_BYTES: u64 = 32 << 20;

/// Number of slots of four units in a group.
const GROUP_SLOTS: u64 = GROUP / 4;

/// A tiling cuts points, or shifts, into equal tiles.
#[derive(Debug, Clone, Copy)]
pub struct Tiling {
    /// Number of points of a tile, a multiple of 4.
    pub together: u64,
    pub tiles: u64,
}

impl Tiling {
    fn new(points: u64, largest: u64) -> Self {
        let tiles = points.div_ceil(largest);
        let together = points.div_ceil(tiles).next_multiple_of(4);
        Self {
            together,
            tiles: points.div_ceil(together),
        }
    }

    /// Counts the points with those that fill up the last tile.
    pub fn padded(&self) -> u64 {
        self.together * self.tiles
    }
}

/// `Shape` holds the sizes that one spec needs.
#[derive(Debug, Clone)]
pub struct Shape {
    pub stream: StreamLayout,
    /// Number of networks of a block.
    pub block: u64,
    pub points: u64,
    pub point_tiling: Tiling,
    /// Number of shifts of the importance sampling, if there is any.
    pub shifts: u64,
    pub shift_tiling: Tiling,
    /// Numbers of fields of a network, of their products that are kept, and of elements.
    pub fields: u64,
    /// Numbers of the fields that are sums of products of two rows, of four, and of six.
    pub quadratic: u64,
    pub fourth: u64,
    pub sixth: u64,
    pub products: u64,
    pub elements: u64,
    /// Number of rows on either side of a tile of `fields.wgsl`, of rows on the left in all, and of
    /// tiles.
    pub lefts: u64,
    pub left_rows: u64,
    pub left_tiles: u64,
    pub rights: u64,
    pub right_tiles: u64,
    /// Number of units that fill no group and have hidden values; then, with b1, of those that have
    /// a readout.
    pub remainder: u64,
    pub remainder_readouts: u64,
    /// Number of full groups of a pass at most.
    pub chunk_groups: u64,
    pub is_direct: bool,
    /// Whether there are several hidden layers, and the bytes of a network's hidden values then, if a
    /// layer takes them.
    pub is_deep: bool,
    deep_bytes: u64,
    /// Count of numbers in a block's row of the buffer `sums`, and where its heaviest network
    /// starts.
    pub sum_stride: u64,
    pub heaviest_at: u64,
}

impl Shape {
    /// Computes the sizes for networks of whose fields a plan takes moments.
    pub fn new(setup: &Setup, plan: &MomentPlan, profile: &Profile) -> Self {
        let stream = setup.stream;
        let (points, shifts) = (setup.points as u64, setup.shifts() as u64);
        let (left_rows, lefts) = match setup.is_direct {
            true => (stream.outputs, stream.outputs.min(profile.tile_rows)),
            false => (points, profile.tile_rows),
        };
        let remainder_readouts = match setup.is_direct {
            true => stream.remainder + u64::from(stream.has_bias()),
            false => 0,
        };
        let of_order = |n: usize| {
            let all = setup.cumulants.iter();
            all.filter(|cumulant| cumulant.points.len() == n).count() as u64
        };
        let mut shape = Self {
            block: setup.block(),
            points,
            point_tiling: Tiling::new(points, profile.tile_points),
            shifts,
            shift_tiling: Tiling::new(shifts.max(1), profile.tile_points),
            fields: setup.fields as u64,
            quadratic: setup.quadratic() as u64,
            fourth: of_order(4),
            sixth: of_order(6),
            products: plan.products().len() as u64,
            elements: plan.elements().len() as u64,
            lefts,
            left_rows,
            left_tiles: left_rows.div_ceil(lefts),
            rights: profile.tile_rows,
            right_tiles: points.div_ceil(profile.tile_rows),
            remainder: stream.remainder,
            remainder_readouts,
            chunk_groups: 0,
            is_direct: setup.is_direct,
            is_deep: setup.is_deep(),
            deep_bytes: match deep::has_weights(setup) {
                true => deep::hidden_bytes(setup),
                // No buffer is empty.
                false => 4,
            },
            sum_stride: 4 * moments::sum_quads(plan) as u64,
            heaviest_at: 4 * moments::heaviest_at(plan) as u64,
            stream,
        };
        if shape.is_deep {
            // A pass draws all units.
            shape.chunk_groups = shape.stream.full_groups;
            return shape;
        }
        let group_bytes = GROUP * GROUP_SLOTS * shape.rows() * 16;
        shape.chunk_groups = (shape.stream.full_groups)
            .min(networks::CHUNK_GROUPS)
            .min((CHUNK_BYTES / group_bytes).max(1));
        shape
    }

    /// Returns the number of cumulants of an order, 4 or 6, and that of the first one's field.
    pub fn cumulants(&self, order: u64) -> (u64, u64) {
        match order {
            4 => (self.fourth, self.quadratic),
            _ => (self.sixth, self.quadratic + self.fourth),
        }
    }

    /// Returns the first row of the buffer `hidden` after those of the points.
    pub fn next_row(&self) -> u64 {
        let pairs = self.right_tiles * self.rights;
        pairs.max(self.point_tiling.padded())
    }

    /// Counts the rows of the buffer `hidden`: points, then outputs or the inverse weight.
    pub fn rows(&self) -> u64 {
        let outputs = self.left_tiles * self.lefts;
        self.next_row() + if self.is_direct { outputs } else { 1 }
    }

    /// Counts the units that fill no group and are drawn, with b1 if there is a readout.
    pub fn remainder_units(&self) -> u64 {
        self.remainder.max(self.remainder_readouts)
    }

    /// Tells where the rows of the units that fill no group start, counted in rows of a quarter of
    /// the others' length.
    pub fn remainder_row(&self) -> u64 {
        4 * GROUP_SLOTS * self.chunk_groups * self.rows()
    }

    /// Counts the numbers of a network in the buffer `fields`: fields, products, 1, then its
    /// weight, its score and its inverse weight.
    pub fn field_stride(&self) -> u64 {
        self.one_at() + 4
    }

    /// Tells where the 1 is among the numbers of a network.
    pub fn one_at(&self) -> u64 {
        self.fields + self.products
    }

    pub fn weight_at(&self) -> u64 {
        self.one_at() + 1
    }

    pub fn score_at(&self) -> u64 {
        self.one_at() + 2
    }

    pub fn ratio_at(&self) -> u64 {
        self.one_at() + 3
    }

    /// Counts the bytes of a network in the buffer `hidden`.
    pub fn hidden_bytes(&self) -> u64 {
        if self.is_deep {
            return self.deep_bytes;
        }
        (self.remainder_row() + self.remainder_units() * self.rows()) * 4
    }

    /// Counts the bytes of a network in the buffer `fields`.
    pub fn field_bytes(&self) -> u64 {
        self.field_stride() * 4
    }

    /// Counts the places of a block.
    pub fn places(&self) -> u64 {
        self.block.next_multiple_of(GROUP)
    }

    /// Counts the places of each block in a pass, if a buffer may have `bytes` bytes: at least
    /// those whose remainders are drawn together.
    pub fn piece(&self, bytes: u64) -> u64 {
        let most = bytes / self.hidden_bytes().max(self.field_bytes());
        let mut piece = self.places();
        while piece > most && piece > GROUP {
            piece /= 2;
        }
        piece
    }
}
