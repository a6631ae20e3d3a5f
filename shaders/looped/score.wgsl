// In the stage "score" one thread writes a network's weight, and weight x largest field squared,
// beside its fields; and the 1 with which first moments are products, too.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read_write> fields: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = flat(id);
    if m >= work.blocks * work.piece {
        return;
    }
    let row = m * ${field_stride}u;
    //# if is_tilted
    let weight = 1.0 / (${probability} + fields[row + ${ratio_at}u]);
    fields[row + ${weight_at}u] = weight;
    //# else
    let weight = 1.0;
    //# endif
    var largest = 0.0;
    for (var f = 0u; f < ${quadratic}u; f += 1u) {
        largest = max(largest, abs(fields[row + f]));
    }
    fields[row + ${score_at}u] = weight * largest * largest;
    fields[row + ${one_at}u] = 1.0;
}
