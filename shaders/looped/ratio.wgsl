// In the stage "ratio" one thread sums a network's inverse weight over the units of a pass.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> fields: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = flat(id);
    if m >= work.blocks * work.piece {
        return;
    }
    var sum = vec4f(0.0);
    for (var slot = 0u; slot < 4u * work.groups; slot += 1u) {
        sum += hidden[(slot * ${rows}u + ${ratio_row}u) * work.stride + m];
    }
    let to = m * ${field_stride}u + ${ratio_at}u;
    var ratio = sum.x + sum.y + sum.z + sum.w;
    for (var unit = 0u; unit < ${remainder}u * work.remainder; unit += 1u) {
        ratio += hidden[(${remainder_row}u + unit * ${rows}u + ${ratio_row}u) * (work.stride / 4u) + m / 4u][m % 4u];
    }
    if work.more == 1u {
        ratio += fields[to];
    }
    fields[to] = ratio;
}
