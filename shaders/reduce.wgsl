// In the stage "reduce" one thread sums a set of elements over one block of networks, all sums in
// private variables. The nodes of a quadrature, whose last row is their weight, are summed like
// networks.
//
// sums: [block][quad], of ${block} networks or what the experiment has left. The elements come
//   first; then, from a quad of its own on and from the first pipeline, the block's heaviest
//   network: weight x largest field squared, number in the block, weight, fields.

//# include "batch.wgsl"

@group(0) @binding(1) var<storage, read> fields: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x;
    if block >= batch.blocks {
        return;
    }
    let start = ((batch.first + block) % batch.per_experiment) * ${block}u;
    let networks = min(${block}u, batch.nets - start);
    //# include "moments_start.wgsl"
    var n = 0u;
    loop {
        //# for q in range(row_quads)
        var rows_${q} = fields[(n * ${row_quads}u + ${q}u) * batch.blocks + block];
        //# endfor
        //# if chunks > 1
        var chunk = 1u;
        loop {
            let at = (chunk * ${block}u + n) * ${row_quads}u;
            //# for q in range(row_quads)
            rows_${q} += fields[(at + ${q}u) * batch.blocks + block];
            //# endfor
            chunk += 1u;
            if chunk >= ${chunks}u {
                break;
            }
        }
        //# endif
        //# for name in moments.rows
        let ${name} = rows_${loop.index0 // 4}[${loop.index0 % 4}];
        //# endfor
        //# include "moments.wgsl"
        n += 1u;
        if n >= networks {
            break;
        }
    }
    //# include "moments_end.wgsl"
}
