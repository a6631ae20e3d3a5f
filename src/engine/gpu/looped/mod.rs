//! The looped stages serve many points, inputs, outputs or elements: they loop over buffers, where
//! straight-line code would take compilers minutes. Hidden values and fields go through memory.

mod inspect;
mod shape;
mod tables;
mod texts;

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use serde::Serialize;

pub use shape::Shape;
use tables::Tables;

use super::device::Device;
use super::setup::Setup;
use super::template::Text;
use super::{SAMPLE_THREADS, THREADS_PER_ROW, deep, dispatch, words};
use crate::Result;
use crate::engine::BlockPlan;
use crate::tensor::MomentPlan;

/// `Lanes` says what the 16 variates of a block of random words belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lanes {
    /// Lanes that are the units of a full group of a network.
    Units,
    /// Lanes that are networks, of each of which the block draws a unit that fills no group.
    Networks,
}

/// A kind is one stage, a text of `shaders/looped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Choose,
    /// Networks of several hidden layers, which have no stages before their fields.
    Deep,
    Hidden(Lanes),
    Shifts(Lanes),
    Readout(Lanes),
    Fields,
    /// The cumulants of order 4 or 6.
    Cumulants(u64),
    Ratio,
    Score,
    Products,
    Sums,
    Best,
    Keep,
}

/// `Pass` is the uniform of `pass.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Pass {
    seed: [u32; 2],
    first: u32,
    pub blocks: u32,
    per_experiment: u32,
    nets: u32,
    /// First place of the pass in each block.
    pub start: u32,
    /// Number of places of each block.
    pub piece: u32,
    stride: u32,
    /// First group of hidden units in the pass.
    pub group: u32,
    /// Number of full groups in the pass.
    pub groups: u32,
    /// Whether the units that fill no group are in the pass, as 1 or 0.
    pub remainder: u32,
    more: u32,
    pad: [u32; 3],
}

impl Shape {
    /// Lists the stages in their order.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut all = Vec::new();
        let tilt = self.shifts > 0;
        let mut add = |wanted: bool, kind: Kind| {
            if wanted {
                all.push(kind);
            }
        };
        add(self.is_deep, Kind::Deep);
        add(tilt, Kind::Choose);
        for (lanes, units, readouts) in [
            (Lanes::Units, self.chunk_groups, self.chunk_groups),
            (Lanes::Networks, self.remainder, self.remainder_readouts),
        ] {
            let units = if self.is_deep { 0 } else { units };
            add(units > 0, Kind::Hidden(lanes));
            add(units > 0 && tilt, Kind::Shifts(lanes));
            let readouts = if self.is_deep { 0 } else { readouts };
            add(readouts > 0 && self.is_direct, Kind::Readout(lanes));
        }
        add(!self.is_deep, Kind::Fields);
        add(self.fourth > 0, Kind::Cumulants(4));
        add(self.sixth > 0, Kind::Cumulants(6));
        add(tilt, Kind::Ratio);
        let moments = self.elements > 0;
        add(moments, Kind::Score);
        add(moments && self.products > 0, Kind::Products);
        add(moments, Kind::Sums);
        add(moments, Kind::Best);
        add(moments, Kind::Keep);
        all
    }

    /// Renders the texts of the stages.
    pub fn texts(&self, setup: &Setup) -> Vec<Text> {
        let text = |kind| texts::text(setup, self, kind);
        self.kinds().into_iter().map(text).collect()
    }

    /// Counts the threads of a stage in a pass.
    fn threads(&self, kind: Kind, pass: &Pass) -> u64 {
        let blocks = u64::from(pass.blocks);
        let networks = blocks * u64::from(pass.piece);
        let sixteens = networks / 16 * u64::from(pass.remainder);
        let groups = networks * u64::from(pass.groups);
        match kind {
            Kind::Choose | Kind::Deep | Kind::Ratio | Kind::Score => networks,
            Kind::Hidden(Lanes::Units) => groups * self.point_tiling.tiles,
            Kind::Hidden(Lanes::Networks) => sixteens * self.remainder * self.point_tiling.tiles,
            Kind::Shifts(Lanes::Units) => groups,
            Kind::Shifts(Lanes::Networks) => sixteens * self.remainder,
            Kind::Readout(Lanes::Units) => groups * self.stream.outputs,
            Kind::Readout(Lanes::Networks) => {
                sixteens * self.remainder_readouts * self.stream.outputs
            }
            Kind::Fields => networks * self.left_tiles * self.right_tiles,
            Kind::Cumulants(order) => networks * self.cumulants(order).0,
            Kind::Products => networks * self.products,
            Kind::Sums => blocks * self.elements,
            Kind::Best => blocks,
            Kind::Keep => blocks * self.fields,
        }
    }
}

