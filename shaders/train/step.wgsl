// In the stage "step" one thread moves a chunk of units against the gradient of the loss.
//# if is_fused
// It sums what they then yield at the data.
//# endif
// The twin is src/engine/cpu/train/all.rs.

//# include "train/pass.wgsl"
//# include "parameters.wgsl"
//# include "train/dual.wgsl"

@group(0) @binding(2) var<storage, read> errors: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> theta: array<vec4f>;
//# if is_fused
@group(0) @binding(4) var<storage, read_write> sums: array<vec4f>;
//# endif

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let quads = work.networks / 4u;
    let quad = index % quads;
    let chunk = index / quads;
    if chunk >= work.chunks {
        return;
    }
    let scale = parameter(${at.step}u);
    //# if is_fused
    let begin = 0u;
    //# include "train/points.wgsl"
    //# include "train/errors_of_tile.wgsl"
    //# include "train/sums_start.wgsl"
    //# endif
    let end = min((chunk + 1u) * work.chunk, work.width);
    var unit = chunk * work.chunk;
    loop {
        //# include "train/unit.wgsl"
        //# for c in range(drawn)
        var move_n_${c} = vec4f(0.0);
        //# endfor
        //# for a in range(outputs)
        var move_w_${a} = vec4f(0.0);
        //# endfor
        //# if is_fused
        //# include "train/descend.wgsl"
        //# else
        var begin = 0u;
        loop {
            //# include "train/points.wgsl"
            //# include "train/errors_of_tile.wgsl"
            //# include "train/descend.wgsl"
            begin += ${tile}u;
            if begin >= work.points {
                break;
            }
        }
        //# endif
        //# for c in range(drawn)
        n_${c} += scale * move_n_${c};
        theta[place(${c}u, unit, quad)] = n_${c};
        //# endfor
        //# for a in range(outputs)
        w_${a} += scale * move_w_${a};
        theta[place(${drawn + a}u, unit, quad)] = w_${a};
        //# endfor
        //# if is_fused
        //# include "train/add.wgsl"
        //# endif
        unit += 1u;
        if unit >= end {
            break;
        }
    }
    //# if is_fused
    //# include "train/sums_end.wgsl"
    //# endif
    //# if has_bias
    if chunk == 0u {
        //# for a in range(outputs)
        {
            var shift = vec4f(0.0);
            var mu = 0u;
            loop {
                shift += errors[(mu * ${outputs}u + ${a}u) * quads + quad];
                mu += 1u;
                if mu >= work.data {
                    break;
                }
            }
            let to = place(${drawn + a}u, work.width, quad);
            theta[to] = theta[to] + parameter(${at.step_bias}u) * shift;
        }
        //# endfor
    }
    //# endif
}
