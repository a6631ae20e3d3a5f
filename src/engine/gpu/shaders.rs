//! The straight-line shaders of one run: constants, generated moment code, texts.

use std::fmt::Write;

use super::device::Device;
use super::wgsl::{Constants, Text, expand};
use crate::Result;
use crate::engine::{Lattice, reach};
use crate::model::{Builtin, EnsembleSpec, Estimator};
use crate::stream::{GROUP, Part, StreamLayout};
use crate::tensor::{Element, MomentPlan, multisets};

/// Groups of 16 hidden units that one thread sums. Wider networks are cut into chunks, so
/// that few wide networks still fill a device; a chunk's sum has at most 256 partial sums
/// of 16 terms each, which keeps its f32 rounding near 1e-6.
pub const CHUNK_GROUPS: u64 = 256;

/// Parameters that every adapter can bind as a uniform: 16 KiB.
const UNIFORM_PARAMETERS: usize = 4096;

/// The unit of `activation.wgsl` for arguments of erf, which makes the highest coefficients of its
/// fit 1 (`scripts/fit/erf.py`).
pub const ERF_UNIT: f64 = 0.05977065436;

/// Threads per workgroup of the moment stage.
pub const MOMENT_THREADS: u32 = 32;

/// Threads per workgroup of `ensemble.wgsl`: one vector of a software adapter, so that few
/// blocks reach all cores.
pub const ENSEMBLE_THREADS: u32 = 8;

/// Where the shifts start in the buffer `parameters` of `networks.wgsl`.
fn tilt_at(spec: &EnsembleSpec) -> usize {
    let points = spec.inputs.len();
    points * (spec.net.d_in() + 3) + 1 + points * (points + 1)
}

/// Rows per network in the buffer `fields`.
pub fn rows(spec: &EnsembleSpec) -> u64 {
    spec.fields() as u64 + u64::from(spec.tilt.is_some())
}

/// Chunks of full groups per network; the units that are left are one more.
pub fn group_chunks(spec: &EnsembleSpec) -> u64 {
    (spec.net.width() / GROUP).div_ceil(CHUNK_GROUPS)
}

/// Chunks per network.
pub fn chunks(spec: &EnsembleSpec) -> u64 {
    group_chunks(spec) + u64::from(has_tail(spec))
}

/// Whether anything is left beside full groups: units, or b1.
pub fn has_tail(spec: &EnsembleSpec) -> bool {
    let b1 = spec.estimator == Estimator::Direct && StreamLayout::new(spec).has_bias();
    b1 || !spec.net.width().is_multiple_of(GROUP)
}

/// Fields up to which one thread draws the tail of 16 networks, rather than of four.
const MAX_TAIL_FIELDS: u64 = 32;

/// Threads per 16 networks of the tail.
pub fn tail_threads(spec: &EnsembleSpec) -> u64 {
    match rows(spec) > MAX_TAIL_FIELDS {
        true => 4,
        false => 1,
    }
}

/// Statements that grow with the spec, of drawing a network and of summing its elements.
pub fn statements(spec: &EnsembleSpec, plan: &MomentPlan) -> u64 {
    let points = if lattice(spec).is_some() {
        1
    } else {
        spec.inputs.len()
    };
    // Four quads of hidden units.
    4 * ((points * spec.net.d_in()) as u64 + rows(spec)) + plan.elements().len() as u64 / 8
}

