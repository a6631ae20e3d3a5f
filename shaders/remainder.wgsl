// This text draws the hidden units that fill no group, and b1, for 16 networks, and reduces them
// to a chunk of the networks' fields. A word of every block goes to each of the networks. The twin
// is src/engine/cpu/networks.rs.
//
// The text is statements of sample_remainder.wgsl and ensemble.wgsl, which give experiment and
// place (the number of the 16 networks), and tile and before where hidden values are recorded. They
// leave the rows of networks.wgsl in row_.._a to row_.._d, for four networks each; a thread with a
// single quad, those of quad number `quad` in row_.._a.

//# if has_bias
let bias = parameter(${at.bias}u);
//# endif
//# include "points.wgsl"
//# for q in thread_quads
//# if is_direct
//# for o in range(outputs)
//# for p in range(points)
var f_${o}_${p}_${q} = vec4f(0.0);
//# endfor
//# endfor
//# else
//# for f in range(fields)
var f_${f}_${q} = vec4f(0.0);
//# endfor
//# endif
//# if is_tilted
var ratio_${q} = vec4f(0.0);
var shifted_${q} = vec4u(0u);
//# for c in range(components)
var shift_${c}_${q} = vec4f(0.0);
//# endfor
//# for l in range(4)
{
    let choice = chacha8(batch.seed, vec2u(experiment, 2u), vec2u(16u * place + quad_${q} + ${l}u, 0u));
    let shift_at = ${at.shift}u + multiply(choice.a.x, ${shifts}u + 1u).y * ${at.shift_stride}u;
    shifted_${q}[${l}] = multiply(choice.a.y, ${width}u).y;
    //# for c in range(components)
    shift_${c}_${q}[${l}] = parameter(shift_at + ${c}u);
    //# endfor
}
//# endfor
//# endif
//# endfor
//# if not is_direct
//# for f in range(fields)
let centre_${f} = 0.25 * parameter(${at.centre[f]}u);
//# endfor
//# endif

let hidden_stream = vec2u(experiment, 3u);
let hidden_start = multiply(place, ${hidden_remainder_blocks}u);
//# if is_direct
let output_stream = vec2u(experiment, 4u);
let output_start = multiply(place, ${output_remainder_blocks}u);
//# endif
//# if remainder > 0
var u = 0u;
loop {
    //# for c in range(drawn)
    var n_${c} = ${law.hidden[c]}(chacha8(batch.seed, hidden_stream, advance(hidden_start, ${c}u * ${remainder}u + u)));
    //# if is_shared
    n_${c}.a = pick(n_${c}, quad);
    //# endif
    //# endfor
    //# if is_direct
    //# for o in range(outputs)
    var v_${o} = ${law.readout}(chacha8(batch.seed, output_stream, advance(output_start, ${o}u * (${remainder}u + 1u) + u)));
    //# if is_shared
    v_${o}.a = pick(v_${o}, quad);
    //# endif
    //# endfor
    //# endif
    //# for q in thread_quads
    {
        //# for c in range(drawn)
        var w_${c} = n_${c}.${q};
        //# endfor
        //# if is_tilted
        let here = shifted_${q} == vec4u(16u * ${full_groups}u + u);
        //# for c in range(components)
        w_${c} += select(vec4f(0.0), shift_${c}_${q}, here);
        //# endfor
        var ratio = vec4f(0.0);
        //# include "inverse_weight.wgsl"
        ratio_${q} += ratio;
        //# endif
        //# with count = points
        //# include "hidden_values.wgsl"
        //# endwith
        //# for p in range(points)
        //# if is_direct
        //# for o in range(outputs)
        f_${o}_${p}_${q} += v_${o}.${q} * h_${p};
        //# endfor
        //# endif
        //# if records_hidden
        //# for l in range(4)
        {
            let member = 16u * tile + quad_${q} + ${l}u - before;
            if member < ${block}u {
                hidden[(member * ${width}u + 16u * ${full_groups}u + u) * ${points}u + ${p}u] = h_${p}[${l}];
            }
        }
        //# endfor
        //# endif
        //# endfor
        //# if not is_direct
        //# for p, q in pairs
        let d_${loop.index0} = h_${p} * h_${q} - centre_${loop.index0};
        //# endfor
        //# for f in range(fields)
        f_${f}_${q} += d_${f};
        //# endfor
        //# endif
    }
    //# endfor
    u += 1u;
    if u >= ${remainder}u {
        break;
    }
}
//# endif

//# if is_direct
//# for o in range(outputs)
//# if has_bias
var b1_${o} = ${law.readout_bias}(chacha8(batch.seed, output_stream, advance(output_start, ${o}u * (${remainder}u + 1u) + ${remainder}u)));
//# if is_shared
b1_${o}.a = pick(b1_${o}, quad);
//# endif
//# endif
//# for p in range(points)
//# for q in thread_quads
var row_${o}_${p}_${q} = f_${o}_${p}_${q} * parameter(${at.readout[p]}u);
//# if has_bias
row_${o}_${p}_${q} += b1_${o}.${q} * parameter(${at.readout_bias[p]}u);
//# endif
//# endfor
//# endfor
//# endfor
//# else
//# for f in range(fields)
//# for q in thread_quads
let row_${f}_${q} = f_${f}_${q} * parameter(${at.unit[f]}u);
//# endfor
//# endfor
//# endif
//# if is_tilted
//# for q in thread_quads
let row_${fields}_${q} = ratio_${q};
//# endfor
//# endif
