// These statements of networks.wgsl and remainder.wgsl read the points of a network as constants.
// Of a progression the constants are the first point, the step, and how the normalisation changes
// along it.

//# for p in range(1 if is_progression else points)
//# for c in range(d_in)
let x_${p}_${c} = parameter(${at.weight[p][c]}u);
//# endfor
let offset_${p} = parameter(${at.offset[p]}u);
//# if activation.uses_variance
let variance_${p} = parameter(${at.variance[p]}u);
//# endif
//# endfor
//# if is_progression
//# for c in range(d_in)
let step_${c} = parameter(${at.step[c]}u);
//# endfor
//# for p in range(points)
let factor_${p} = parameter(${at.factor[p]}u);
//# endfor
//# endif