fn constants(spec: &EnsembleSpec, block: u64) -> Constants {
    let layout = StreamLayout::new(spec);
    let points = spec.inputs.len();
    let stride = spec.net.d_in() + 3;
    let flag = |b: bool| u64::from(b);
    let is = |builtin: Builtin| flag(spec.net.builtin() == builtin);
    let direct = spec.estimator == Estimator::Direct;
    let tilt = spec.tilt.is_some();
    let fields = rows(spec) - flag(tilt);
    let shifts = spec.tilt.as_ref().map_or(0, |t| t.shifts.len());
    let pairs_at = points * stride + 1;
    let lattice = lattice(spec).is_some();
    let together = together(spec);
    let parameters = parameters(spec);
    let mut constants: Constants = [
        ("ERF", is(Builtin::Erf)),
        ("RELU", is(Builtin::Relu)),
        ("GAUSS", is(Builtin::ExpNormalised)),
        ("EXPONENTIAL", is(Builtin::ExpNormalised) | flag(tilt)),
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
        ("WIDTH", spec.net.width()),
        ("PAIRS_AT", pairs_at as u64),
        ("TILT_AT", tilt_at(spec) as u64),
        ("POINTS", points as u64),
        ("D_IN", spec.net.d_in() as u64),
        ("OUTPUTS", spec.net.d_out() as u64),
        ("COMPONENTS", layout.hidden_components),
        ("BIAS", flag(layout.has_bias())),
        ("DRAWN", layout.drawn_components),
        ("TOGETHER", together as u64),
        ("ROLLED", flag(together < points)),
        ("UNROLLED", flag(together == points)),
        ("LATTICE", flag(lattice)),
        ("LATTICE_AT", lattice_at(spec) as u64),
        ("EVALUATED", if lattice { 1 } else { points as u64 }),
        ("STRIDE", stride as u64),
        ("UNIFORM", flag(parameters <= UNIFORM_PARAMETERS)),
        ("STORAGE", flag(parameters > UNIFORM_PARAMETERS)),
        ("PARAMETER_QUADS", parameters.div_ceil(4) as u64),
        ("BIAS_AT", (points * stride) as u64),
        ("BLOCK", block),
        ("FULL_GROUPS", layout.full_groups),
        ("TAIL", layout.remainder),
        ("TILES", block.div_ceil(GROUP)),
        ("ALL_QUADS", flag(tail_threads(spec) == 1)),
        ("ONE_QUAD", flag(tail_threads(spec) > 1)),
        ("HIDDEN_TAIL_BLOCKS", layout.blocks(Part::HiddenRemainder)),
        ("OUTPUT_TAIL_BLOCKS", layout.blocks(Part::OutputRemainder)),
        ("HIDDEN_BLOCKS", layout.blocks(Part::Hidden)),
        ("OUTPUT_BLOCKS", layout.blocks(Part::Output)),
        ("CHUNK_GROUPS", CHUNK_GROUPS),
        ("CHUNKS", chunks(spec)),
        ("MANY_CHUNKS", flag(chunks(spec) > 1)),
        ("MOMENT_THREADS", MOMENT_THREADS.into()),
        ("BOUNDED", flag(is_bounded(spec))),
        ("UNBOUNDED", flag(!is_bounded(spec))),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_string()))
    .collect();
    let probability = spec.tilt.as_ref().map_or(1.0, |t| t.probability());
    constants.insert("PROBABILITY", format!("{probability:?}"));
    constants.insert("COVARIANCE", covariance(points));
    constants.insert("PAIRS", pair_products(points));
    let rows = rows(spec) as usize;
    constants.insert("PACK", pack(rows, &|r| row(spec, r)));
    let quads = match tail_threads(spec) {
        1 => "a,b,c,d",
        _ => "a,",
    };
    constants.insert("TAIL_QUADS", quads.into());
    constants.insert(
        "PACK_TAIL",
        pack_tail(spec, block, quads, &|r, q, l| {
            format!("{}[{l}]", tail_row(spec, r, q))
        }),
    );
    constants.insert("HIDDEN_VALUES", hidden_values(spec, points));
    constants.insert("TOGETHER_VALUES", hidden_values(spec, together));
    constants.insert("TURN", turn(spec, together));
    constants.insert("RATIO", ratio(spec));
    constants
}

