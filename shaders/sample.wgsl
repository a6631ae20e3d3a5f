// In the stage "sample" one thread draws the full groups of one network (or one chunk of them) and
// writes its fields.
//
// fields: [chunk][network in block][quad of rows][block]. Blocks lie side by side, so that
//   neighbouring threads of the moment stage read neighbouring quads. The rows are the fields,
//   then, with importance sampling, the inverse weight. The units that fill no group are the last
//   chunk, by sample_remainder.wgsl.

//# include "batch.wgsl"
//# include "parameters.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"
//# include "exponential.wgsl"
//# include "activation.wgsl"
//# include "quads.wgsl"

@group(0) @binding(2) var<storage, read_write> fields: array<vec4f>;
//# if records_hidden
// Cross-checks read h_j(x_p), [network in block][unit][point], of one block.
@group(0) @binding(3) var<storage, read_write> hidden: array<f32>;
//# endif

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = id.x + id.y * ${threads_per_row}u;
    let block = index % batch.blocks;
    let member = index / batch.blocks;
    let chunk = id.z;
    if member >= ${block}u {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let network = (number % batch.per_experiment) * ${block}u + member;
    //# include "networks.wgsl"
    let to = (chunk * ${block}u + member) * ${row_quads}u;
    //# for quad in rows | batch(4, "0.0")
    fields[(to + ${loop.index0}u) * batch.blocks + block] = vec4f(${quad | join(", ")});
    //# endfor
}
