// In the stage "hidden" one thread evaluates 16 hidden units at ${tile_points} points, drawing
// their weights component after component. The twin is src/engine/cpu/networks.rs. The same text
// sums the terms of the inverse weight: `evaluates` is "points", or "shifts" for those of the
// importance sampling, with their logarithms for offsets.
//
// hidden: [slot of 4 units][row][network] for full groups, 4 units in each number; after them
//   [unit][row][4 networks] for the units that fill none, 4 networks in each. There is a row for
//   each point, then one for each output, or with importance sampling one for the inverse weight.
// points: [component][point] weights, then a row of offsets, and of variances where the activation
//   takes them.

//# include "looped/pass.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"
//# include "exponential.wgsl"
//# include "activation.wgsl"

@group(0) @binding(1) var<storage, read> points: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> hidden: array<vec4f>;
//# if is_tilted
@group(0) @binding(3) var<storage, read> choices: array<vec2u>;
@group(0) @binding(4) var<storage, read> shifts: array<f32>;
//# endif

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# include "looped/lanes.wgsl"
    if rest >= ${tiles if evaluates == "points" else 1}u {
        return;
    }
    //# if lanes == "units"
    let stream = vec2u(places.experiment, 0u);
    let start = advance(multiply(network, ${hidden_blocks}u), (work.group + group) * ${components}u);
    //# else
    let stream = vec2u(places.experiment, 3u);
    let start = advance(multiply(network / 16u, ${hidden_remainder_blocks}u), unit);
    //# endif
    //# if is_tilted
    // For each lane this tells whether its unit is shifted, and by which shift.
    //# if lanes == "units"
    let choice = choices[m];
    //# endif
    //# for q in quads
    //# if lanes == "units"
    let shift_${q} = vec4u(max(choice.x, 1u) - 1u);
    let here_${q} = (vec4u(choice.y) == 16u * (work.group + group) + quad_${q} + vec4u(0u, 1u, 2u, 3u)) & vec4<bool>(choice.x > 0u);
    //# else
    var shift_${q} = vec4u(0u);
    var here_${q} = vec4<bool>(false);
    //# for i in range(4)
    {
        let choice = choices[m + quad_${q} + ${i}u];
        shift_${q}[${i}] = max(choice.x, 1u) - 1u;
        here_${q}[${i}] = choice.x > 0u && choice.y == 16u * ${full_groups}u + unit;
    }
    //# endfor
    //# endif
    //# endfor
    //# endif
    //# if evaluates == "points"
    let tile = rest;
    //# include "looped/arguments.wgsl"
    //# for j in range(tile_points // 4)
    //# if activation.uses_variance
    let variance_${j} = points[${drawn + 1}u * ${point_quads}u + column + ${j}u];
    //# endif
    //# for l in range(4)
    {
        let row = tile * ${tile_points}u + 4u * ${j}u + ${l}u;
        //# for q in quads
        {
            let h = activation(z_${j}${l}${q}{% if activation.uses_variance %}, variance_${j}[${l}]{% endif %});
            //# include "looped/put.wgsl"
        }
        //# endfor
    }
    //# endfor
    //# endfor
    //# else
    var tile = 0u;
    //# for q in quads
    var ratio_${q} = vec4f(0.0);
    //# endfor
    loop {
        //# include "looped/arguments.wgsl"
        //# for j in range(tile_points // 4)
        //# for l in range(4)
        //# for q in quads
        ratio_${q} += any_power_of_two(z_${j}${l}${q});
        //# endfor
        //# endfor
        //# endfor
        tile += 1u;
        if tile >= ${tiles}u {
            break;
        }
    }
    let row = ${ratio_row}u;
    //# for q in quads
    {
        let h = ratio_${q};
        //# include "looped/put.wgsl"
    }
    //# endfor
    //# endif
}
