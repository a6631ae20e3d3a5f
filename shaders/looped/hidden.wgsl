// Hidden: evaluates 16 hidden units at $TOGETHER points, drawing their weights component after
// component. Twin: src/engine/cpu/networks.rs.
//
// hidden: [slot of 4 units][row][network] for full groups, 4 units in each number; after them
//   [unit][row][4 networks] for the tail, 4 networks in each. A row for each point, then DIRECT:
//   one for each output; TILT: one for the inverse weight.
// points: [component][point] weights, then a row of offsets. SHIFTS: the shifts of the importance
//   sampling instead, with their logarithms for offsets; what comes out is the sum over them.

//# include pass
//# include words
//# include normals
//# include exponential
//# include activation

@group(0) @binding(1) var<storage, read> points: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> hidden: array<vec4f>;
//# if TILT
@group(0) @binding(3) var<storage, read> choices: array<vec2u>;
@group(0) @binding(4) var<storage, read> shifts: array<f32>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    //# include lanes
    //# if POINTWISE
    if rest >= ${POINT_TILES}u {
        return;
    }
    let tile = rest;
    //# end
    //# if SHIFTS
    if rest >= 1u {
        return;
    }
    //# end
    //# if UNITS
    let stream = vec2u(places.experiment, 0u);
    let start = advance(multiply(network, ${HIDDEN_BLOCKS}u), (work.group + group) * ${COMPONENTS}u);
    //# end
    //# if NETWORKS
    let stream = vec2u(places.experiment, 3u);
    let start = advance(multiply(network / 16u, ${HIDDEN_TAIL_BLOCKS}u), unit);
    //# end
    //# if TILT
    // The unit of each lane that is shifted, and by which shift.
    //# if UNITS
    let choice = choices[m];
    //# end
    //# for q in a,b,c,d
    //# if UNITS
    let shift_$q = vec4u(max(choice.x, 1u) - 1u);
    let here_$q = (vec4u(choice.y) == 16u * (work.group + group) + quad_$q + vec4u(0u, 1u, 2u, 3u)) & vec4<bool>(choice.x > 0u);
    //# end
    //# if NETWORKS
    var shift_$q = vec4u(0u);
    var here_$q = vec4<bool>(false);
    //# for i in 4
    {
        let choice = choices[m + quad_$q + ${i}u];
        shift_$q[$i] = max(choice.x, 1u) - 1u;
        here_$q[$i] = choice.x > 0u && choice.y == 16u * ${FULL_GROUPS}u + unit;
    }
    //# end
    //# end
    //# end
    //# end
    //# if SHIFTS
    var tile = 0u;
    //# for q in a,b,c,d
    var ratio_$q = vec4f(0.0);
    //# end
    loop {
    //# end
        let column = tile * ${TILE_QUADS}u;
        //# for j in TILE_QUADS
        let offset_$j = points[${DRAWN}u * ${POINT_QUADS}u + column + ${j}u];
        //# for l in 4
        //# for q in a,b,c,d
        var z_$j$l$q = vec4f(offset_$j[$l]);
        //# end
        //# end
        //# end
        var c = 0u;
        loop {
            var n = normals(chacha8(work.seed, stream, advance(start, c * ${BETWEEN}u)));
            //# if TILT
            //# for q in a,b,c,d
            //# if UNITS
            n.$q += select(vec4f(0.0), vec4f(shifts[c * ${SHIFT_COUNT}u + shift_a.x]), here_$q);
            //# end
            //# if NETWORKS
            n.$q += select(vec4f(0.0), vec4f(
                shifts[c * ${SHIFT_COUNT}u + shift_$q.x], shifts[c * ${SHIFT_COUNT}u + shift_$q.y],
                shifts[c * ${SHIFT_COUNT}u + shift_$q.z], shifts[c * ${SHIFT_COUNT}u + shift_$q.w]), here_$q);
            //# end
            //# end
            //# end
            //# for j in TILE_QUADS
            let x_$j = points[c * ${POINT_QUADS}u + column + ${j}u];
            //# for l in 4
            //# for q in a,b,c,d
            z_$j$l$q += n.$q * x_$j[$l];
            //# end
            //# end
            //# end
            c += 1u;
            if c >= ${DRAWN}u {
                break;
            }
        }
        //# if SHIFTS
        //# for j in TILE_QUADS
        //# for l in 4
        //# for q in a,b,c,d
        ratio_$q += any_power_of_two(z_$j$l$q);
        //# end
        //# end
        //# end
        tile += 1u;
        if tile >= ${POINT_TILES}u {
            break;
        }
    }
    let row = ${RATIO_ROW}u;
    //# for q in a,b,c,d
    {
        let h = ratio_$q;
        //# include put
    }
    //# end
    //# end
    //# if POINTWISE
    //# for j in TILE_QUADS
    //# for l in 4
    {
        let row = tile * ${TOGETHER}u + 4u * ${j}u + ${l}u;
        //# for q in a,b,c,d
        {
            let h = activation(z_$j$l$q);
            //# include put
        }
        //# end
    }
    //# end
    //# end
    //# end
}
