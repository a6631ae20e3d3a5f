//! The shaders of one run: constants, generated moment code, pipelines.

use std::fmt::Write;

use rayon::prelude::*;

use super::device::Device;
use super::wgsl::{Constants, expand};
use crate::Result;
use crate::engine::{GROUP, Layer, StreamLayout};
use crate::model::{Architecture, EnsembleSpec, Estimator};
use crate::tensor::{Element, MomentPlan};

/// Groups of 16 hidden units that one thread sums. Wider networks are cut into chunks, so
/// that few wide networks still fill a device; a chunk's sum has at most 256 partial sums
/// of 16 terms each, which keeps its f32 rounding near 1e-6.
pub const CHUNK_GROUPS: u64 = 256;

/// Threads per workgroup of the moment stage.
pub const MOMENT_THREADS: u32 = 32;

/// Where the shifts start in the buffer `parameters` of `networks.wgsl`.
fn tilt_at(spec: &EnsembleSpec) -> usize {
    let points = spec.inputs.len();
    points * (spec.d_in + 3) + 1 + points * (points + 1)
}

/// Rows per network in the buffer `fields`.
pub fn rows(spec: &EnsembleSpec) -> u64 {
    let points = spec.inputs.len() as u64;
    let fields = match spec.estimator {
        Estimator::Direct => points * spec.d_out as u64,
        Estimator::Connected => points * (points + 1) / 2,
    };
    fields + u64::from(spec.tilt.is_some())
}

/// Chunks per network.
pub fn chunks(spec: &EnsembleSpec) -> u64 {
    (spec.width / GROUP).div_ceil(CHUNK_GROUPS).max(1)
}

fn constants(spec: &EnsembleSpec, block: u64) -> Constants {
    let layout = StreamLayout::new(spec);
    let points = spec.inputs.len();
    let stride = spec.d_in + 3;
    let flag = |b: bool| u64::from(b);
    let is = |arch: Architecture| flag(spec.arch == arch);
    let direct = spec.estimator == Estimator::Direct;
    let tilt = spec.tilt.is_some();
    let fields = rows(spec) - flag(tilt);
    let shifts = spec.tilt.as_ref().map_or(0, |t| t.shifts.len());
    let pairs_at = points * stride + 1;
    let mut constants: Constants = [
        ("ERF", is(Architecture::Erf)),
        ("RELU", is(Architecture::Relu)),
        ("GAUSS", is(Architecture::Gauss)),
        ("EXPONENTIAL", is(Architecture::Gauss) | flag(tilt)),
        ("DIRECT", flag(direct)),
        ("CONNECTED", flag(!direct)),
        ("TILT", flag(tilt)),
        ("PLAIN", flag(!tilt)),
        ("GIVEN", 0),
        ("HIDDEN", 0),
        ("QUAD_NUMBERS", flag(tilt)),
        ("SHIFTS", shifts as u64),
        ("FIELDS", fields),
        ("QUADS", rows(spec).div_ceil(4)),
        ("WIDTH", spec.width),
        ("PAIRS_AT", pairs_at as u64),
        ("TILT_AT", tilt_at(spec) as u64),
        ("POINTS", points as u64),
        ("D_IN", spec.d_in as u64),
        ("OUTPUTS", spec.d_out as u64),
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
    .collect();
    let probability = spec.tilt.as_ref().map_or(1.0, |t| t.probability());
    constants.insert("PROBABILITY", format!("{probability:?}"));
    constants.insert("COVARIANCE", covariance(points, ""));
    constants.insert(
        "COVARIANCE_TAIL",
        covariance(points, "* dot(live, vec4f(0.25))"),
    );
    let rows = rows(spec) as usize;
    let name = |r: usize| match direct {
        true => format!("row_{}_{}", r / points, r % points),
        false => format!("row_{r}"),
    };
    constants.insert("PACK", pack(rows, &name));
    constants.insert("UNPACK", unpack(rows, fields as usize));
    constants.insert("RATIO", ratio(spec, ""));
    constants.insert("RATIO_TAIL", ratio(spec, "live * "));
    constants
}

/// Writes the rows of a network as quads: a storage access costs much the same for one
/// number as for four.
fn pack(rows: usize, name: &dyn Fn(usize) -> String) -> String {
    (0..rows.div_ceil(4))
        .map(|q| {
            let row = |r: usize| match r < rows {
                true => name(r),
                false => "0.0".into(),
            };
            let quad: Vec<String> = (4 * q..4 * q + 4).map(row).collect();
            format!(
                "fields[(to + {q}u) * batch.blocks + block] = vec4f({});\n",
                quad.join(", ")
            )
        })
        .collect()
}

fn unpack(rows: usize, fields: usize) -> String {
    (0..rows)
        .map(|r| {
            let name = match r < fields {
                true => format!("t_{r}"),
                false => "ratio".into(),
            };
            let component = ["x", "y", "z", "w"][r % 4];
            format!("let {name} = rows_{}.{component};\n", r / 4)
        })
        .collect()
}

/// Adds four hidden units to every component of the covariance; `share` is the share of
/// them that is live.
fn covariance(points: usize, share: &str) -> String {
    let mut code = String::new();
    let mut field = 0;
    for p in 0..points {
        for q in p..points {
            let _ = writeln!(
                code,
                "f_{field} += dot(h_{p}, h_{q}) - centre_{field}{share};"
            );
            field += 1;
        }
    }
    code
}

/// Adds four hidden units to the inverse weight.
fn ratio(spec: &EnsembleSpec, live: &str) -> String {
    // A loop at run time: shifts may be many, and each is the same few operations.
    let last = spec.d_in + 1;
    let along: String = (0..last)
        .map(|c| format!(" + w_{c} * parameters[at + {c}u]"))
        .collect();
    format!(
        "for (var k = 1u; k <= {shifts}u; k += 1u) {{\n\
         let at = {at}u + k * {stride}u;\n\
         ratio += {live}exponential(vec4f(parameters[at + {last}u]){along});\n}}",
        shifts = spec.tilt.as_ref().map_or(0, |t| t.shifts.len()),
        at = tilt_at(spec),
        stride = last + 1,
    )
}

/// `draws.wgsl`: words and normals alone.
pub fn draws(device: &Device) -> Result<wgpu::ComputePipeline> {
    let text = expand(
        include_str!("../../../shaders/draws.wgsl"),
        &Constants::from([("BLOCK", "1".into())]),
    );
    device.pipeline("draws", text)
}

/// `networks.wgsl` for a spec; with `hidden` it also writes out the hidden values.
pub fn networks(
    device: &Device,
    spec: &EnsembleSpec,
    block: u64,
    hidden: bool,
) -> Result<wgpu::ComputePipeline> {
    let mut constants = constants(spec, block);
    if hidden {
        constants.insert("HIDDEN", "1".into());
        constants.insert("QUAD_NUMBERS", "1".into());
    }
    let text = expand(include_str!("../../../shaders/networks.wgsl"), &constants);
    device.pipeline("networks", text)
}

/// `moments.wgsl` for the nodes of a quadrature, in blocks of `block`.
pub fn quadrature(device: &Device, block: u64, plan: &MomentPlan) -> Result<wgpu::ComputePipeline> {
    let rows = plan.points() + 1;
    let all: Vec<usize> = (0..plan.elements().len()).collect();
    let mut constants: Constants = [
        ("FIELDS", plan.points() as u64),
        ("QUADS", rows.div_ceil(4) as u64),
        ("BLOCK", block),
        ("MANY_CHUNKS", 0),
        ("TILT", 0),
        ("GIVEN", 1),
        ("PLAIN", 0),
        ("HEAVIEST", 0),
        ("MOMENT_THREADS", MOMENT_THREADS.into()),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_string()))
    .collect();
    constants.insert("UNPACK", unpack(rows, plan.points()));
    straight_line(plan, &all, true, &mut constants);
    let text = expand(include_str!("../../../shaders/moments.wgsl"), &constants);
    device.pipeline("quadrature", text)
}

