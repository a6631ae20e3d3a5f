// Fields: sums products of two rows of `hidden` over the units of a pass, for $LEFTS x $RIGHTS
// pairs of rows. DIRECT: outputs with points, f_a(x_p). CONNECTED: points with points, the
// covariance D(x_p, x_q) = C - K given the hidden layer.
//
// fields: [network][field], $FIELD_STRIDE numbers for each network.
// scales: DIRECT: per point the readout, then per point that of b1; CONNECTED: per pair E[h h],
//   then the unit of its field.

//# include pass

@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> fields: array<f32>;

//# if CONNECTED
// The field of points p and q, of the last for points that are none.
fn pair(p: u32, q: u32) -> u32 {
    return min(p * (2u * ${POINTS}u - p - 1u) / 2u + q, ${FIELDS}u - 1u);
}
//# end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let networks = work.blocks * work.piece;
    let m = index % networks;
    let left = index / networks / ${RIGHT_TILES}u * ${LEFTS}u;
    let right = index / networks % ${RIGHT_TILES}u * ${RIGHTS}u;
    if left >= ${LEFT_ROWS}u {
        return;
    }
    //# if CONNECTED
    if left > right {
        return;
    }
    //# end
    //# for i in LEFTS
    //# for j in RIGHTS
    var f_$i$j = 0.0;
    //# if CONNECTED
    let centre_$i$j = scales[pair(left + ${i}u, right + ${j}u)];
    //# end
    //# end
    //# end
    var g = 0u;
    loop {
        if g >= work.groups {
            break;
        }
        //# for i in LEFTS
        //# for j in RIGHTS
        //# if CONNECTED
        var sum_$i$j = -16.0 * centre_$i$j;
        //# end
        //# if DIRECT
        var sum_$i$j = 0.0;
        //# end
        //# end
        //# end
        var slot = 4u * g;
        loop {
            let at = slot * ${ROWS}u * work.stride + m;
            //# for i in LEFTS
            let a_$i = hidden[at + (${LEFT_ROW}u + left + ${i}u) * work.stride];
            //# end
            //# for j in RIGHTS
            let b_$j = hidden[at + (right + ${j}u) * work.stride];
            //# end
            //# for i in LEFTS
            //# for j in RIGHTS
            sum_$i$j += dot(a_$i, b_$j);
            //# end
            //# end
            slot += 1u;
            if slot >= 4u * g + 4u {
                break;
            }
        }
        //# for i in LEFTS
        //# for j in RIGHTS
        f_$i$j += sum_$i$j;
        //# end
        //# end
        g += 1u;
    }
    // The tail: 4 networks in each number.
    let quarter = work.stride / 4u;
    for (var unit = 0u; unit < ${TAIL}u * work.tail; unit += 1u) {
        let at = (${TAIL_ROW}u + unit * ${ROWS}u) * quarter + m / 4u;
        //# for i in LEFTS
        let a_$i = hidden[at + (${LEFT_ROW}u + left + ${i}u) * quarter][m % 4u];
        //# end
        //# for j in RIGHTS
        let b_$j = hidden[at + (right + ${j}u) * quarter][m % 4u];
        //# end
        //# for i in LEFTS
        //# for j in RIGHTS
        //# if DIRECT
        f_$i$j += a_$i * b_$j;
        //# end
        //# if CONNECTED
        f_$i$j += a_$i * b_$j - centre_$i$j;
        //# end
        //# end
        //# end
    }
    //# for i in LEFTS
    //# if BIAS
    var b1_$i = 0.0;
    if work.tail == 1u {
        b1_$i = hidden[(${TAIL_ROW}u + ${TAIL}u * ${ROWS}u + ${LEFT_ROW}u + left + ${i}u) * quarter + m / 4u][m % 4u];
    }
    //# end
    //# for j in RIGHTS
    {
        let p = left + ${i}u;
        let q = right + ${j}u;
        //# if DIRECT
        let is_field = p < ${LEFT_ROWS}u && q < ${POINTS}u;
        let field = p * ${POINTS}u + q;
        //# end
        //# if CONNECTED
        let is_field = p <= q && q < ${POINTS}u;
        let field = pair(p, q);
        //# end
        if is_field {
            //# if DIRECT
            var value = f_$i$j * scales[q];
            //# if BIAS
            value += b1_$i * scales[${POINTS}u + q];
            //# end
            //# end
            //# if CONNECTED
            var value = f_$i$j * scales[${FIELDS}u + field];
            //# end
            let to = m * ${FIELD_STRIDE}u + field;
            if work.more == 1u {
                value += fields[to];
            }
            fields[to] = value;
        }
    }
    //# end
    //# end
}