/// The name of a row in `networks.wgsl`.
fn row(spec: &EnsembleSpec, r: usize) -> String {
    let points = spec.inputs.len();
    match spec.estimator {
        Estimator::Direct => format!("row_{}_{}", r / points, r % points),
        Estimator::Connected => format!("row_{r}"),
    }
}

/// The name of a row of four networks in `tail.wgsl`.
fn tail_row(spec: &EnsembleSpec, r: usize, quad: &str) -> String {
    match spec.tilt.is_some() && r + 1 == rows(spec) as usize {
        true => format!("ratio_{quad}"),
        false => format!("{}_{quad}", row(spec, r)),
    }
}

/// Whether no exponent of Gauss-net can leave f32.
pub fn is_bounded(spec: &EnsembleSpec) -> bool {
    let largest = reach(spec).into_iter().fold(0.0, f64::max);
    largest * std::f64::consts::LOG2_E < 125.0
}

/// Gauss-net's lattice, if f32 holds every power on it.
pub fn lattice(spec: &EnsembleSpec) -> Option<Lattice> {
    crate::engine::lattice(spec, 125.0 * std::f64::consts::LN_2)
}

/// Where the lattice starts in the buffer `parameters` of `networks.wgsl`.
fn lattice_at(spec: &EnsembleSpec) -> usize {
    let shifts = spec.tilt.as_ref().map_or(0, |t| t.shifts.len() + 1);
    match spec.estimator {
        Estimator::Direct => spec.inputs.len() * (spec.net.d_in() + 3) + 1,
        Estimator::Connected => tilt_at(spec) + shifts * (spec.net.d_in() + 2),
    }
}

/// Numbers in the buffer `parameters` of `networks.wgsl`.
pub fn parameters(spec: &EnsembleSpec) -> usize {
    let points = spec.inputs.len();
    lattice_at(spec) + lattice(spec).map_or(0, |_| spec.net.d_in() + points)
}

/// Points that a group of hidden units is evaluated at in one turn of a loop. Where a point is
/// more than a few operations, code for all of them outgrows a processor's cache of instructions
/// (for two or three at a time it is no faster than for one) and takes compilers more than linear
/// time.
fn together(spec: &EnsembleSpec) -> usize {
    let is_direct = spec.estimator == Estimator::Direct;
    let is_cheap = spec.net.builtin() == Builtin::Relu || lattice(spec).is_some();
    match is_direct && !is_cheap {
        true => 1,
        false => spec.inputs.len(),
    }
}

/// The argument of the activation of four hidden units, from their normals w_c.
fn argument(spec: &EnsembleSpec, x: &str, offset: &str) -> String {
    let start = match (StreamLayout::new(spec).has_bias(), spec.net.builtin()) {
        (true, Builtin::ExpNormalised) => format!("b - {offset}"),
        (true, Builtin::Erf | Builtin::Relu) => "b".into(),
        (false, Builtin::ExpNormalised) => format!("-{offset}"),
        (false, Builtin::Erf | Builtin::Relu) => String::new(),
    };
    let z = start + &linear(spec, x);
    z.trim_start_matches([' ', '+']).into()
}

/// Their weights times the components of `x`.
fn linear(spec: &EnsembleSpec, x: &str) -> String {
    (0..spec.net.d_in())
        .map(|c| format!(" + w_{c} * {x}_{c}"))
        .collect()
}

/// Moves the sums of `together` points to the end of their row, and the next to its front.
fn turn(spec: &EnsembleSpec, together: usize) -> String {
    let kept = spec.inputs.len() - together;
    (0..spec.net.d_out())
        .map(|o| {
            let front = (0..together).map(|k| format!("let done_{o}_{k} = f_{o}_{k};\n"));
            let next = (0..kept).map(|p| format!("f_{o}_{p} = f_{o}_{};\n", p + together));
            let end = (0..together).map(|k| format!("f_{o}_{} = done_{o}_{k};\n", kept + k));
            front.chain(next).chain(end).collect::<String>()
        })
        .collect()
}

