// Put: writes quad `q` of 16 lanes to a row of `hidden`. Statements; in: h, row, and what
// lanes.wgsl leaves.

//# if UNITS
hidden[((4u * group + quad_$q / 4u) * ${ROWS}u + row) * work.stride + m] = h;
//# end
//# if NETWORKS
hidden[(${TAIL_ROW}u + unit * ${ROWS}u + row) * (work.stride / 4u) + (m + quad_$q) / 4u] = h;
//# end
