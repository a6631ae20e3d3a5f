// In the stage "sample remainder" one thread draws the units that fill no group, of 16 networks,
// and writes their fields. Where fields are many, four threads draw the same words, each for four
// of the networks. The buffers are those of sample.wgsl.

//# include "batch.wgsl"
//# include "parameters.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"
//# include "exponential.wgsl"
//# include "activation.wgsl"

@group(0) @binding(2) var<storage, read_write> fields: array<vec4f>;
//# if records_hidden
@group(0) @binding(3) var<storage, read_write> hidden: array<f32>;
//# endif

//# set is_shared = thread_quads | length == 1
//# if is_shared
fn pick(n: Variates, quad: u32) -> vec4f {
    return select(select(n.a, n.b, quad == 1u), select(n.c, n.d, quad == 3u), quad >= 2u);
}
//# else
//# include "quads.wgsl"
//# endif

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = id.x + id.y * ${threads_per_row}u;
    let block = index % batch.blocks;
    //# if is_shared
    let quad = index / batch.blocks % 4u;
    let tile = index / batch.blocks / 4u;
    let quad_a = 4u * quad;
    //# else
    let tile = index / batch.blocks;
    //# endif
    if tile >= ${tiles}u {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let network = (number % batch.per_experiment) * ${block}u + 16u * tile;
    // A block of fewer than 16 networks starts anywhere among the 16.
    let place = network / 16u;
    let before = network % 16u;

    //# include "remainder.wgsl"
    //# for q in thread_quads
    //# for l in range(4)
    {
        let member = 16u * tile + quad_${q} + ${l}u - before;
        // A difference that wraps around is beyond the block, too.
        if member < ${block}u {
            let to = (${group_chunks}u * ${block}u + member) * ${row_quads}u;
            //# for quad in rows | batch(4)
            fields[(to + ${loop.index0}u) * batch.blocks + block] = vec4f(
                {%- for row in quad %}${row}_${q}[${l}], {% endfor %}{% for _ in range(4 - (quad | length)) %}0.0, {% endfor %});
            //# endfor
        }
    }
    //# endfor
    //# endfor
}
