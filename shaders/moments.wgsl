// Moments: adds the products of one network's fields to all sums, straight-line code. Twin:
// src/engine/cpu/moments.rs.
//
// Statements for reduce.wgsl and ensemble.wgsl. In: t_.., the fields; TILT: ratio, the inverse
// weight; GIVEN: ratio, the weight; n, the network's number in the block.

//# if TILT
let weight = 1.0 / (${PROBABILITY} + ratio);
//# end
//# if GIVEN
let weight = ratio;
//# end
//# if PLAIN
let weight = 1.0;
//# end
$PRODUCTS
$ACCUMULATE
//# if HEAVIEST
var largest = 0.0;
//# for f in FIELDS
largest = max(largest, abs(t_$f));
//# end
let score = weight * largest * largest;
let heavier = score > best;
best = select(best, score, heavier);
best_n = select(best_n, n, heavier);
best_weight = select(best_weight, weight, heavier);
//# for f in FIELDS
best_$f = select(best_$f, t_$f, heavier);
//# end
//# end
