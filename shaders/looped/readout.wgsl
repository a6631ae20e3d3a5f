// Readout: draws the output weights of 16 lanes for one output, and writes them to its row of
// `hidden`. The tail's unit after the last is b1.

//# include pass
//# include words
//# include normals

@group(0) @binding(1) var<storage, read_write> hidden: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# include lanes
    let output = rest;
    if output >= ${OUTPUTS}u {
        return;
    }
    //# if UNITS
    let stream = vec2u(places.experiment, 1u);
    let at = advance(multiply(network, ${OUTPUT_BLOCKS}u), (work.group + group) * ${OUTPUTS}u + output);
    //# end
    //# if NETWORKS
    let stream = vec2u(places.experiment, 4u);
    let at = advance(multiply(network / 16u, ${OUTPUT_TAIL_BLOCKS}u), output * (${TAIL}u + 1u) + unit);
    //# end
    let n = normals(chacha8(work.seed, stream, at));
    let row = ${READOUT_ROW}u + output;
    //# for q in a,b,c,d
    {
        let h = n.$q;
        //# include put
    }
    //# end
}
