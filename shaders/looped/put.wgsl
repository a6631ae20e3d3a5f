// This statement writes quad `q` of 16 lanes to a row of `hidden`, from h, row, and what lanes.wgsl
// leaves.

//# if lanes == "units"
hidden[((4u * group + quad_${q} / 4u) * ${rows}u + row) * work.stride + m] = h;
//# else
hidden[(${remainder_row}u + unit * ${rows}u + row) * (work.stride / 4u) + (m + quad_${q}) / 4u] = h;
//# endif