/// h_j(x_p) of four hidden units at the first points, from their normals w_c.
fn hidden_values(spec: &EnsembleSpec, points: usize) -> String {
    let lattice = lattice(spec).is_some();
    let has_bias = StreamLayout::new(spec).has_bias();
    let mut code = String::new();
    if has_bias {
        let _ = writeln!(code, "let b = w_{} * bias;", spec.net.d_in());
    }
    for p in 0..if lattice { 1 } else { points } {
        let z = argument(spec, &format!("x_{p}"), &format!("offset_{p}"));
        let _ = writeln!(code, "let h_{p} = activation({z});");
    }
    if lattice {
        let step = linear(spec, "step");
        let step = step.trim_start_matches([' ', '+']);
        let _ = writeln!(code, "let along = exact_power_of_two({step});");
        for p in 1..points {
            let _ = writeln!(code, "let h_{p} = h_{} * (along * factor_{p});", p - 1);
        }
    }
    code
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

/// Writes the rows of the tail's networks.
fn pack_tail(
    spec: &EnsembleSpec,
    block: u64,
    quads: &str,
    name: &dyn Fn(usize, &str, usize) -> String,
) -> String {
    let rows = rows(spec) as usize;
    let mut code = String::new();
    for q in quads.split(',').filter(|q| !q.is_empty()) {
        for l in 0..4 {
            let _ = writeln!(
                code,
                "{{ let member = 16u * tile + quad_{q} + {l}u - before;"
            );
            // A wrapped difference is beyond the block, too.
            let _ = writeln!(code, "if member < {block}u {{");
            let chunk = group_chunks(spec);
            let quads = rows.div_ceil(4);
            let _ = writeln!(code, "let to = ({chunk}u * {block}u + member) * {quads}u;");
            code.push_str(&pack(rows, &|r| name(r, q, l)));
            code.push_str("} }\n");
        }
    }
    code
}

fn unpack(rows: usize, fields: usize) -> String {
    let mut code = String::new();
    for r in 0..rows {
        let name = match r < fields {
            true => format!("t_{r}"),
            false => "ratio".into(),
        };
        let component = ["x", "y", "z", "w"][r % 4];
        let _ = writeln!(code, "let {name} = rows_{}.{component};", r / 4);
    }
    code
}

/// Adds four hidden units to every component of the covariance.
fn covariance(points: usize) -> String {
    (multisets(points, 2).iter().enumerate())
        .map(|(f, pair)| {
            let (p, q) = (pair[0], pair[1]);
            format!("f_{f} += dot(h_{p}, h_{q}) - centre_{f};\n")
        })
        .collect()
}

/// What one hidden unit of four networks adds to every component of the covariance.
fn pair_products(points: usize) -> String {
    (multisets(points, 2).iter().enumerate())
        .map(|(f, pair)| format!("let d_{f} = h_{} * h_{} - centre_{f};\n", pair[0], pair[1]))
        .collect()
}

/// Adds four hidden units to the inverse weight.
fn ratio(spec: &EnsembleSpec) -> String {
    // A loop at run time: shifts may be many, and each is the same few operations.
    let last = spec.net.d_in() + 1;
    let along: String = (0..last)
        .map(|c| format!(" + w_{c} * parameter(at + {c}u)"))
        .collect();
    format!(
        "var k = 1u;\nloop {{\n\
         let at = {at}u + k * {stride}u;\n\
         ratio += any_power_of_two({log2_e:?} * (vec4f(parameter(at + {last}u)){along}));\n\
         k += 1u;\nif k > {shifts}u {{ break; }}\n}}",
        shifts = spec.tilt.as_ref().map_or(0, |t| t.shifts.len()),
        at = tilt_at(spec),
        stride = last + 1,
        log2_e = std::f32::consts::LOG2_E,
    )
}

/// `draws.wgsl`: words and normals alone.
pub fn draws() -> Text {
    Text {
        label: "draws",
        wgsl: expand(
            include_str!("../../../shaders/draws.wgsl"),
            &Constants::from([("BLOCK", "1".into())]),
        ),
    }
}

/// `sample.wgsl` and `sample_tail.wgsl` for a spec, those of them that it needs; with `hidden`
/// they also write out the hidden values.
pub fn networks(spec: &EnsembleSpec, block: u64, hidden: bool) -> Vec<Sampler<Text>> {
    let mut constants = constants(spec, block);
    if hidden {
        constants.insert("HIDDEN", "1".into());
        constants.insert("QUAD_NUMBERS", "1".into());
    }
    let mut all = Vec::new();
    if group_chunks(spec) > 0 {
        let wgsl = expand(include_str!("../../../shaders/sample.wgsl"), &constants);
        all.push(Sampler {
            stage: Text {
                label: "networks",
                wgsl,
            },
            threads: block,
            chunks: group_chunks(spec) as u32,
        });
    }
    if has_tail(spec) {
        let wgsl = expand(
            include_str!("../../../shaders/sample_tail.wgsl"),
            &constants,
        );
        all.push(Sampler {
            stage: Text {
                label: "tail",
                wgsl,
            },
            threads: block.div_ceil(GROUP) * tail_threads(spec),
            chunks: 1,
        });
    }
    all
}

/// A text or a pipeline that draws networks.
pub struct Sampler<T> {
    pub stage: T,
    /// Threads per block of networks.
    pub threads: u64,
    /// Chunks of networks: the second dimension of a dispatch.
    pub chunks: u32,
}

impl Sampler<Text> {
    /// The same as a pipeline.
    pub fn compiled(&self, device: &Device) -> Result<Sampler<wgpu::ComputePipeline>> {
        Ok(Sampler {
            stage: device.pipeline(self.stage.clone())?,
            threads: self.threads,
            chunks: self.chunks,
        })
    }
}

/// `reduce.wgsl` for the nodes of a quadrature, in blocks of `block`.
pub fn quadrature(block: u64, plan: &MomentPlan) -> Text {
    let rows = plan.fields() + 1;
    let mut constants: Constants = [
        ("FIELDS", plan.fields() as u64),
        ("QUADS", rows.div_ceil(4) as u64),
        ("BLOCK", block),
        ("MANY_CHUNKS", 0),
        ("TILT", 0),
        ("GIVEN", 1),
        ("PLAIN", 0),
        ("MOMENT_THREADS", MOMENT_THREADS.into()),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_string()))
    .collect();
    constants.insert("UNPACK", unpack(rows, plan.fields()));
    straight_line(plan, &order(plan), 0, false, &mut constants);
    Text {
        label: "quadrature",
        wgsl: expand(include_str!("../../../shaders/reduce.wgsl"), &constants),
    }
}

