// This text reads a buffer and writes another, a quad in each thread: the peak of bytes per second
// that rates of stages are held against.

@group(0) @binding(0) var<storage, read> from_values: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> to_values: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = id.x + id.y * ${threads_per_row}u;
    to_values[index] = from_values[index] + 1.0;
}
