// In the stage "draw" one thread draws the parameters of a full group of 16 hidden units of a
// network, and of the readout of those. The twin is src/engine/cpu/train/parameters.rs.
//
// tiles: experiment and number of every 16 networks.

//# include "train/pass.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"

@group(0) @binding(1) var<storage, read> tiles: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> theta: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let groups = work.width / 16u;
    if index >= work.networks * groups {
        return;
    }
    let m = index % work.networks;
    let group = index / work.networks;
    let tile = tiles[m / 16u];
    let network = 16u * tile.y + m % 16u;
    {
        let stream = vec2u(tile.x, 0u);
        let at = advance(multiply(network, groups * ${components}u), group * ${components}u);
        //# for c in range(drawn)
        {
            let n = ${law.hidden[c]}(chacha8(work.seed, stream, advance(at, ${c}u)));
            let to = place(${c}u, 16u * group, 0u) * 4u + m;
            //# include "train/put.wgsl"
        }
        //# endfor
    }
    {
        let stream = vec2u(tile.x, 1u);
        let at = advance(multiply(network, groups * ${outputs}u), group * ${outputs}u);
        //# for a in range(outputs)
        {
            let n = ${law.readout}(chacha8(work.seed, stream, advance(at, ${a}u)));
            let to = place(${drawn + a}u, 16u * group, 0u) * 4u + m;
            //# include "train/put.wgsl"
        }
        //# endfor
    }
}
