// In the stage "covariance" one thread sums products of hidden values at ${tile} points and at ${tile} data
// points over all units: C, which says how far a step of the readout moves the outputs. The twin is
// src/engine/cpu/train/readout.rs.
//
// covariance: [point][data][quad].

//# include "train/pass.wgsl"
//# include "parameters.wgsl"
//# include "train/dual.wgsl"

@group(0) @binding(2) var<storage, read> theta: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> covariance: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let quads = work.networks / 4u;
    let quad = index % quads;
    let across = (work.data + ${tile - 1}u) / ${tile}u;
    let left = index / quads / across * ${tile}u;
    let right = index / quads % across * ${tile}u;
    if left >= work.points {
        return;
    }
    //# for k in range(tile)
    let left_${k} = ${points_at}u + min(left + ${k}u, work.points - 1u) * ${stride}u;
    let right_${k} = ${points_at}u + min(right + ${k}u, work.data - 1u) * ${stride}u;
    //# for l in range(tile)
    var sum_${k}_${l} = vec4f(0.0);
    //# endfor
    //# endfor
    var unit = 0u;
    loop {
        //# for c in range(drawn)
        let n_${c} = theta[place(${c}u, unit, quad)];
        //# endfor
        //# for side in ["left", "right"]
        //# for k in range(tile)
        let h_${side}_${k} = activation({% for c in range(drawn) %}{% if c > 0 %} + {% endif %}n_${c} * parameter(${side}_${k} + ${c}u){% endfor %}{% if activation.uses_variance %}, parameter(${side}_${k} + ${drawn}u){% endif %});
        //# endfor
        //# endfor
        //# for k in range(tile)
        //# for l in range(tile)
        sum_${k}_${l} += h_left_${k} * h_right_${l};
        //# endfor
        //# endfor
        unit += 1u;
        if unit >= work.width {
            break;
        }
    }
    let weight = parameter(${at.readout}u);
    let bias = parameter(${at.readout_bias}u);
    //# for k in range(tile)
    //# for l in range(tile)
    if left + ${k}u < work.points && right + ${l}u < work.data {
        let to = ((left + ${k}u) * work.data + right + ${l}u) * quads + quad;
        covariance[to] = bias * bias + weight * weight * sum_${k}_${l};
    }
    //# endfor
    //# endfor
}
