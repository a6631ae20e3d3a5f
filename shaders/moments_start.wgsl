// These statements start the sums of moments.wgsl before the first network.

//# for element in moments.elements
var ${element.sum} = 0.0;
//# endfor
//# if moments.finds_heaviest
var best = -1.0; var best_n = 0u; var best_weight = 0.0;
//# for f in range(moments.fields)
var best_${f} = 0.0;
//# endfor
//# endif
