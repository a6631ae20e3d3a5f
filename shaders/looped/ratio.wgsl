// Ratio: sums a network's inverse weight over the units of a pass.

//# include pass

@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> fields: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = flat(id);
    if m >= work.blocks * work.piece {
        return;
    }
    var sum = vec4f(0.0);
    for (var slot = 0u; slot < 4u * work.groups; slot += 1u) {
        sum += hidden[(slot * ${ROWS}u + ${RATIO_ROW}u) * work.stride + m];
    }
    let to = m * ${FIELD_STRIDE}u + ${RATIO_AT}u;
    var ratio = sum.x + sum.y + sum.z + sum.w;
    for (var unit = 0u; unit < ${TAIL}u * work.tail; unit += 1u) {
        ratio += hidden[(${TAIL_ROW}u + unit * ${ROWS}u + ${RATIO_ROW}u) * (work.stride / 4u) + m / 4u][m % 4u];
    }
    if work.more == 1u {
        ratio += fields[to];
    }
    fields[to] = ratio;
}
