// In the stage "forward" one thread sums what a chunk of units yields at ${tile} points. The twin is
// src/engine/cpu/train/all.rs.
//
// sums: [chunk][point of the pass][output][quad].

//# include "train/pass.wgsl"
//# include "parameters.wgsl"
//# include "train/dual.wgsl"

@group(0) @binding(2) var<storage, read> theta: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let quads = work.networks / 4u;
    let quad = index % quads;
    let chunk = index / quads % work.chunks;
    let begin = index / quads / work.chunks * ${tile}u;
    if begin >= work.points {
        return;
    }
    //# include "train/points.wgsl"
    //# include "train/sums_start.wgsl"
    let end = min((chunk + 1u) * work.chunk, work.width);
    var unit = chunk * work.chunk;
    loop {
        //# include "train/unit.wgsl"
        //# include "train/add.wgsl"
        unit += 1u;
        if unit >= end {
            break;
        }
    }
    //# include "train/sums_end.wgsl"
}
