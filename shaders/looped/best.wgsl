// In the stage "best" one thread finds the heaviest network of a block among those of the pass and
// of earlier passes.
//
// winners: per block the network of the pass whose fields keep.wgsl is to keep, or none.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> fields: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> winners: array<u32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = flat(id);
    if block >= work.blocks {
        return;
    }
    let places = places_of(block);
    let to = block * ${sum_stride}u + ${heaviest_at}u;
    var best = -1.0;
    if work.start > 0u {
        best = sums[to];
    }
    var winner = 0xffffffffu;
    for (var n = places.first; n < places.end; n += 1u) {
        let m = block * work.piece + n;
        let score = fields[m * ${field_stride}u + ${score_at}u];
        if score > best {
            best = score;
            winner = m;
        }
    }
    winners[block] = winner;
    if winner != 0xffffffffu {
        sums[to] = best;
        sums[to + 1u] = f32(work.start + winner % work.piece - places.first);
        sums[to + 2u] = {% if is_tilted %}fields[winner * ${field_stride}u + ${weight_at}u]{% else %}1.0{% endif %};
    }
}
