// The first of 16 hidden units, or networks, in each of the four vectors that hold them.

const quad_a = 0u;
const quad_b = 4u;
const quad_c = 8u;
const quad_d = 12u;
