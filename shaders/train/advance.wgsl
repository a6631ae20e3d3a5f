// In the stage "advance" one thread takes a step of the readout: at one point the outputs of a quad of
// networks follow the errors at the data, given C. The twin is src/engine/cpu/train/readout.rs.

//# include "train/pass.wgsl"
//# include "parameters.wgsl"

@group(0) @binding(2) var<storage, read> errors: array<vec4f>;
@group(0) @binding(3) var<storage, read> covariance: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> outputs: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let quads = work.networks / 4u;
    let quad = index % quads;
    let p = index / quads;
    if p >= work.points {
        return;
    }
    //# for a in range(outputs)
    var move_${a} = vec4f(0.0);
    //# endfor
    var mu = 0u;
    loop {
        let c = covariance[(p * work.data + mu) * quads + quad];
        //# for a in range(outputs)
        move_${a} += c * errors[(mu * ${outputs}u + ${a}u) * quads + quad];
        //# endfor
        mu += 1u;
        if mu >= work.data {
            break;
        }
    }
    //# for a in range(outputs)
    {
        let to = (p * ${outputs}u + ${a}u) * quads + quad;
        outputs[to] = outputs[to] - parameter(${at.rate}u) * move_${a};
    }
    //# endfor
}