/// The order of a block's sums: side by side what shares a product, so that few products are
/// formed twice.
pub fn order(plan: &MomentPlan) -> Vec<usize> {
    let mut all: Vec<usize> = (0..plan.elements().len()).collect();
    all.sort_by_key(|&e| match plan.elements()[e] {
        Element::Single(a) => (a, 0),
        Element::Product(a, b) => (b, a),
    });
    all
}

/// Where a block's row of the buffer `sums` has its heaviest network, in quads.
pub fn heaviest_at(plan: &MomentPlan) -> usize {
    plan.elements().len().div_ceil(4)
}

/// Quads in a block's row of the buffer `sums`.
pub fn row_quads(plan: &MomentPlan) -> usize {
    heaviest_at(plan) + (3 + plan.fields()).div_ceil(4)
}

/// `reduce.wgsl`, one text for every `sums_per_thread` elements of the plan, a multiple of 4.
pub fn moments(
    spec: &EnsembleSpec,
    block: u64,
    plan: &MomentPlan,
    sums_per_thread: usize,
) -> Vec<Text> {
    order(plan)
        .chunks(sums_per_thread)
        .enumerate()
        .map(|(part, elements)| {
            let mut constants = constants(spec, block);
            let rows = rows(spec) as usize;
            let fields = rows - usize::from(spec.tilt.is_some());
            constants.insert("UNPACK", unpack(rows, fields));
            let first = part * sums_per_thread;
            straight_line(plan, elements, first, false, &mut constants);
            Text {
                label: "moments",
                wgsl: expand(include_str!("../../../shaders/reduce.wgsl"), &constants),
            }
        })
        .collect()
}

