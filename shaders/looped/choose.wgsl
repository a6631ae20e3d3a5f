// In the stage "choose" one thread picks the shift of a network (0 is none) and the hidden unit
// that gets it.

//# include "looped/pass.wgsl"
//# include "words.wgsl"

@group(0) @binding(1) var<storage, read_write> choices: array<vec2u>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = flat(id);
    if m >= work.blocks * work.piece {
        return;
    }
    let places = places_of(m / work.piece);
    let network = places.network + m % work.piece;
    let choice = chacha8(work.seed, vec2u(places.experiment, 2u), vec2u(network, 0u));
    choices[m] = vec2u(multiply(choice.a.x, ${shifts}u + 1u).y, multiply(choice.a.y, ${width}u).y);
}
