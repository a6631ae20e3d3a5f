// These statements read the errors e_k_a at the points of points.wgsl; beyond the last point there is none.

//# for k in range(tile)
//# for a in range(outputs)
//# if is_fused
let e_${k}_${a} = errors[${k * outputs + a}u * quads + quad];
//# else
let e_${k}_${a} = select(
    vec4f(0.0),
    errors[(min(begin + ${k}u, work.points - 1u) * ${outputs}u + ${a}u) * quads + quad],
    begin + ${k}u < work.points);
//# endif
//# endfor
//# endfor
