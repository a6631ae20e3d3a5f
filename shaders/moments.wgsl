// This straight-line code adds the products of the fields of one network to all sums; in
// ensemble.wgsl it adds those of four networks, whose fields are vectors. The twin is
// src/engine/cpu/moments.rs.
//
// The text is statements of reduce.wgsl and ensemble.wgsl, which give the fields t_.., what the
// weight comes from in `ratio`, and n, the network's number in the block.

//# if moments.weight == "given"
let weight = ratio;
//# elif moments.weight == "inverse"
let weight = 1.0 / (${moments.probability} + ratio);
//# elif moments.weight == "one"
let weight = 1.0;
//# endif
//# for product in moments.products
let t_${product.to} = t_${product.left} * t_${product.point};
//# endfor
// Each left factor is weighted once.
//# for left in moments.lefts
let u_${left} = weight * t_${left};
//# endfor
//# for element in moments.elements
//# if moments.of_four
${element.sum} += dot(u_${element.left}, {% if element.right is none %}vec4f(1.0){% else %}t_${element.right}{% endif %});
//# else
${element.sum} += u_${element.left}{% if element.right is not none %} * t_${element.right}{% endif %};
//# endif
//# endfor
//# if moments.finds_heaviest
//# if moments.of_four
let weights = vec4f(weight);
//# endif
//# for m in ([".x", ".y", ".z", ".w"] if moments.of_four else [""])
{
    var largest = 0.0;
    //# for f in range(moments.fields)
    largest = max(largest, abs(t_${f}${m}));
    //# endfor
    //# if moments.of_four
    let weight = weights${m};
    //# endif
    let score = weight * largest * largest;
    let heavier = {% if moments.of_four %}select(-2.0, score, valid${m}){% else %}score{% endif %} > best;
    best = select(best, score, heavier);
    best_n = select(best_n, n${m}, heavier);
    best_weight = select(best_weight, weight, heavier);
    //# for f in range(moments.fields)
    best_${f} = select(best_${f}, t_${f}${m}, heavier);
    //# endfor
}
//# endfor
//# endif
