// In the stage "readout" one thread draws the output weights of 16 lanes for one output, and writes
// them to its row of `hidden`. Of the units that fill no group, the one after the last is b1.

//# include "looped/pass.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"

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
    let words = chacha8(work.seed, stream, at);
    let n = ${law.readout}(words);
    //# if has_own_bias
    // b1 has a law of its own.
    let b1 = ${law.readout_bias}(words);
    //# endif
    let row = ${readout_row}u + output;
    //# for q in quads
    {
        let h = {% if has_own_bias %}select(n.${q}, b1.${q}, unit == ${remainder}u){% else %}n.${q}{% endif %};
        //# include "looped/put.wgsl"
    }
    //# endfor
}
