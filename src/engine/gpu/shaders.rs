//! The shaders of one run: constants, generated moment code, pipelines.

use std::fmt::Write;

use super::device::Device;
use super::wgsl::{Constants, expand};
use crate::Result;
use crate::engine::{GROUP, Layer, StreamLayout};
use crate::model::EnsembleSpec;
use crate::tensor::{Element, MomentPlan};

/// Groups of 16 hidden units that one thread sums. Wider networks are cut into chunks, so
/// that few wide networks still fill a device; a chunk's sum has at most 256 partial sums
/// of 16 terms each, which keeps its f32 rounding near 1e-6.
pub const CHUNK_GROUPS: u64 = 256;

/// Threads per workgroup of the moment stage.
pub const MOMENT_THREADS: u32 = 32;

/// Chunks per network.
pub fn chunks(spec: &EnsembleSpec) -> u64 {
    (spec.width / GROUP).div_ceil(CHUNK_GROUPS).max(1)
}

fn constants(spec: &EnsembleSpec, block: u64) -> Constants {
    use crate::model::Architecture::{Erf, Gauss, Relu};
    let layout = StreamLayout::new(spec);
    let points = spec.inputs.len();
    let stride = spec.d_in + 3;
    let flag = |b: bool| u64::from(b);
    [
        ("ERF", flag(spec.arch == Erf)),
        ("RELU", flag(spec.arch == Relu)),
        ("GAUSS", flag(spec.arch == Gauss)),
        ("POINTS", points as u64),
        ("D_IN", spec.d_in as u64),
        ("COMPONENTS", layout.hidden_components),
        ("STRIDE", stride as u64),
        ("BIAS_AT", (points * stride) as u64),
        ("BLOCK", block),
        ("FULL_GROUPS", layout.full_groups),
        ("TAIL", layout.tail),
        ("TAIL_QUADS", layout.tail.div_ceil(4)),
        ("TAIL_HIDDEN_BLOCKS", layout.tail_hidden_blocks),
        ("TAIL_QUARTERS", layout.tail_hidden_blocks * 4),
        ("HIDDEN_BLOCKS", layout.blocks(Layer::Hidden)),
        ("OUTPUT_BLOCKS", layout.blocks(Layer::Output)),
        ("CHUNK_GROUPS", CHUNK_GROUPS),
        ("CHUNKS", chunks(spec)),
        ("MANY_CHUNKS", flag(chunks(spec) > 1)),
        ("MOMENT_THREADS", MOMENT_THREADS.into()),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_string()))
    .collect()
}

/// `draws.wgsl`: words and normals alone.
pub fn draws(device: &Device) -> Result<wgpu::ComputePipeline> {
    let text = expand(
        include_str!("../../../shaders/draws.wgsl"),
        &Constants::from([("BLOCK", "1".into())]),
    );
    device.pipeline("draws", text)
}

/// `outputs.wgsl` for a spec.
pub fn outputs(device: &Device, spec: &EnsembleSpec, block: u64) -> Result<wgpu::ComputePipeline> {
    let text = expand(
        include_str!("../../../shaders/outputs.wgsl"),
        &constants(spec, block),
    );
    device.pipeline("outputs", text)
}

/// `moments.wgsl`, one pipeline for every `sums_per_thread` elements of the plan.
pub fn moments(
    device: &Device,
    spec: &EnsembleSpec,
    block: u64,
    plan: &MomentPlan,
    sums_per_thread: usize,
) -> Result<Vec<wgpu::ComputePipeline>> {
    let all: Vec<usize> = (0..plan.elements().len()).collect();
    all.chunks(sums_per_thread)
        .map(|elements| {
            let mut constants = constants(spec, block);
            straight_line(plan, elements, &mut constants);
            let text = expand(include_str!("../../../shaders/moments.wgsl"), &constants);
            device.pipeline("moments", text)
        })
        .collect()
}

/// The code of some elements: only the products that they need, in the plan's order.
fn straight_line(plan: &MomentPlan, elements: &[usize], constants: &mut Constants) {
    let points = plan.points();
    let mut needed = vec![false; points + plan.products().len()];
    for &e in elements {
        match plan.elements()[e] {
            Element::Single(a) => needed[a] = true,
            Element::Product(a, b) => (needed[a], needed[b]) = (true, true),
        }
    }
    for (k, product) in plan.products().iter().enumerate().rev() {
        if needed[points + k] {
            needed[product.left] = true;
        }
    }
    let (mut products, mut declare, mut accumulate, mut store) =
        (String::new(), String::new(), String::new(), String::new());
    for (k, product) in plan.products().iter().enumerate() {
        if needed[points + k] {
            let (left, point) = (product.left, product.point);
            let _ = writeln!(products, "let t_{} = t_{left} * t_{point};", points + k);
        }
    }
    for &e in elements {
        let _ = writeln!(declare, "var s_{e} = 0.0;");
        let _ = match plan.elements()[e] {
            Element::Single(a) => writeln!(accumulate, "s_{e} += t_{a};"),
            Element::Product(a, b) => writeln!(accumulate, "s_{e} += t_{a} * t_{b};"),
        };
        let _ = writeln!(store, "sums[{e}u * batch.blocks + block] = s_{e};");
    }
    constants.insert("PRODUCTS", products);
    constants.insert("DECLARE", declare);
    constants.insert("ACCUMULATE", accumulate);
    constants.insert("STORE", store);
}
