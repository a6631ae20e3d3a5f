// These statements join the sums of the threads that share a block, in a fixed tree, and write them
// to the block's row; they are statements of reduce.wgsl. ${team.joined_quads} quads at a time go
// through workgroup memory, each summed there by one thread.

//# set quads = moments.elements | map(attribute="sum") | batch(4, "0.0") | list
//# for joined in quads | batch(team.joined_quads)
//# set before = loop.index0 * team.joined_quads
//# for quad in joined
parts[${loop.index0 * team.threads}u + thread] = vec4f(${quad | join(", ")});
//# endfor
workgroupBarrier();
for (var k = thread; k < ${(joined | length) * team.together}u; k += ${team.threads}u) {
    let at = k / ${team.together}u * ${team.threads}u + k % ${team.together}u;
    //# for s in range(team.strands)
    var part_${s} = parts[at + ${s * team.together}u];
    //# endfor
    //# for half in team.halves
    //# for s in range(half)
    part_${s} += part_${s + half};
    //# endfor
    //# endfor
    let to = first_block + k % ${team.together}u;
    if to < batch.blocks {
        sums[to * ${moments.sum_quads}u + ${moments.first_quad + before}u + k / ${team.together}u] = part_0;
    }
}
workgroupBarrier();
//# endfor
//# if moments.finds_heaviest
parts[thread] = vec4f(best, f32(best_n), 0.0, 0.0);
workgroupBarrier();
var heaviest = lane;
for (var other = lane + ${team.together}u; other < ${team.threads}u; other += ${team.together}u) {
    let a = parts[heaviest];
    let b = parts[other];
    // Of equals the first network, as in one thread.
    heaviest = select(heaviest, other, b.x > a.x || (b.x == a.x && b.y < a.y));
}
if heaviest == thread && first_block + lane < batch.blocks {
    let to = block * ${moments.sum_quads}u;
    //# for quad in moments.heaviest | batch(4, "0.0")
    sums[to + ${moments.heaviest_at + loop.index0}u] = vec4f(${quad | join(", ")});
    //# endfor
}
//# endif
