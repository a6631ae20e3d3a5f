// In the stage "sums" one thread sums one element over the networks of a block that are in the
// pass. The twin is src/engine/cpu/moments.rs.
//
// elements: the places of each element's two factors among the fields and products.
// sums: as in reduce.wgsl.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> elements: array<vec2u>;
@group(0) @binding(2) var<storage, read> fields: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let block = index / ${elements}u;
    let element = index % ${elements}u;
    if block >= work.blocks {
        return;
    }
    let places = places_of(block);
    let to = block * ${sum_stride}u + element;
    let f = elements[element];
    var sum = 0.0;
    if work.start > 0u {
        sum = sums[to];
    }
    for (var n = places.first; n < places.end; n += 1u) {
        let row = (block * work.piece + n) * ${field_stride}u;
        sum += {% if is_tilted %}fields[row + ${weight_at}u] * {% endif %}fields[row + f.x] * fields[row + f.y];
    }
    sums[to] = sum;
}
