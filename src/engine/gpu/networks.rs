//! This module renders the texts of the network stage: `sample.wgsl` and `sample_remainder.wgsl`,
//! which draw networks.

use serde::Serialize;

use super::activation::Code;
use super::deep;
use super::layout::{Layout, Places};
use super::profile::Profile;
use super::setup::Setup;
use super::template::{QUADS, Text, render};
use super::variates::{self, Variates};
use super::{SAMPLE_THREADS, THREADS_PER_ROW};
use crate::model::Law;
use crate::stream::{GROUP, Part};
use crate::tensor::{MomentPlan, multisets};

/// Number of groups of 16 hidden units that one thread sums. Wider networks are cut into chunks, so
/// that few wide networks still fill a device; a chunk's sum has at most 256 partial sums of 16
/// terms each, which keeps its f32 rounding near 1e-6.
pub const CHUNK_GROUPS: u64 = 256;

/// Number of fields up to which one thread draws the remainders of 16 networks, rather than of
/// four.
const MAX_FIELDS_OF_16: usize = 32;

/// A context holds what the texts that draw networks are rendered for.
#[derive(Serialize)]
pub struct Context<'a> {
    /// Number of threads of a workgroup, and of a row of a dispatch.
    pub threads: u64,
    pub threads_per_row: u64,
    pub at: &'a Places,
    pub activation: &'a Code,
    /// The functions that variates are drawn with, of each kind of parameter, and all of them.
    pub law: &'a Variates,
    pub laws: Vec<&'static str>,
    pub has_offset: bool,
    pub is_bounded: bool,
    pub is_progression: bool,
    pub is_direct: bool,
    pub is_tilted: bool,
    /// Whether hidden values are written out, for cross-checks.
    pub records_hidden: bool,
    pub d_in: usize,
    pub width: u64,
    pub points: usize,
    /// Number of points that a group of hidden units is evaluated at in one turn of a loop.
    pub together: usize,
    /// The two points of each field of a covariance.
    pub pairs: Vec<Vec<usize>>,
    pub outputs: u64,
    pub fields: usize,
    /// The names of a network's rows in the buffer `fields`, and quads of them.
    pub rows: Vec<String>,
    pub row_quads: usize,
    pub shifts: usize,
    pub has_bias: bool,
    /// Number of components of a hidden unit, and of those that are drawn.
    pub components: u64,
    pub drawn: u64,
    pub full_groups: u64,
    /// Number of units that fill no group, and whether those or b1 have to be drawn.
    pub remainder: u64,
    pub has_remainder: bool,
    /// The quads of 16 networks whose remainders one thread draws.
    pub thread_quads: &'static [&'static str],
    /// Number of blocks of random words: per network, and for the remainder per 16 networks.
    pub hidden_blocks: u64,
    pub output_blocks: u64,
    pub hidden_remainder_blocks: u64,
    pub output_remainder_blocks: u64,
    pub chunk_groups: u64,
    pub group_chunks: u64,
    /// Number of networks of a block, and of sixteens of them.
    pub block: u64,
    pub tiles: u64,
}

impl<'a> Context<'a> {
    pub fn new(setup: &'a Setup, at: &'a Places, profile: &Profile) -> Self {
        let stream = &setup.stream;
        Self {
            threads: SAMPLE_THREADS,
            threads_per_row: THREADS_PER_ROW,
            at,
            activation: &setup.activation,
            law: &setup.variates,
            laws: setup.variates.all(),
            has_offset: setup.has_offset,
            is_bounded: setup.is_bounded,
            is_progression: setup.progression.is_some(),
            is_direct: setup.is_direct,
            is_tilted: setup.tilt.is_some(),
            records_hidden: false,
            d_in: setup.d_in,
            width: setup.width,
            points: setup.points,
            together: together(setup),
            pairs: match setup.is_direct {
                true => Vec::new(),
                false => multisets(setup.points, 2),
            },
            outputs: stream.outputs,
            fields: setup.fields,
            rows: rows(setup),
            row_quads: setup.row_quads(),
            shifts: setup.shifts(),
            has_bias: stream.has_bias(),
            components: stream.hidden_components,
            drawn: stream.drawn_components,
            full_groups: stream.full_groups,
            remainder: stream.remainder,
            has_remainder: setup.has_remainder(),
            thread_quads: &QUADS[..4 / remainder_threads(setup, profile) as usize],
            hidden_blocks: stream.blocks(Part::Hidden),
            output_blocks: stream.blocks(Part::Output),
            hidden_remainder_blocks: stream.blocks(Part::HiddenRemainder),
            output_remainder_blocks: stream.blocks(Part::OutputRemainder),
            chunk_groups: CHUNK_GROUPS,
            group_chunks: group_chunks(setup),
            block: setup.block(),
            tiles: setup.block().div_ceil(GROUP),
        }
    }
}

