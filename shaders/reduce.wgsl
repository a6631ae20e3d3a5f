// In the stage "reduce" one thread sums a set of elements over one block of networks, or over every
// ${team.strands}th of them, all sums in private variables. Where several threads share a block,
// which a card needs to be busy, they join their sums in workgroup memory. The nodes of a
// quadrature, whose last row is their weight, are summed like networks.
//
// sums: [block][quad], of ${block} networks or what the experiment has left. The elements come
//   first; then, from a quad of its own on and from the first pipeline, the block's heaviest
//   network: weight x largest field squared, number in the block, weight, fields.

//# include "batch.wgsl"

@group(0) @binding(1) var<storage, read> fields: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;
//# if team.strands > 1

// [quad][thread of the workgroup].
var<workgroup> parts: array<vec4f, ${team.joined_quads * team.threads}>;
//# endif

@compute @workgroup_size(${team.threads})
//# if team.strands > 1
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    // All threads reach the barriers: those without a block do another's once more.
    let lane = thread % ${team.together}u;
    let first_block = group.x * ${team.together}u;
    let block = min(first_block + lane, batch.blocks - 1u);
//# else
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x;
    if block >= batch.blocks {
        return;
    }
//# endif
    let start = ((batch.first + block) % batch.per_experiment) * ${block}u;
    let networks = min(${block}u, batch.nets - start);
    //# include "moments_start.wgsl"
    //# if team.strands > 1
    var n = thread / ${team.together}u;
    //# else
    var n = 0u;
    //# endif
    loop {
        //# if team.strands > 1
        if n >= networks {
            break;
        }
        //# endif
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
        n += ${team.strands}u;
        //# if team.strands == 1
        if n >= networks {
            break;
        }
        //# endif
    }
    //# if team.strands > 1
    //# include "join.wgsl"
    //# else
    //# include "moments_end.wgsl"
    //# endif
}
