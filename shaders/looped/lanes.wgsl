// `lanes` tells what the 16 variates of a block of random words belong to: with "units" they belong
// to the 16 units of full group number `group` of a network, with "networks" to 16 networks, of
// each of which they draw unit number `unit` of those that fill no group.
//
// The text is statements of hidden.wgsl and readout.wgsl, which give id. They leave m, the place of
// the (first) network; `places` of its block; `network`, its number; and `rest`, the number of the
// thread among those that draw the same.

let index = flat(id);
//# if lanes == "units"
let networks = work.blocks * work.piece;
let m = index % networks;
let group = index / networks % work.groups;
let rest = index / networks / work.groups;
//# else
let networks = work.blocks * work.piece / 16u;
let m = 16u * (index % networks);
let unit = index / networks % ${drawn_units}u;
let rest = index / networks / ${drawn_units}u;
//# endif
let places = places_of(m / work.piece);
let network = places.network + m % work.piece;
