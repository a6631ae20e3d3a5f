// Moments: one thread sums a set of elements over one block of networks, all sums in
// private variables, straight-line code, $UNROLL networks at a time. Twin:
// src/engine/cpu/moments.rs.
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
        //# for u in UNROLL
        //# if TILT
        let weight_$u = live_$u / (${PROBABILITY} + ratio_$u);
        //# end
        //# if GIVEN
        let weight_$u = live_$u * ratio_$u;
        //# end
        //# if PLAIN
        let weight_$u = live_$u;
        //# end
        //# end
        $PRODUCTS
        $ACCUMULATE
        //# if HEAVIEST
        //# for u in UNROLL
        {
            var largest = 0.0;
            //# for f in FIELDS
            largest = max(largest, abs(t_$f_$u));
            //# end
            let score = weight_$u * largest * largest;
            let heavier = score > best;
            best = select(best, score, heavier);
            best_n = select(best_n, n_$u, heavier);
            best_weight = select(best_weight, weight_$u, heavier);
            //# for f in FIELDS
            best_$f = select(best_$f, t_$f_$u, heavier);
            //# end
        }
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