/// `Looped` holds the pipelines and buffers of one run.
pub struct Looped {
    pub shape: Shape,
    plan: BlockPlan,
    seed: u64,
    nets: u64,
    piece: u64,
    stride: u64,
    uniform: wgpu::Buffer,
    pub hidden: wgpu::Buffer,
    pub fields: wgpu::Buffer,
    stages: Vec<(Kind, wgpu::ComputePipeline)>,
    /// Bind groups of every stage, for each buffer of sums.
    groups: Vec<Vec<wgpu::BindGroup>>,
}

impl Looped {
    /// Makes room for `capacity` blocks in buffers of at most `bytes`, or `None` if there is no
    /// memory.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`], [`crate::Error::Device`].
    pub fn new(
        d: &Device,
        setup: &Setup,
        moments: &MomentPlan,
        (shape, texts): (Shape, &[Text]),
        (capacity, bytes): (u64, u64),
        sums: &[wgpu::Buffer],
    ) -> Result<Option<Self>> {
        let tables = Tables::new(setup, &shape, moments)?;
        let piece = shape.piece(bytes);
        let stride = capacity * piece;
        let room = |label: &str, bytes: u64| d.try_storage(label, bytes);
        let (Some(hidden), Some(fields)) = (
            room("hidden", stride * shape.hidden_bytes()),
            room("fields", stride * shape.field_bytes()),
        ) else {
            return Ok(None);
        };
        let table = |data: &[u8]| {
            let buffer = d.storage("table", data.len().max(16) as u64);
            d.queue.write_buffer(&buffer, 0, data);
            buffer
        };
        let points = table(bytemuck::cast_slice(&tables.points));
        let shift_points = table(bytemuck::cast_slice(&tables.shift_points));
        let shifts = table(bytemuck::cast_slice(&tables.shifts));
        let scales = table(bytemuck::cast_slice(&tables.scales));
        let cumulants = (tables.cumulants.each_ref()).map(|(factors, scales)| {
            [
                table(bytemuck::cast_slice(factors)),
                table(bytemuck::cast_slice(scales)),
            ]
        });
        let factors = table(bytemuck::cast_slice(&tables.factors));
        let elements = table(bytemuck::cast_slice(&tables.elements));
        let parameters = {
            let numbers = match shape.is_deep {
                true => deep::numbers(setup)?,
                false => Vec::new(),
            };
            let data = bytemuck::cast_slice::<f32, u8>(&numbers);
            let buffer = d.parameters(data.len().max(16) as u64);
            d.queue.write_buffer(&buffer, 0, data);
            buffer
        };
        let choices = d.storage("choices", 8 * stride);
        let winners = d.storage("winners", 4 * capacity);
        let uniform = {
            use wgpu::BufferUsages as U;
            d.buffer("pass", size_of::<Pass>() as u64, U::UNIFORM | U::COPY_DST)
        };
        let mut stages = Vec::new();
        for (kind, text) in shape.kinds().into_iter().zip(texts) {
            stages.push((kind, d.pipeline(text)?));
        }
        let groups = (sums.iter())
            .map(|sums| {
                let bind = |(kind, pipeline): &(Kind, wgpu::ComputePipeline)| {
                    let mut buffers = vec![&uniform];
                    match kind {
                        Kind::Choose => buffers.push(&choices),
                        Kind::Deep => {
                            buffers.extend([&parameters, &fields]);
                            if deep::has_weights(setup) {
                                buffers.push(&hidden);
                            }
                        }
                        Kind::Hidden(_) => buffers.extend([&points, &hidden]),
                        Kind::Shifts(_) => buffers.extend([&shift_points, &hidden]),
                        Kind::Readout(_) => buffers.push(&hidden),
                        Kind::Fields => buffers.extend([&hidden, &scales, &fields]),
                        Kind::Cumulants(order) => {
                            let [factors, scales] = &cumulants[usize::from(*order == 6)];
                            buffers.extend([&hidden, factors, scales, &fields]);
                        }
                        Kind::Ratio => buffers.extend([&hidden, &fields]),
                        Kind::Score => buffers.push(&fields),
                        Kind::Products => buffers.extend([&factors, &fields]),
                        Kind::Sums => buffers.extend([&elements, &fields, sums]),
                        Kind::Best => buffers.extend([&fields, sums, &winners]),
                        Kind::Keep => buffers.extend([&fields, &winners, sums]),
                    }
                    if matches!(kind, Kind::Hidden(_) | Kind::Shifts(_)) && shape.shifts > 0 {
                        buffers.extend([&choices, &shifts]);
                    }
                    d.bind(pipeline, &buffers)
                };
                stages.iter().map(bind).collect()
            })
            .collect();
        Ok(Some(Self {
            plan: setup.plan,
            seed: setup.seed,
            nets: setup.nets,
            piece,
            stride,
            uniform,
            hidden,
            fields,
            stages,
            groups,
            shape,
        }))
    }

