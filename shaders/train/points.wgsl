// These statements read ${tile} points from number `begin` of the pass on, as x_k_c and, where the
// activation takes it, variance_k. Beyond the last point they repeat it.

//# for k in range(tile)
let at_${k} = ${points_at}u + (work.first + min(begin + ${k}u, work.points - 1u)) * ${stride}u;
//# for c in range(drawn)
let x_${k}_${c} = parameter(at_${k} + ${c}u);
//# endfor
//# if activation.uses_variance
let variance_${k} = parameter(at_${k} + ${drawn}u);
//# endif
//# endfor
