// In the stage "cumulants" one thread sums products of ${order} rows of `hidden` over the units of a
// pass: a cumulant of order ${order} of an output less its bias given the hidden layer. The twin is
// src/engine/cpu/cumulants.rs.
//
// factors: the ${order} points of each cumulant.
// scales: a factor of the sum per cumulant, in units of its field.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read> factors: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<f32>;
@group(0) @binding(4) var<storage, read_write> fields: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let networks = work.blocks * work.piece;
    let m = index % networks;
    let k = index / networks;
    if k >= ${cumulants}u {
        return;
    }
    //# for i in range(order)
    let p_${i} = factors[${order}u * k + ${i}u];
    //# endfor
    var total = 0.0;
    for (var g = 0u; g < work.groups; g += 1u) {
        var sum = vec4f(0.0);
        for (var slot = 4u * g; slot < 4u * g + 4u; slot += 1u) {
            let at = slot * ${rows}u * work.stride + m;
            sum += hidden[at + p_0 * work.stride]
            //# for i in range(1, order)
                * hidden[at + p_${i} * work.stride]
            //# endfor
                ;
        }
        total += dot(sum, vec4f(1.0));
    }
    // The units that fill no group hold 4 networks in each number.
    let quarter = work.stride / 4u;
    for (var unit = 0u; unit < ${remainder}u * work.remainder; unit += 1u) {
        let at = (${remainder_row}u + unit * ${rows}u) * quarter + m / 4u;
        total += hidden[at + p_0 * quarter][m % 4u]
        //# for i in range(1, order)
            * hidden[at + p_${i} * quarter][m % 4u]
        //# endfor
            ;
    }
    var value = total * scales[k];
    let to = m * ${field_stride}u + ${first_cumulant}u + k;
    if work.more == 1u {
        value += fields[to];
    }
    fields[to] = value;
}
