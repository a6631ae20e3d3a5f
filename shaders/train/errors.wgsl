// In the stage "errors" one thread compares the outputs of a quad of networks at the data with the
// targets, and finds out who diverges. The twin is src/engine/cpu/train/mod.rs.
//
// errors: [data][output][quad], zero where a network has diverged. diverged: 1 where it has, [quad].

//# include "train/pass.wgsl"
//# include "parameters.wgsl"

@group(0) @binding(2) var<storage, read> outputs: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> errors: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> diverged: array<vec4u>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let quad = flat(id);
    let quads = work.networks / 4u;
    if quad >= quads {
        return;
    }
    let fields = work.data * ${outputs}u;
    var loss = vec4f(0.0);
    var field = 0u;
    loop {
        let error = outputs[field * quads + quad] - parameter(${at.targets}u + field);
        errors[field * quads + quad] = error;
        // In units in which the bound of the sum of squares is 1.
        let share = error * parameter(${at.unit}u);
        loss += share * share;
        field += 1u;
        if field >= fields {
            break;
        }
    }
    // The bits of NaN and infinity, without a sign, are above those of all other numbers: no comparison
    // of floats, which compilers may take to be of numbers.
    let bits = bitcast<vec4u>(loss) & vec4u(0x7fffffffu);
    let before = diverged[quad];
    let now = select(before, vec4u(1u), bits > vec4u(0x3f800000u));
    if any(now != vec4u(0u)) {
        diverged[quad] = now;
        field = 0u;
        loop {
            let error = errors[field * quads + quad];
            errors[field * quads + quad] = select(vec4f(0.0), error, now == vec4u(0u));
            field += 1u;
            if field >= fields {
                break;
            }
        }
    }
}
