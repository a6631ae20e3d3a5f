// A dispatch of the training stages works on a pass: `networks` networks, a multiple of 16, side by
// side, and `points` of the points from `first` on. A thread has a quad of networks, one in each
// component of its vectors, so that no unit is left over. Units are summed in `chunks` chunks of
// `chunk`.

struct Pass {
    seed: vec2u,
    networks: u32,
    width: u32,
    first: u32,
    points: u32,
    data: u32,
    chunk: u32,
    chunks: u32,
}

@group(0) @binding(0) var<uniform> work: Pass;

// This is the number of a thread; it has two parts because dispatches are wrapped into rows.
fn flat(id: vec3u) -> u32 {
    return id.y * ${threads_per_row}u + id.x;
}

// This is the place of a unit of a quad of networks in a row of `theta`, which holds the variates
// that parameters are multiples of, [row][unit][network]: a row for each component of the hidden
// units, then for each output the weights, and b1 as one more unit.
fn place(row: u32, unit: u32, quad: u32) -> u32 {
    return (row * (work.width + 1u) + unit) * (work.networks / 4u) + quad;
}