    /// Lists the passes that draw a range of blocks: the units of some networks chunk after chunk,
    /// then the next networks.
    pub fn passes(&self, range: &Range<u64>) -> Vec<Pass> {
        let shape = &self.shape;
        let full = shape.stream.full_groups;
        let chunks = full.div_ceil(shape.chunk_groups.max(1)).max(1);
        let mut all = Vec::new();
        for start in (0..shape.places()).step_by(self.piece as usize) {
            for chunk in 0..chunks {
                let group = chunk * shape.chunk_groups;
                let is_last = chunk + 1 == chunks;
                all.push(Pass {
                    seed: words(self.seed),
                    first: range.start as u32,
                    blocks: (range.end - range.start) as u32,
                    per_experiment: self.plan.per_experiment as u32,
                    nets: self.nets as u32,
                    start: start as u32,
                    piece: self.piece as u32,
                    stride: self.stride as u32,
                    group: group as u32,
                    groups: (full - group).min(shape.chunk_groups) as u32,
                    remainder: u32::from(is_last && shape.remainder_units() > 0),
                    more: u32::from(chunk > 0),
                    pad: [0; 3],
                });
            }
        }
        all
    }

    /// Tells whether a pass is the last for its networks.
    pub fn completes(&self, pass: &Pass) -> bool {
        u64::from(pass.group + pass.groups) == self.shape.stream.full_groups
    }

    /// Encodes one pass, with sums to buffer number `slot`.
    pub fn encode(&self, d: &Device, encoder: &mut wgpu::CommandEncoder, pass: &Pass, slot: usize) {
        d.queue
            .write_buffer(&self.uniform, 0, bytemuck::bytes_of(pass));
        for ((kind, pipeline), group) in self.stages.iter().zip(&self.groups[slot]) {
            let is_late = matches!(
                kind,
                Kind::Score | Kind::Products | Kind::Sums | Kind::Best | Kind::Keep
            );
            let threads = self.shape.threads(*kind, pass);
            if threads == 0 || (is_late && !self.completes(pass)) {
                continue;
            }
            let x = threads.min(THREADS_PER_ROW).div_ceil(SAMPLE_THREADS) as u32;
            let y = threads.div_ceil(THREADS_PER_ROW) as u32;
            dispatch(encoder, pipeline, group, [x, y, 1]);
        }
    }

    /// Tells whether a pass is the last of its batch.
    pub fn ends(&self, pass: &Pass) -> bool {
        self.completes(pass) && u64::from(pass.start + pass.piece) >= self.shape.places()
    }

    /// Submits all passes of a range of blocks; what `then` encodes follows each.
    pub fn submit(
        &self,
        d: &Device,
        range: &Range<u64>,
        slot: usize,
        then: impl Fn(&mut wgpu::CommandEncoder, &Pass),
    ) -> wgpu::SubmissionIndex {
        let mut encoder = d.device.create_command_encoder(&Default::default());
        let passes = self.passes(range);
        for (k, pass) in passes.iter().enumerate() {
            if k > 0 {
                // Writes to the uniform come before the next submission.
                let done = std::mem::replace(
                    &mut encoder,
                    d.device.create_command_encoder(&Default::default()),
                );
                d.submit(done.finish());
            }
            self.encode(d, &mut encoder, pass, slot);
            then(&mut encoder, pass);
        }
        d.submit(encoder.finish())
    }
}
