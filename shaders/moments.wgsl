// Moments: one thread sums a set of elements over one block of networks, all sums in
// private variables, straight-line code. Twin: src/engine/cpu/moments.rs.
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
    //# if HEAVIEST
    var best = -1.0;
    var best_n = 0u;
    var best_weight = 0.0;
    //# for f in FIELDS
    var best_$f = 0.0;
    //# end
    //# end
    for (var n = 0u; n < networks; n += 1u) {
        //# for q in QUADS
        var rows_$q = fields[(n * ${QUADS}u + ${q}u) * batch.blocks + block];
        //# end
        //# if MANY_CHUNKS
        for (var chunk = 1u; chunk < ${CHUNKS}u; chunk += 1u) {
            let at = (chunk * ${BLOCK}u + n) * ${QUADS}u;
            //# for q in QUADS
            rows_$q += fields[(at + ${q}u) * batch.blocks + block];
            //# end
        }
        //# end
        $UNPACK
        //# if TILT
        let inverse = ${PROBABILITY} + ratio;
        //# end
        //# if TILT
        let weight = 1.0 / inverse;
        //# end
        //# if GIVEN
        let weight = ratio;
        //# end
        //# if PLAIN
        let weight = 1.0;
        //# end
        $PRODUCTS
        $ACCUMULATE
        //# if HEAVIEST
        var largest = 0.0;
        //# for f in FIELDS
        largest = max(largest, abs(t_$f));
        //# end
        let score = weight * largest * largest;
        let heavier = score > best;
        best = select(best, score, heavier);
        best_n = select(best_n, n, heavier);
        best_weight = select(best_weight, weight, heavier);
        //# for f in FIELDS
        best_$f = select(best_$f, t_$f, heavier);
        //# end
        //# end
    }
    $STORE
    //# if HEAVIEST
    sums[${HEAVIEST_AT}u * batch.blocks + block] = best;
    sums[(${HEAVIEST_AT}u + 1u) * batch.blocks + block] = f32(best_n);
    sums[(${HEAVIEST_AT}u + 2u) * batch.blocks + block] = best_weight;
    //# for f in FIELDS
    sums[(${HEAVIEST_AT}u + 3u + ${f}u) * batch.blocks + block] = best_$f;
    //# end
    //# end
}
