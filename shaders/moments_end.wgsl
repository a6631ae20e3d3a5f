// These statements write the sums of moments.wgsl to the block's row. They write quads, because a
// compiler's time goes with the number of stores.

let to = block * ${moments.sum_quads}u;
//# for quad in moments.elements | map(attribute="sum") | batch(4, "0.0")
sums[to + ${moments.first_quad + loop.index0}u] = vec4f(${quad | join(", ")});
//# endfor
//# if moments.finds_heaviest
//# for quad in moments.heaviest | batch(4, "0.0")
sums[to + ${moments.heaviest_at + loop.index0}u] = vec4f(${quad | join(", ")});
//# endfor
//# endif
