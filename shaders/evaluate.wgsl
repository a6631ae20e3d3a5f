// Evaluate: one thread computes the activation of four numbers, the function alone, for tests.

//# include "activation.wgsl"

@group(0) @binding(0) var<storage, read> arguments: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&arguments) {
        return;
    }
    values[id.x] = activation(arguments[id.x]{% if activation.uses_variance %}, ${variance}{% endif %});
}
