// Moments: adds the products of the fields of $UNROLL networks to all sums, straight-line code.
// Twin: src/engine/cpu/moments.rs.
//
// Statements for reduce.wgsl and ensemble.wgsl. In, per network u: t_.._u, the fields; TILT:
// ratio_u, the inverse weight; GIVEN: ratio_u, the weight; live_u, 0 or 1; n_u, its number in
// the block.

//# for u in UNROLL
//# if TILT
let weight_$u = live_$u / (${PROBABILITY} + ratio_$u);
//# end
//# if GIVEN
let weight_$u = live_$u * ratio_$u;
//# end
//# if PLAIN
let weight_$u = live_$u;
//# end
//# end
$PRODUCTS
$ACCUMULATE
//# if HEAVIEST
//# for u in UNROLL
{
    var largest = 0.0;
    //# for f in FIELDS
    largest = max(largest, abs(t_$f_$u));
    //# end
    let score = weight_$u * largest * largest;
    let heavier = score > best;
    best = select(best, score, heavier);
    best_n = select(best_n, n_$u, heavier);
    best_weight = select(best_weight, weight_$u, heavier);
    //# for f in FIELDS
    best_$f = select(best_$f, t_$f_$u, heavier);
    //# end
}
//# end
//# end
