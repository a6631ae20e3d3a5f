// Moments: adds the products of the fields of one network (ensemble.wgsl: of four, in vectors)
// to all sums, straight-line code. Twin:
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
$FIND_HEAVIEST
