// This text draws the full groups of hidden units of `network` (or one `chunk` of them), evaluates
// them at every point and reduces them to fields: outputs f_a(x_p), or the covariance
// D(x_p, x_q) = C - K given the hidden layer. The units that fill no group are in remainder.wgsl.
// The twin is src/engine/cpu/networks.rs.
//
// The text is statements of sample.wgsl and ensemble.wgsl, which give experiment, network and
// chunk, and member where hidden values are recorded. The statements leave the fields in row_..,
// and after the fields, with importance sampling, the inverse weight.

let hidden_stream = vec2u(experiment, 0u);
let hidden_start = multiply(network, ${hidden_blocks}u);

//# if has_bias
let bias = parameter(${at.bias}u);
//# endif
//# if together == points
//# include "points.wgsl"
//# endif
//# if is_direct
//# for o in range(outputs)
//# for p in range(points)
var f_${o}_${p} = 0.0;
//# endfor
//# endfor
let output_stream = vec2u(experiment, 1u);
let output_start = multiply(network, ${output_blocks}u);
//# else
//# for f in range(fields)
var f_${f} = 0.0;
let centre_${f} = parameter(${at.centre[f]}u);
//# endfor
//# endif
//# if is_tilted
let choice = chacha8(batch.seed, vec2u(experiment, 2u), vec2u(network, 0u));
let shift_at = ${at.shift}u + multiply(choice.a.x, ${shifts}u + 1u).y * ${at.shift_stride}u;
let shifted = multiply(choice.a.y, ${width}u).y;
//# for c in range(components)
let shift_${c} = parameter(shift_at + ${c}u);
//# endfor
var ratio = vec4f(0.0);
//# endif

let last = min((chunk + 1u) * ${chunk_groups}u, ${full_groups}u);
var g = chunk * ${chunk_groups}u;
loop {
    let at = advance(hidden_start, g * ${components}u);
    //# for c in range(drawn)
    var n_${c} = ${law.hidden[c]}(chacha8(batch.seed, hidden_stream, advance(at, ${c}u)));
    //# endfor
    //# if is_direct
    //# for o in range(outputs)
    let v_${o} = ${law.readout}(chacha8(batch.seed, output_stream, advance(output_start, g * ${outputs}u + ${o}u)));
    //# endfor
    //# endif
    //# if is_tilted
    //# for q in quads
    {
        let here = vec4u(shifted) == 16u * g + quad_${q} + vec4u(0u, 1u, 2u, 3u);
        //# for c in range(components)
        n_${c}.${q} += select(vec4f(0.0), vec4f(shift_${c}), here);
        let w_${c} = n_${c}.${q};
        //# endfor
        //# include "inverse_weight.wgsl"
    }
    //# endfor
    //# endif
    //# if together == points
    let p = 0u;
    //# else
    // A turn evaluates ${together} points; the sums take turns at the front of their row.
    var p = 0u;
    loop {
        //# for k in range(together)
        //# for c in range(d_in)
        let x_${k}_${c} = parameter(p * ${at.stride}u + ${at.weight[k][c]}u);
        //# endfor
        let offset_${k} = parameter(p * ${at.stride}u + ${at.offset[k]}u);
        //# if activation.uses_variance
        let variance_${k} = parameter(p * ${at.stride}u + ${at.variance[k]}u);
        //# endif
        //# endfor
    //# endif
    //# if is_direct
    //# for o in range(outputs)
    //# for k in range(together)
    var sum_${o}_${k} = 0.0;
    //# endfor
    //# endfor
    //# endif
    //# for q in quads
    {
        //# for c in range(drawn)
        let w_${c} = n_${c}.${q};
        //# endfor
        //# with count = together
        //# include "hidden_values.wgsl"
        //# endwith
        //# for k in range(together)
        //# if is_direct
        //# for o in range(outputs)
        sum_${o}_${k} += dot(v_${o}.${q}, h_${k});
        //# endfor
        //# endif
        //# if records_hidden
        //# for l in range(4)
        hidden[(member * ${width}u + 16u * g + quad_${q} + ${l}u) * ${points}u + p + ${k}u] = h_${k}[${l}];
        //# endfor
        //# endif
        //# endfor
        //# if not is_direct
        //# for p, q in pairs
        f_${loop.index0} += dot(h_${p}, h_${q}) - centre_${loop.index0};
        //# endfor
        //# endif
    }
    //# endfor
    //# if is_direct
    //# for o in range(outputs)
    //# for k in range(together)
    f_${o}_${k} += sum_${o}_${k};
    //# endfor
    //# endfor
    //# endif
    //# if together < points
        //# set kept = points - together
        //# for o in range(outputs)
        //# for k in range(together)
        let done_${o}_${k} = f_${o}_${k};
        //# endfor
        //# for p in range(kept)
        f_${o}_${p} = f_${o}_${p + together};
        //# endfor
        //# for k in range(together)
        f_${o}_${kept + k} = done_${o}_${k};
        //# endfor
        //# endfor
        p += ${together}u;
        if p >= ${points}u {
            break;
        }
    }
    //# endif
    g += 1u;
    if g >= last {
        break;
    }
}

//# if is_direct
//# for o in range(outputs)
//# for p in range(points)
let row_${o}_${p} = f_${o}_${p} * parameter(${at.readout[p]}u);
//# endfor
//# endfor
//# else
//# for f in range(fields)
let row_${f} = f_${f} * parameter(${at.unit[f]}u);
//# endfor
//# endif
//# if is_tilted
let row_${fields} = ratio.x + ratio.y + ratio.z + ratio.w;
//# endif
