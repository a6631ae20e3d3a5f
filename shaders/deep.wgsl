// In the stage "deep" one thread draws one network of several hidden layers, and writes its fields:
// the outputs, or the covariance D(x_p, x_q) = C - K given the hidden layers. The twin is
// src/engine/cpu/inner.rs.
//
// Given the layer below, the units of a layer are independent draws of N(0, C) at the points: a thread
// keeps sums of products of hidden values, from layer to layer the factor of the covariance that
// they give, and no hidden values. Those go to the buffer `hidden` where a layer takes them one by
// one: where its weights are drawn, because they are fewer than the points or not normal.
//
// parameters: weights of the first layer, [component][point]; a record for each layer, and for the
//   outputs if they are drawn; the units of the fields (src/engine/gpu/deep.rs).

//# if is_looped
//# include "looped/pass.wgsl"
//# else
//# include "batch.wgsl"
//# include "quads.wgsl"
//# endif
//# include "parameters.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"
//# include "exponential.wgsl"
//# include "activation.wgsl"

@group(0) @binding(2) var<storage, read_write> fields: array<f32>;
//# if keeps_hidden
@group(0) @binding(3) var<storage, read_write> hidden: array<f32>;
//# endif

// Sums of products of hidden values at two points over the units of a layer, and the factor of the
// covariance of the next: lower triangles, row after row.
var<private> sums: array<f32, ${pairs | length}>;
//# if has_covariance
var<private> factor: array<f32, ${pairs | length}>;
// Roots of the variances, what is left of them, and rows whose products are those of the factor's.
var<private> size: array<f32, ${points}>;
var<private> left: array<f32, ${points}>;
var<private> mirror: array<f32, ${points}>;
var<private> rows: array<f32, ${points * points}>;
//# include "deep/factorise.wgsl"
//# endif

// This reads a whole number from two places, which hold 16 bits each.
fn count(at: u32) -> u32 {
    return u32(parameter(at)) + (u32(parameter(at + 1u)) << 16u);
}

// Sixteen units of a layer: a full group has blocks of random words of its own, one for each component;
// the units that fill no group share theirs with 16 networks, one block for each unit.
struct Group { stream: vec2u, start: vec2u, blocks: u32, lane: u32, is_rest: bool }

// This draws one component of 16 units; of fewer, the others are zero.
fn component(group: Group, c: u32, law: u32) -> Variates {
    var all: Variates;
    var u = 0u;
    loop {
        let words = chacha8(${uniform}.seed, group.stream, advance(group.start, c * group.blocks + u));
        var drawn = ${laws[0]}(words);
        //# for name in laws
        //# if not loop.first
        if law == ${loop.index0}u {
            drawn = ${name}(words);
        }
        //# endif
        //# endfor
        let ab = select(drawn.a, drawn.b, group.lane >= 4u);
        let cd = select(drawn.c, drawn.d, group.lane >= 12u);
        let own = vec4f(select(ab, cd, group.lane >= 8u)[group.lane & 3u]);
        //# for q in quads
        all.${q} = select(
            select(all.${q}, own, vec4u(u) == quad_${q} + vec4u(0u, 1u, 2u, 3u)),
            drawn.${q},
            !group.is_rest);
        //# endfor
        u += 1u;
        if u >= group.blocks {
            break;
        }
    }
    return all;
}

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# if is_looped
    let m = flat(id);
    if m >= work.blocks * work.piece {
        return;
    }
    let places = places_of(m / work.piece);
    let experiment = places.experiment;
    let network = places.network + m % work.piece;
    let row_stride = work.stride;
    let row_at = m;
    //# else
    let index = id.x + id.y * ${threads_per_row}u;
    let block = index % batch.blocks;
    let member = index / batch.blocks;
    if member >= ${block}u {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let network = (number % batch.per_experiment) * ${block}u + member;
    let row_stride = 1u;
    let row_at = member * ${units * points}u;
    //# endif
    var record = ${at.layers}u;
    //# if keeps_hidden
    // The first of a layer's units in `hidden`, [unit of all layers][point].
    var first_unit = 0u;
    //# endif
    {
        //# with layer = "first"
        //# include "deep/layer.wgsl"
        //# endwith
    }
    var l = 1u;
    loop {
        //# include "deep/next.wgsl"
        //# with layer = "inner"
        //# include "deep/layer.wgsl"
        //# endwith
        l += 1u;
        if l >= ${depth}u {
            break;
        }
    }
    //# if is_direct
    {
        //# include "deep/next.wgsl"
        //# with layer = "outputs"
        //# include "deep/layer.wgsl"
        //# endwith
    }
    //# else
    //# for p, q in pairs
    {
        let field = ${loop.index0}u;
        let value = sums[${q * (q + 1) // 2 + p}u];
        //# include "deep/put.wgsl"
    }
    //# endfor
    //# endif
}
