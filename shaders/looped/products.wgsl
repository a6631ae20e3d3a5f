// In the stage "products" one thread multiplies two or three fields of a network, beside which the
// product is kept. The twin is src/tensor/moments.rs.
//
// factors: the places of the factors of each product; the third may be that of the 1.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> factors: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> fields: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let m = index / ${products}u;
    let k = index % ${products}u;
    if m >= work.blocks * work.piece {
        return;
    }
    let row = m * ${field_stride}u;
    let f = factors[k];
    fields[row + ${fields}u + k] = fields[row + f.x] * fields[row + f.y] * fields[row + f.z];
}
