// Lanes: what the 16 normals of a block of random words belong to. Statements; in: id. Out: m, the
// place of the (first) network; `places` of its block; `rest`, the number of the thread among
// those that draw the same.
//
// UNITS: to the 16 units of full group number `group` of a network.
// NETWORKS: to 16 networks, of each of which it is the tail's unit number `unit`.

let index = flat(id);
//# if UNITS
let networks = work.blocks * work.piece;
let m = index % networks;
let group = index / networks % work.groups;
let rest = index / networks / work.groups;
//# end
//# if NETWORKS
let networks = work.blocks * work.piece / 16u;
let m = 16u * (index % networks);
let unit = index / networks % ${SLOTS}u;
let rest = index / networks / ${SLOTS}u;
//# end
let places = places_of(m / work.piece);
let network = places.network + m % work.piece;
