// In the stage "outputs" one thread adds up the chunks of one output at one point. The twin is
// src/engine/cpu/train/all.rs.
//
// outputs: [point][output][quad], of all points.

//# include "train/pass.wgsl"
//# include "parameters.wgsl"

@group(0) @binding(2) var<storage, read> theta: array<vec4f>;
@group(0) @binding(3) var<storage, read> sums: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> outputs: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let quads = work.networks / 4u;
    let quad = index % quads;
    let field = index / quads;
    let fields = work.points * ${outputs}u;
    if field >= fields {
        return;
    }
    var sum = vec4f(0.0);
    var chunk = 0u;
    loop {
        sum += sums[(chunk * fields + field) * quads + quad];
        chunk += 1u;
        if chunk >= work.chunks {
            break;
        }
    }
    let b1 = theta[place(${drawn}u + field % ${outputs}u, work.width, quad)];
    let value = parameter(${at.readout}u) * sum + parameter(${at.readout_bias}u) * b1;
    outputs[(work.first * ${outputs}u + field) * quads + quad] = value;
}
