// Ensemble: one thread draws the networks of one block, 16 after the other, and sums their
// moments: networks.wgsl, tail.wgsl and moments.wgsl in one, with nothing stored between them.
// Loops test at their end: for a test at the start such adapters go through the body once more.
// For software adapters, which reach buffers lane by lane at more than the cost of a draw, and
// spill sums to a cache at next to none.
//
// sums: as in reduce.wgsl.

//# include batch
//# include parameters
//# include words
//# include normals
//# include exponential
//# include activation

@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

//# if QUAD_NUMBERS
const quad_a = 0u;
const quad_b = 4u;
const quad_c = 8u;
const quad_d = 12u;
//# end

@compute @workgroup_size($ENSEMBLE_THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x;
    if block >= batch.blocks {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let start = (number % batch.per_experiment) * ${BLOCK}u;
    let end = start + min(${BLOCK}u, batch.nets - start);
    $DECLARE
    var place = start / 16u;
    loop {
        //# if HAS_TAIL
        //# include tail
        $KEEP_TAIL
        //# end
        // Moments of four networks at a time: each sum is loaded and stored once for all four.
        var first = 16u * place;
        loop {
            $ROWS
            //# if HAS_GROUPS
            var network = first;
            loop {
                let chunk = 0u;
                //# include networks
                $KEEP_ROWS
                network += 1u;
                if network >= first + 4u {
                    break;
                }
            }
            //# end
            //# if HAS_TAIL
            $ADD_TAIL
            //# end
            let members = first + vec4u(0u, 1u, 2u, 3u);
            let valid = (members >= vec4u(start)) & (members < vec4u(end));
            let n = members - start;
            $NAME_ROWS
            //# include moments
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
    $STORE
}
