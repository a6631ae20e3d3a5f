// Reduce: one thread sums a set of elements over one block of networks, all sums in private
// variables.
//
// GIVEN: not networks but nodes of a quadrature, whose last row is their weight.
//
// sums: [block][quad], of $BLOCK networks or what the experiment has left: elements; then, from
// a quad of its own on and from the first pipeline, the block's heaviest network: weight x
// largest field squared, number in the block, weight, fields.

//# include batch

@group(0) @binding(1) var<storage, read> fields: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size($MOMENT_THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x;
    if block >= batch.blocks {
        return;
    }
    let start = ((batch.first + block) % batch.per_experiment) * ${BLOCK}u;
    let networks = min(${BLOCK}u, batch.nets - start);
    $DECLARE
    var n = 0u;
    loop {
        //# for q in QUADS
        var rows_$q = fields[(n * ${QUADS}u + ${q}u) * batch.blocks + block];
        //# end
        //# if MANY_CHUNKS
        var chunk = 1u;
        loop {
            let at = (chunk * ${BLOCK}u + n) * ${QUADS}u;
            //# for q in QUADS
            rows_$q += fields[(at + ${q}u) * batch.blocks + block];
            //# end
            chunk += 1u;
            if chunk >= ${CHUNKS}u {
                break;
            }
        }
        //# end
        $UNPACK
        //# include moments
        n += 1u;
        if n >= networks {
            break;
        }
    }
    $STORE
}