/// Most elements of `ensemble.wgsl`: its compiler takes more than linear time.
pub const MAX_ENSEMBLE_ELEMENTS: usize = 1024;
/// Widest networks of `ensemble.wgsl`: beyond, drawing takes all of the time, and is better
/// spread over a thread for each network.
pub const MAX_ENSEMBLE_WIDTH: u64 = 512;

/// `ensemble.wgsl`: draws and sums in one.
pub fn ensemble(spec: &EnsembleSpec, block: u64, plan: &MomentPlan) -> Text {
    let mut constants = constants(spec, block);
    let rows = rows(spec) as usize;
    let name = |r: usize| match r < plan.fields() {
        true => format!("t_{r}"),
        false => "ratio".into(),
    };
    let each = |f: &dyn Fn(usize) -> String| (0..rows).map(f).collect::<String>();
    // The four quads of the tail take turns at being the first.
    let quads = ["a", "b", "c", "d"];
    let keep_tail = each(&|r| {
        let keep = |q: &&str| format!("var tail_{r}_{q} = {};\n", tail_row(spec, r, q));
        quads.iter().map(keep).collect()
    });
    let add_tail = each(&|r| {
        let next = |q: &[&str]| format!("tail_{r}_{} = tail_{r}_{};\n", q[0], q[1]);
        let next: String = quads.windows(2).map(next).collect();
        format!("sum_{r} += tail_{r}_a;\n{next}")
    });
    for (key, value) in [
        ("HAS_TAIL", u64::from(has_tail(spec)).to_string()),
        ("HAS_GROUPS", u64::from(group_chunks(spec) > 0).to_string()),
        ("ENSEMBLE_THREADS", ENSEMBLE_THREADS.to_string()),
        ("KEEP_TAIL", keep_tail),
        ("ROWS", each(&|r| format!("var sum_{r} = vec4f(0.0);\n"))),
        (
            "KEEP_ROWS",
            each(&|r| format!("sum_{r} = vec4f(sum_{r}.yzw, {});\n", row(spec, r))),
        ),
        ("ADD_TAIL", add_tail),
        (
            "NAME_ROWS",
            each(&|r| format!("let {} = select(vec4f(0.0), sum_{r}, valid);\n", name(r))),
        ),
        ("QUAD_NUMBERS", "1".into()),
        ("ALL_QUADS", "1".into()),
        ("ONE_QUAD", "0".into()),
        ("TAIL_QUADS", "a,b,c,d".into()),
    ] {
        constants.insert(key, value);
    }
    straight_line(plan, &order(plan), 0, true, &mut constants);
    Text {
        label: "ensemble",
        wgsl: expand(include_str!("../../../shaders/ensemble.wgsl"), &constants),
    }
}