/// Returns the number of points that a group of hidden units is evaluated at in one turn of a loop.
/// Where a point is more than a few operations, code for all of them outgrows a processor's cache
/// of instructions (for two or three at a time it is no faster than for one) and takes compilers
/// more than linear time.
pub fn together(setup: &Setup) -> usize {
    let is_cheap = setup.activation.is_cheap() || setup.progression.is_some();
    match setup.is_direct && !is_cheap {
        true => 1,
        false => setup.points,
    }
}

/// Returns the names of a network's rows in `networks.wgsl`: fields, then the inverse weight.
fn rows(setup: &Setup) -> Vec<String> {
    let name = |r: usize| match setup.is_direct {
        true => format!("row_{}_{}", r / setup.points, r % setup.points),
        false => format!("row_{r}"),
    };
    let ratio = setup.tilt.as_ref().map(|_| format!("row_{}", setup.fields));
    (0..setup.fields).map(name).chain(ratio).collect()
}

/// Counts the threads that draw the remainders of 16 networks.
fn remainder_threads(setup: &Setup, profile: &Profile) -> u64 {
    match profile.is_terse || setup.rows() > MAX_FIELDS_OF_16 {
        true => 4,
        false => 1,
    }
}

/// Counts the chunks of full groups per network; the units that fill none are one more.
pub fn group_chunks(setup: &Setup) -> u64 {
    setup.stream.full_groups.div_ceil(CHUNK_GROUPS)
}

/// Counts the chunks per network; one thread draws a network of several hidden layers.
pub fn chunks(setup: &Setup) -> u64 {
    if setup.is_deep() {
        return 1;
    }
    group_chunks(setup) + u64::from(setup.has_remainder())
}

/// Counts the statements that grow with the spec, of drawing a network and of summing its elements.
pub fn statements(setup: &Setup, plan: &MomentPlan) -> usize {
    let of_moments = plan.elements().len() / 8;
    if setup.is_deep() {
        // One text draws them, whatever the form.
        return of_moments;
    }
    let points = match setup.progression {
        Some(_) => 1,
        None => setup.points,
    };
    // Four quads of hidden units.
    4 * (points * (setup.d_in + setup.activation.excess()) + setup.rows()) + of_moments
}

/// A sampler is a text or a pipeline that draws networks.
pub struct Sampler<T> {
    pub stage: T,
    /// Number of threads per block of networks.
    pub threads: u64,
    /// Number of chunks of networks: the third dimension of a dispatch.
    pub chunks: u32,
}

impl<T> Sampler<T> {
    /// Returns the workgroups of a dispatch for so many blocks.
    pub fn size(&self, blocks: u64) -> [u32; 3] {
        let threads = blocks * self.threads;
        let x = threads.min(THREADS_PER_ROW).div_ceil(SAMPLE_THREADS) as u32;
        [x, threads.div_ceil(THREADS_PER_ROW) as u32, self.chunks]
    }
}

/// Renders the texts that a setup's networks need; with `records_hidden` they also write out the
/// hidden values.
pub fn texts(setup: &Setup, profile: &Profile, records_hidden: bool) -> Vec<Sampler<Text>> {
    if setup.is_deep() {
        return vec![Sampler {
            stage: deep::text(setup, records_hidden, None),
            threads: setup.block(),
            chunks: 1,
        }];
    }
    let layout = Layout::new(setup);
    let context = Context {
        records_hidden,
        ..Context::new(setup, &layout.at, profile)
    };
    let groups = (group_chunks(setup) > 0).then(|| Sampler {
        stage: render("sample", &context),
        threads: setup.block(),
        chunks: group_chunks(setup) as u32,
    });
    let remainder = setup.has_remainder().then(|| Sampler {
        stage: render("sample_remainder", &context),
        threads: context.tiles * remainder_threads(setup, profile),
        chunks: 1,
    });
    groups.into_iter().chain(remainder).collect()
}

/// Renders the text of `draws.wgsl`: words and variates of a law alone.
pub fn draws(law: Law) -> Text {
    #[derive(Serialize)]
    struct Draws {
        threads: u64,
        block: u64,
        laws: [&'static str; 1],
    }
    let draws = Draws {
        threads: SAMPLE_THREADS,
        block: 1,
        laws: [variates::function(law)],
    };
    render("draws", &draws)
}
