// In the stage "draw_rest" one thread draws a unit that fills no group of 16 networks, or after the
// last of those the networks' b1. The twin is src/engine/cpu/train/parameters.rs.
//
// tiles: experiment and number of every 16 networks.

//# include "train/pass.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"

@group(0) @binding(1) var<storage, read> tiles: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> theta: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let sixteens = work.networks / 16u;
    let rest = work.width % 16u;
    if index >= sixteens * (rest + 1u) {
        return;
    }
    let m = index % sixteens;
    let unit = index / sixteens;
    let tile = tiles[m];
    let to_unit = work.width - rest + unit;
    if unit < rest {
        let stream = vec2u(tile.x, 3u);
        let at = multiply(tile.y, rest * ${components}u);
        //# for c in range(drawn)
        {
            let n = ${law.hidden[c]}(chacha8(work.seed, stream, advance(at, ${c}u * rest + unit)));
            let to = place(${c}u, to_unit, 4u * m);
            //# for q in quads
            theta[to + ${loop.index0}u] = n.${q};
            //# endfor
        }
        //# endfor
    }
    let stream = vec2u(tile.x, 4u);
    let at = multiply(tile.y, (rest + 1u) * ${outputs}u);
    //# for a in range(outputs)
    {
        let words = chacha8(work.seed, stream, advance(at, ${a}u * (rest + 1u) + unit));
        let weights = ${law.readout}(words);
        //# if has_bias
        let b1 = ${law.readout_bias}(words);
        //# endif
        let to = place(${drawn + a}u, to_unit, 4u * m);
        //# for q in quads
        theta[to + ${loop.index0}u] = select({% if has_bias %}b1.${q}{% else %}vec4f(0.0){% endif %}, weights.${q}, unit < rest);
        //# endfor
    }
    //# endfor
}
