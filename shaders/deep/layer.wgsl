// These statements draw the units of a layer: `layer` is "first", "inner" or "outputs". They take
// `record`, where the layer's numbers start, and the number `l` of a layer above the first; hidden
// layers leave sums of products of hidden values in `sums`, the outputs are written.

let units = count(record);
let full = units / 16u;
let rest = units % 16u;
let groups = (units + 15u) / 16u;
let components = count(record + ${at.components}u);
//# if layer == "first"
let streams = vec2u(0u, 3u);
//# else
let streams = vec2u(3u + 2u * l, 4u + 2u * l);
let weights = count(record + ${at.weights}u);
let law = u32(parameter(record + ${at.law}u));
//# if has_own_bias
let bias_law = u32(parameter(record + ${at.bias_law}u));
let bias = parameter(record + ${at.bias}u);
//# endif
//# if has_weights
let takes_values = parameter(record + ${at.takes_values}u) > 0.5;
let scale = parameter(record + ${at.scale}u);
//# endif
//# endif
//# if layer != "outputs"
for (var i = 0u; i < ${pairs | length}u; i += 1u) {
    sums[i] = 0.0;
}
//# endif
//# if not is_direct
//# for pair in pairs
let centre_${loop.index0} = parameter(record + ${at.centre + loop.index0}u);
//# endfor
//# endif
var g = 0u;
loop {
    //# if layer != "outputs"
    // Sums of sums: in f32 a sum of few terms loses less.
    //# for pair in pairs
    var sum_${loop.index0} = 0.0;
    //# endfor
    let last = min(g + ${chunk_groups}u, groups);
    loop {
    //# endif
        let is_rest = g >= full;
        let inside = select(16u, rest, is_rest);
        let owned = multiply(select(network, network / 16u, is_rest), select(full, rest, is_rest) * components);
        let group = Group(
            vec2u(experiment, select(streams.x, streams.y, is_rest)),
            advance(owned, select(g * components, 0u, is_rest)),
            select(1u, rest, is_rest),
            network % 16u,
            is_rest);
        //# for p in range(points)
        //# for q in quads
        //# if has_offset and layer != "outputs"
        var z_${p}${q} = vec4f(parameter(record + ${at.offset + p}u));
        //# else
        var z_${p}${q} = vec4f(0.0);
        //# endif
        //# endfor
        //# endfor
        var c = 0u;
        //# if layer == "first"
        //# for part in parts
        loop {
            let n = component(group, c, ${part.law}u);
            //# for p in range(points)
            let x_${p} = parameter(c * ${points}u + ${p}u);
            //# for q in quads
            z_${p}${q} += n.${q} * x_${p};
            //# endfor
            //# endfor
            c += 1u;
            if c >= ${part.end}u {
                break;
            }
        }
        //# endfor
        //# else
        loop {
            //# if has_own_bias
            let is_bias = c >= weights;
            let n = component(group, c, select(law, bias_law, is_bias));
            //# else
            let n = component(group, c, law);
            //# endif
            //# if has_covariance
            let column = min(c, ${points - 1}u);
            //# for p in range(points)
            var x_${p} = select(0.0, factor[${p * (p + 1) // 2}u + column], c <= ${p}u);
            //# endfor
            //# else
            //# for p in range(points)
            var x_${p} = 0.0;
            //# endfor
            //# endif
            //# if has_weights
            if takes_values {
                let unit = below + min(c, weights - 1u);
                //# for p in range(points)
                x_${p} = scale * hidden[(unit * ${points}u + ${p}u) * row_stride + row_at];
                //# endfor
            }
            //# endif
            //# for p in range(points)
            //# if has_own_bias
            x_${p} = select(x_${p}, bias, is_bias);
            //# endif
            //# for q in quads
            z_${p}${q} += n.${q} * x_${p};
            //# endfor
            //# endfor
            c += 1u;
            if c >= components {
                break;
            }
        }
        //# endif
        // The four quads take turns at being the first: code for one is short.
        var t = 0u;
        loop {
            //# if layer == "outputs"
            //# for i in range(4)
            if t + ${i}u < inside {
                //# for p in range(points)
                {
                    let field = (16u * g + t + ${i}u) * ${points}u + ${p}u;
                    let value = z_${p}a[${i}];
                    //# include "deep/put.wgsl"
                }
                //# endfor
            }
            //# endfor
            //# else
            let is_unit = vec4u(t) + vec4u(0u, 1u, 2u, 3u) < vec4u(inside);
            //# for p in range(points)
            let h_${p} = select(vec4f(0.0), activation(z_${p}a{% if activation.uses_variance %}, parameter(record + ${at.variance + p}u){% endif %}), is_unit);
            //# if keeps_hidden
            //# for i in range(4)
            if t + ${i}u < inside {
                hidden[((first_unit + 16u * g + t + ${i}u) * ${points}u + ${p}u) * row_stride + row_at] = h_${p}[${i}];
            }
            //# endfor
            //# endif
            //# endfor
            //# if not is_direct
            // What fluctuates is added up, in the last layer.
            let here = f32(min(inside - t, 4u));
            //# endif
            //# for p, q in pairs
            sum_${loop.index0} += dot(h_${p}, h_${q}){% if not is_direct %} - here * centre_${loop.index0}{% endif %};
            //# endfor
            //# endif
            //# for p in range(points)
            z_${p}a = z_${p}b;
            z_${p}b = z_${p}c;
            z_${p}c = z_${p}d;
            //# endfor
            t += 4u;
            if t >= inside {
                break;
            }
        }
        g += 1u;
        //# if layer != "outputs"
        if g >= last {
            break;
        }
    }
    //# for p, q in pairs
    sums[${q * (q + 1) // 2 + p}u] += sum_${loop.index0};
    //# endfor
    //# endif
    if g >= groups {
        break;
    }
}
