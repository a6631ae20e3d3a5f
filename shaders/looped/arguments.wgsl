// These statements of hidden.wgsl leave the pre-activations z_.. of 16 hidden units at the points
// of a tile, or the exponents of a tile of shifts.

let column = tile * ${tile_points // 4}u;
//# for j in range(tile_points // 4)
let offset_${j} = points[${drawn}u * ${point_quads}u + column + ${j}u];
//# for l in range(4)
//# for q in quads
var z_${j}${l}${q} = vec4f(offset_${j}[${l}]);
//# endfor
//# endfor
//# endfor
var c = 0u;
//# for part in parts
loop {
    var n = ${part.law}(chacha8(work.seed, stream, advance(start, c * ${blocks_between}u)));
    //# if is_tilted
    //# for q in quads
    //# if lanes == "units"
    n.${q} += select(vec4f(0.0), vec4f(shifts[c * ${shifts}u + shift_a.x]), here_${q});
    //# else
    n.${q} += select(vec4f(0.0), vec4f(
        shifts[c * ${shifts}u + shift_${q}.x], shifts[c * ${shifts}u + shift_${q}.y],
        shifts[c * ${shifts}u + shift_${q}.z], shifts[c * ${shifts}u + shift_${q}.w]), here_${q});
    //# endif
    //# endfor
    //# endif
    //# for j in range(tile_points // 4)
    let x_${j} = points[c * ${point_quads}u + column + ${j}u];
    //# for l in range(4)
    //# for q in quads
    z_${j}${l}${q} += n.${q} * x_${j}[${l}];
    //# endfor
    //# endfor
    //# endfor
    c += 1u;
    if c >= ${part.end}u {
        break;
    }
}
//# endfor
