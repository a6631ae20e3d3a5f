// This text multiplies and adds in ${chains} chains of its own in each thread, as fast as a device
// can: the peak that rates of stages are held against. Each number goes its own chaotic way in
// [-1.5, 0.75], which no compiler can shorten: a multiple and a constant it could take several at a time,
// and equal components once.

@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# for c in range(chains)
    var x_${c} = f32(id.x) * 1e-9 + vec4f(0.1, 0.2, 0.3, 0.4) + ${c}.0 * 0.03;
    //# endfor
    var turn = 0u;
    loop {
        //# for _ in range(unrolled)
        //# for c in range(chains)
        x_${c} = x_${c} * x_${c} - 1.5;
        //# endfor
        //# endfor
        turn += 1u;
        if turn >= ${turns}u {
            break;
        }
    }
    values[id.x] = {% for c in range(chains) %}x_${c} + {% endfor %}vec4f(0.0);
}
