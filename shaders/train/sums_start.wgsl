// These statements start the sums of add.wgsl.

//# for k in range(tile)
//# for a in range(outputs)
var sum_${k}_${a} = vec4f(0.0);
//# endfor
//# endfor