/// `moments.wgsl`, one pipeline for every `sums_per_thread` elements of the plan.
pub fn moments(
    device: &Device,
    spec: &EnsembleSpec,
    block: u64,
    plan: &MomentPlan,
    sums_per_thread: usize,
) -> Result<Vec<wgpu::ComputePipeline>> {
    let mut all: Vec<usize> = (0..plan.elements().len()).collect();
    // Side by side what shares a product, so that few products are formed twice.
    all.sort_by_key(|&e| match plan.elements()[e] {
        Element::Single(a) => (a, 0),
        Element::Product(a, b) => (b, a),
    });
    // Drivers compile on the caller's thread: use them all.
    all.par_chunks(sums_per_thread)
        .enumerate()
        .map(|(part, elements)| {
            let mut constants = constants(spec, block);
            straight_line(plan, elements, spec.tilt.is_some(), &mut constants);
            constants.insert("HEAVIEST", u64::from(part == 0).to_string());
            constants.insert("HEAVIEST_AT", all.len().to_string());
            let text = expand(include_str!("../../../shaders/moments.wgsl"), &constants);
            device.pipeline("moments", text)
        })
        .collect()
}

/// The code of some elements: only the products that they need, in the plan's order.
fn straight_line(plan: &MomentPlan, elements: &[usize], weighted: bool, constants: &mut Constants) {
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
    let left = if weighted { "u" } else { "t" };
    if weighted {
        // Each left factor is weighted once.
        let mut lefts: Vec<usize> = (elements.iter())
            .map(|&e| match plan.elements()[e] {
                Element::Single(a) | Element::Product(a, _) => a,
            })
            .collect();
        lefts.sort_unstable();
        lefts.dedup();
        for a in lefts {
            let _ = writeln!(products, "let u_{a} = weight * t_{a};");
        }
    }
    for &e in elements {
        let _ = writeln!(declare, "var s_{e} = 0.0;");
        let _ = match plan.elements()[e] {
            Element::Single(a) => writeln!(accumulate, "s_{e} += {left}_{a};"),
            Element::Product(a, b) => writeln!(accumulate, "s_{e} += {left}_{a} * t_{b};"),
        };
        let _ = writeln!(store, "sums[{e}u * batch.blocks + block] = s_{e};");
    }
    constants.insert("PRODUCTS", products);
    constants.insert("DECLARE", declare);
    constants.insert("ACCUMULATE", accumulate);
    constants.insert("STORE", store);
}
