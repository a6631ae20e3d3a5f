// In the stage "ensemble" one thread draws the networks of one block, 16 after the other, and sums
// their moments: it is networks.wgsl, remainder.wgsl and moments.wgsl in one, with nothing stored
// between them. The stage is for software adapters, which reach buffers lane by lane at more than
// the cost of a draw, and spill sums to a cache at next to none. Loops test at their end: for a
// test at the start such adapters go through the body once more.
//
// sums: as in reduce.wgsl.

//# include "batch.wgsl"
//# include "parameters.wgsl"
//# include "words.wgsl"
//# include "variates.wgsl"
//# include "exponential.wgsl"
//# include "activation.wgsl"
//# include "quads.wgsl"

@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

//# set is_shared = false
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x;
    if block >= batch.blocks {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let start = (number % batch.per_experiment) * ${block}u;
    let end = start + min(${block}u, batch.nets - start);
    //# include "moments_start.wgsl"
    var place = start / 16u;
    loop {
        //# if has_remainder
        //# include "remainder.wgsl"
        //# for row in rows
        //# for q in quads
        var next_${row}_${q} = ${row}_${q};
        //# endfor
        //# endfor
        //# endif
        // The moments of four networks are added at a time: each sum is loaded and stored once for
        // all four.
        var first = 16u * place;
        loop {
            //# for row in rows
            var four_${row} = vec4f(0.0);
            //# endfor
            //# if group_chunks > 0
            var network = first;
            loop {
                let chunk = 0u;
                //# include "networks.wgsl"
                //# for row in rows
                four_${row} = vec4f(four_${row}.yzw, ${row});
                //# endfor
                network += 1u;
                if network >= first + 4u {
                    break;
                }
            }
            //# endif
            //# if has_remainder
            // The four quads of the remainder take turns at being the first.
            //# for row in rows
            four_${row} += next_${row}_a;
            next_${row}_a = next_${row}_b;
            next_${row}_b = next_${row}_c;
            next_${row}_c = next_${row}_d;
            //# endfor
            //# endif
            let members = first + vec4u(0u, 1u, 2u, 3u);
            let valid = (members >= vec4u(start)) & (members < vec4u(end));
            let n = members - start;
            //# for row in rows
            let ${moments.rows[loop.index0]} = select(vec4f(0.0), four_${row}, valid);
            //# endfor
            //# include "moments.wgsl"
            first += 4u;
            if first >= 16u * place + 16u {
                break;
            }
        }
        place += 1u;
        if 16u * place >= end {
            break;
        }
    }
    //# include "moments_end.wgsl"
}
