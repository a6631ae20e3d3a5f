// Reduce: one thread sums a set of elements over one block of networks, all sums in private
// variables, $UNROLL networks at a time.
//
// GIVEN: not networks but nodes of a quadrature, whose last row is their weight.
//
// sums: [row][block], $BLOCK networks or what the experiment has left. Rows: elements; then,
// from the first pipeline, the block's heaviest network: weight x largest field squared,
// number in the block, weight, fields.

//# include batch

@group(0) @binding(1) var<storage, read> fields: array<vec4f>;
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
    for (var first = 0u; first < networks; first += ${UNROLL}u) {
        //# for u in UNROLL
        // Beyond the last network: the last again, with no weight.
        let n_$u = min(first + ${u}u, networks - 1u);
        //# for q in QUADS
        var rows_$u_$q = fields[(n_$u * ${QUADS}u + ${q}u) * batch.blocks + block];
        //# end
        //# if MANY_CHUNKS
        for (var chunk = 1u; chunk < ${CHUNKS}u; chunk += 1u) {
            let at = (chunk * ${BLOCK}u + n_$u) * ${QUADS}u;
            //# for q in QUADS
            rows_$u_$q += fields[(at + ${q}u) * batch.blocks + block];
            //# end
        }
        //# end
        let live_$u = select(0.0, 1.0, first + ${u}u < networks);
        //# end
        $UNPACK
        //# include moments
    }
    $STORE
}
