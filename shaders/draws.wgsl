// Thread k writes the words and the variates of block `first` + k of one stream: these are the first
// two steps of drawing, alone for cross-checks. `per_experiment` and `nets` hold the stream's
// number.

//# include "batch.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"

@group(0) @binding(1) var<storage, read_write> words_out: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> variates_out: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= batch.blocks {
        return;
    }
    let w = chacha8(batch.seed, vec2u(batch.per_experiment, batch.nets),
        advance(vec2u(batch.first, 0u), id.x));
    let n = ${laws[0]}(w);
    //# for q in quads
    words_out[4u * id.x + ${loop.index0}u] = w.${q};
    //# endfor
    //# for q in quads
    variates_out[4u * id.x + ${loop.index0}u] = n.${q};
    //# endfor
}
