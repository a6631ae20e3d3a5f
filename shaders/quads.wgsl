// Four vectors hold 16 hidden units, or networks; these are the numbers of the first in each.

const quad_a = 0u;
const quad_b = 4u;
const quad_c = 8u;
const quad_d = 12u;
