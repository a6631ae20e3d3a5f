// Sample tail: one thread draws the tail of 16 networks and writes their fields.
//
// ONE_QUAD: only four of the 16 networks, for many fields; four threads draw the same words.
// Buffers as in sample.wgsl.

//# include batch
//# include parameters
//# include words
//# include normals
//# include exponential
//# include activation

@group(0) @binding(2) var<storage, read_write> fields: array<vec4f>;
//# if HIDDEN
@group(0) @binding(3) var<storage, read_write> hidden: array<f32>;
//# end

//# if ONE_QUAD
fn pick(n: Normals, quad: u32) -> vec4f {
    return select(select(n.a, n.b, quad == 1u), select(n.c, n.d, quad == 3u), quad >= 2u);
}
//# end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x % batch.blocks;
    //# if ALL_QUADS
    let tile = id.x / batch.blocks;
    let quad_a = 0u;
    let quad_b = 4u;
    let quad_c = 8u;
    let quad_d = 12u;
    //# end
    //# if ONE_QUAD
    let quad = id.x / batch.blocks % 4u;
    let tile = id.x / batch.blocks / 4u;
    let quad_a = 4u * quad;
    //# end
    if tile >= ${TILES}u {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let network = (number % batch.per_experiment) * ${BLOCK}u + 16u * tile;
    // A block of fewer than 16 networks starts anywhere among the 16.
    let place = network / 16u;
    let before = network % 16u;

    //# include tail
    $PACK_TAIL
}
