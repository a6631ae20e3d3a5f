// Score: a network's weight, and weight x largest field squared, beside its fields; and the 1
// with which first moments are products, too.

//# include pass

@group(0) @binding(1) var<storage, read_write> fields: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = flat(id);
    if m >= work.blocks * work.piece {
        return;
    }
    let row = m * ${FIELD_STRIDE}u;
    //# if TILT
    let weight = 1.0 / (${PROBABILITY} + fields[row + ${RATIO_AT}u]);
    fields[row + ${WEIGHT_AT}u] = weight;
    //# end
    //# if PLAIN
    let weight = 1.0;
    //# end
    var largest = 0.0;
    for (var f = 0u; f < ${FIELDS}u; f += 1u) {
        largest = max(largest, abs(fields[row + f]));
    }
    fields[row + ${SCORE_AT}u] = weight * largest * largest;
    fields[row + ${ONE_AT}u] = 1.0;
}
