// This text multiplies and adds in ${chains} chains of its own in each thread, as fast as a device
// can: the peak that rates of stages are held against.

@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# for c in range(chains)
    var x_${c} = vec4f(f32(id.x) * 1e-9 + ${c}.0);
    //# endfor
    var turn = 0u;
    loop {
        //# for _ in range(unrolled)
        //# for c in range(chains)
        x_${c} = x_${c} * 0.999 + 0.001;
        //# endfor
        //# endfor
        turn += 1u;
        if turn >= ${turns}u {
            break;
        }
    }
    values[id.x] = {% for c in range(chains) %}x_${c} + {% endfor %}vec4f(0.0);
}