/// The code of the elements of a block's row from the `first`, a multiple of 4: only the products
/// that they need, in the plan's order; with the row's start, of the heaviest network. With `four`
/// the fields are those of four networks.
fn straight_line(
    plan: &MomentPlan,
    elements: &[usize],
    first: usize,
    four: bool,
    constants: &mut Constants,
) {
    let points = plan.fields();
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
    // Each left factor is weighted once.
    let mut lefts: Vec<usize> = (elements.iter())
        .map(|&e| match plan.elements()[e] {
            Element::Single(a) | Element::Product(a, _) => a,
        })
        .collect();
    lefts.sort_unstable();
    lefts.dedup();
    let (mut products, mut declare, mut accumulate) = (String::new(), String::new(), String::new());
    for (k, product) in plan.products().iter().enumerate() {
        if needed[points + k] {
            let (left, point) = (product.left, product.field);
            let _ = writeln!(products, "let t_{} = t_{left} * t_{point};", points + k);
        }
    }
    for a in &lefts {
        let _ = writeln!(products, "let u_{a} = weight * t_{a};");
    }
    for &e in elements {
        let _ = writeln!(declare, "var s_{e} = 0.0;");
        let _ = match plan.elements()[e] {
            Element::Single(a) if four => {
                writeln!(accumulate, "s_{e} += dot(u_{a}, vec4f(1.0));")
            }
            Element::Single(a) => writeln!(accumulate, "s_{e} += u_{a};"),
            Element::Product(a, b) if four => {
                writeln!(accumulate, "s_{e} += dot(u_{a}, t_{b});")
            }
            Element::Product(a, b) => writeln!(accumulate, "s_{e} += u_{a} * t_{b};"),
        };
    }
    let sums: Vec<String> = elements.iter().map(|e| format!("s_{e}")).collect();
    // Quads: a compiler's time goes with the number of stores.
    let mut store = format!("let to = block * {}u;\n", row_quads(plan));
    store.push_str(&store_quads(first / 4, &sums));
    let mut find = String::new();
    if first == 0 {
        let fields = plan.fields();
        declare.push_str("var best = -1.0; var best_n = 0u; var best_weight = 0.0;\n");
        for f in 0..fields {
            let _ = writeln!(declare, "var best_{f} = 0.0;");
        }
        let best = ["best", "f32(best_n)", "best_weight"].map(String::from);
        let best = best
            .into_iter()
            .chain((0..fields).map(|f| format!("best_{f}")));
        store.push_str(&store_quads(heaviest_at(plan), &best.collect::<Vec<_>>()));
        find = find_heaviest(points, four);
    }
    constants.insert("FIND_HEAVIEST", find);
    constants.insert("PRODUCTS", products);
    constants.insert("DECLARE", declare);
    constants.insert("ACCUMULATE", accumulate);
    constants.insert("STORE", store);
}

/// Writes values to a block's row of the buffer `sums`, from a quad of it on.
fn store_quads(first: usize, values: &[String]) -> String {
    (values.chunks(4).enumerate())
        .map(|(q, quad)| {
            let mut quad = quad.to_vec();
            quad.resize(4, "0.0".into());
            format!("sums[to + {}u] = vec4f({});\n", first + q, quad.join(", "))
        })
        .collect()
}

/// Keeps the heaviest network of those before and this one, or these four.
fn find_heaviest(fields: usize, four: bool) -> String {
    let members: &[&str] = match four {
        true => &[".x", ".y", ".z", ".w"],
        false => &[""],
    };
    let mut code = String::new();
    for m in members {
        let largest: String = (0..fields)
            .map(|f| format!("largest = max(largest, abs(t_{f}{m}));\n"))
            .collect();
        let (weight, score) = match four {
            true => (
                format!("weights{m}"),
                format!("select(-2.0, score, valid{m})"),
            ),
            false => ("weight".into(), "score".into()),
        };
        let _ = writeln!(
            code,
            "{{\nvar largest = 0.0;\n{largest}\
             let score = {weight} * largest * largest;\n\
             let heavier = {score} > best;\n\
             best = select(best, score, heavier);\n\
             best_n = select(best_n, n{m}, heavier);\n\
             best_weight = select(best_weight, {weight}, heavier);"
        );
        for f in 0..fields {
            let _ = writeln!(code, "best_{f} = select(best_{f}, t_{f}{m}, heavier);");
        }
        code.push_str("}\n");
    }
    match four {
        true => format!("let weights = vec4f(weight);\n{code}"),
        false => code,
    }
}
