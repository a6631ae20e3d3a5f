// In the stage "fields" one thread sums products of two rows of `hidden` over the units of a pass,
// for ${lefts} x ${rights} pairs of rows: outputs with points give f_a(x_p); points with points
// give the covariance D(x_p, x_q) = C - K given the hidden layer.
//
// fields: [network][field], ${field_stride} numbers for each network.
// scales: of outputs, per point the readout, then per point that of b1; of the covariance, per pair
//   E[h h], then the unit of its field.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> fields: array<f32>;

//# if not is_direct
// This is the number of the field of points p and q; beyond the points it is the last field's.
fn pair(p: u32, q: u32) -> u32 {
    return min(p * (2u * ${points}u - p - 1u) / 2u + q, ${quadratic}u - 1u);
}
//# endif

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let networks = work.blocks * work.piece;
    let m = index % networks;
    let left = index / networks / ${right_tiles}u * ${lefts}u;
    let right = index / networks % ${right_tiles}u * ${rights}u;
    if left >= ${left_rows}u {
        return;
    }
    //# if not is_direct
    if left > right {
        return;
    }
    //# endif
    //# for i in range(lefts)
    //# for j in range(rights)
    var f_${i}${j} = 0.0;
    //# if not is_direct
    let centre_${i}${j} = scales[pair(left + ${i}u, right + ${j}u)];
    //# endif
    //# endfor
    //# endfor
    var g = 0u;
    loop {
        if g >= work.groups {
            break;
        }
        //# for i in range(lefts)
        //# for j in range(rights)
        var sum_${i}${j} = {% if is_direct %}0.0{% else %}-16.0 * centre_${i}${j}{% endif %};
        //# endfor
        //# endfor
        var slot = 4u * g;
        loop {
            let at = slot * ${rows}u * work.stride + m;
            //# for i in range(lefts)
            let a_${i} = hidden[at + (${left_row}u + left + ${i}u) * work.stride];
            //# endfor
            //# for j in range(rights)
            let b_${j} = hidden[at + (right + ${j}u) * work.stride];
            //# endfor
            //# for i in range(lefts)
            //# for j in range(rights)
            sum_${i}${j} += dot(a_${i}, b_${j});
            //# endfor
            //# endfor
            slot += 1u;
            if slot >= 4u * g + 4u {
                break;
            }
        }
        //# for i in range(lefts)
        //# for j in range(rights)
        f_${i}${j} += sum_${i}${j};
        //# endfor
        //# endfor
        g += 1u;
    }
    // The units that fill no group hold 4 networks in each number.
    let quarter = work.stride / 4u;
    for (var unit = 0u; unit < ${remainder}u * work.remainder; unit += 1u) {
        let at = (${remainder_row}u + unit * ${rows}u) * quarter + m / 4u;
        //# for i in range(lefts)
        let a_${i} = hidden[at + (${left_row}u + left + ${i}u) * quarter][m % 4u];
        //# endfor
        //# for j in range(rights)
        let b_${j} = hidden[at + (right + ${j}u) * quarter][m % 4u];
        //# endfor
        //# for i in range(lefts)
        //# for j in range(rights)
        f_${i}${j} += a_${i} * b_${j}{% if not is_direct %} - centre_${i}${j}{% endif %};
        //# endfor
        //# endfor
    }
    //# for i in range(lefts)
    //# if has_bias
    var b1_${i} = 0.0;
    if work.remainder == 1u {
        b1_${i} = hidden[(${remainder_row}u + ${remainder}u * ${rows}u + ${left_row}u + left + ${i}u) * quarter + m / 4u][m % 4u];
    }
    //# endif
    //# for j in range(rights)
    {
        let p = left + ${i}u;
        let q = right + ${j}u;
        //# if is_direct
        let is_field = p < ${left_rows}u && q < ${points}u;
        let field = p * ${points}u + q;
        //# else
        let is_field = p <= q && q < ${points}u;
        let field = pair(p, q);
        //# endif
        if is_field {
            //# if is_direct
            var value = f_${i}${j} * scales[q];
            //# if has_bias
            value += b1_${i} * scales[${points}u + q];
            //# endif
            //# else
            var value = f_${i}${j} * scales[${quadratic}u + field];
            //# endif
            let to = m * ${field_stride}u + field;
            if work.more == 1u {
                value += fields[to];
            }
            fields[to] = value;
        }
    }
    //# endfor
    //# endfor
}
