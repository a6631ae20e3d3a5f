// In the stage "readout" one thread draws the output weights of 16 lanes for one output, and writes
// them to its row of `hidden`. Of the units that fill no group, the one after the last is b1.

//# include "looped/pass.wgsl"
//# include "words.wgsl"
//# include "normals.wgsl"

@group(0) @binding(1) var<storage, read_write> hidden: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# include "looped/lanes.wgsl"
    let output = rest;
    if output >= ${outputs}u {
        return;
    }
    //# if lanes == "units"
    let stream = vec2u(places.experiment, 1u);
    let at = advance(multiply(network, ${output_blocks}u), (work.group + group) * ${outputs}u + output);
    //# else
    let stream = vec2u(places.experiment, 4u);
    let at = advance(multiply(network / 16u, ${output_remainder_blocks}u), output * (${remainder}u + 1u) + unit);
    //# endif
    let n = normals(chacha8(work.seed, stream, at));
    let row = ${readout_row}u + output;
    //# for q in quads
    {
        let h = n.${q};
        //# include "looped/put.wgsl"
    }
    //# endfor
}
