// Moments: one thread sums a set of elements over one block of networks, all sums in
// private variables, straight-line code. Twin: src/engine/cpu/moments.rs.
//
// sums: [element][block], $BLOCK networks or what the experiment has left.

//# include batch

@group(0) @binding(1) var<storage, read> outputs: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size($MOMENT_THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x;
    if block >= batch.blocks {
        return;
    }
    let start = ((batch.first + block) % batch.per_experiment) * ${BLOCK}u;
    let networks = min(${BLOCK}u, batch.nets - start);
    $DECLARE
    for (var n = 0u; n < networks; n += 1u) {
        //# for p in POINTS
        var t_$p = outputs[(n * ${POINTS}u + ${p}u) * batch.blocks + block];
        //# end
        //# if MANY_CHUNKS
        for (var chunk = 1u; chunk < ${CHUNKS}u; chunk += 1u) {
            //# for p in POINTS
            t_$p += outputs[((chunk * ${BLOCK}u + n) * ${POINTS}u + ${p}u) * batch.blocks + block];
            //# end
        }
        //# end
        $PRODUCTS
        $ACCUMULATE
    }
    $STORE
}
