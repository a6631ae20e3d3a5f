// Sample: one thread draws the full groups of one network (or one chunk of them) and writes
// its fields.
//
// fields: [chunk][network in block][quad of rows][block], blocks side by side so that
//   neighbouring threads of the moment stage read neighbouring quads. Rows: fields; TILT:
//   inverse weight. The units that are left are the last chunk, by sample_tail.wgsl.

//# include batch
//# include parameters
//# include words
//# include normals
//# include exponential
//# include activation

@group(0) @binding(2) var<storage, read_write> fields: array<vec4f>;
//# if HIDDEN
// For cross-checks: h_j(x_p), [network in block][unit][point], of one block.
@group(0) @binding(3) var<storage, read_write> hidden: array<f32>;
//# end

//# if QUAD_NUMBERS
const quad_a = 0u;
const quad_b = 4u;
const quad_c = 8u;
const quad_d = 12u;
//# end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x % batch.blocks;
    let member = id.x / batch.blocks;
    let chunk = id.y;
    if member >= ${BLOCK}u {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let network = (number % batch.per_experiment) * ${BLOCK}u + member;
    //# include networks
    let to = (chunk * ${BLOCK}u + member) * ${QUADS}u;
    $PACK
}
