// These statements write 16 variates n to as many units of a network, from the place `to` on.

//# for q in quads
//# set first = 4 * loop.index0
//# for l in range(4)
theta[to + ${first + l}u * work.networks] = n.${q}[${l}];
//# endfor
//# endfor
