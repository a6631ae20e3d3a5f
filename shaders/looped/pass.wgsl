// A dispatch of the looped stages works on a pass: `piece` networks, a multiple of 16, of each of
// `blocks` blocks from block `first` on (numbered over all experiments), after the first `start`;
// and `groups` groups of 16 hidden units from `group` on, with the units that fill no group if
// `remainder` is 1. Network m of the pass has the place m in every row of `hidden`, which is
// `stride` long, and the row m of `fields`. If `more` is 1, what the pass finds is added to what
// earlier ones found.
//
// A block of fewer than 16 networks takes 16 places: the remainder is drawn for 16 networks at a
// time.

struct Pass {
    seed: vec2u,
    first: u32,
    blocks: u32,
    per_experiment: u32,
    nets: u32,
    start: u32,
    piece: u32,
    stride: u32,
    group: u32,
    groups: u32,
    remainder: u32,
    more: u32,
}

@group(0) @binding(0) var<uniform> work: Pass;

//# include "quads.wgsl"

// This is the number of a thread; it has two parts because dispatches are wrapped into rows.
fn flat(id: vec3u) -> u32 {
    return id.y * ${threads_per_row}u + id.x;
}

// This tells which networks of a block are in the pass: their experiment, the network at the first
// place, and which places are the block's. The last block of an experiment may be short.
struct Places { experiment: u32, network: u32, first: u32, end: u32 }

fn places_of(block: u32) -> Places {
    let number = work.first + block;
    let start = (number % work.per_experiment) * ${block}u;
    let before = start % 16u;
    let end = before + min(${block}u, work.nets - start);
    return Places(
        number / work.per_experiment,
        start - before + work.start,
        before,
        select(0u, min(end - work.start, work.piece), end > work.start),
    );
}
