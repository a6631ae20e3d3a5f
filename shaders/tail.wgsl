// Tail: for 16 networks, the hidden units that fill no group, and b1: draws them and reduces
// them to a chunk of the networks' fields. A word of every block goes to each of the networks.
// Twin: src/engine/cpu/networks.rs.
//
// Statements for sample_tail.wgsl and ensemble.wgsl. In: experiment, place (the number of the
// 16 networks); HIDDEN: tile, before. Out: row_.._a to row_.._d, the rows of networks.wgsl for
// four networks each; ONE_QUAD: only those of quad number `quad`, for many fields.

//# if BIAS
let bias = parameter(${BIAS_AT}u);
//# end
//# for p in EVALUATED
//# for c in D_IN
let x_$p_$c = parameter(${p}u * ${STRIDE}u + ${c}u);
//# end
let offset_$p = parameter(${p}u * ${STRIDE}u + ${D_IN}u);
//# end
//# if LATTICE
//# for c in D_IN
let step_$c = parameter(${LATTICE_AT}u + ${c}u);
//# end
//# for p in POINTS
let factor_$p = parameter(${LATTICE_AT}u + ${D_IN}u + ${p}u);
//# end
//# end
//# for q in TAIL_QUADS
//# if DIRECT
//# for o in OUTPUTS
//# for p in POINTS
var f_$o_$p_$q = vec4f(0.0);
//# end
//# end
//# end
//# if CONNECTED
//# for f in FIELDS
var f_$f_$q = vec4f(0.0);
//# end
//# end
//# if TILT
var ratio_$q = vec4f(0.0);
var shifted_$q = vec4u(0u);
//# for c in COMPONENTS
var shift_$c_$q = vec4f(0.0);
//# end
//# for l in 4
{
    let choice = chacha8(batch.seed, vec2u(experiment, 2u), vec2u(16u * place + quad_$q + ${l}u, 0u));
    let shift_at = ${TILT_AT}u + multiply(choice.a.x, ${SHIFTS}u + 1u).y * (${D_IN}u + 2u);
    shifted_$q[$l] = multiply(choice.a.y, ${WIDTH}u).y;
    //# for c in COMPONENTS
    shift_$c_$q[$l] = parameter(shift_at + ${c}u);
    //# end
}
//# end
//# end
//# end
//# if CONNECTED
//# for f in FIELDS
let centre_$f = 0.25 * parameter(${PAIRS_AT}u + ${f}u);
//# end
//# end

let hidden_stream = vec2u(experiment, 3u);
let hidden_start = multiply(place, ${HIDDEN_TAIL_BLOCKS}u);
//# if DIRECT
let output_stream = vec2u(experiment, 4u);
let output_start = multiply(place, ${OUTPUT_TAIL_BLOCKS}u);
//# end
//# if TAIL
var u = 0u;
loop {
    //# for c in DRAWN
    var n_$c = normals(chacha8(batch.seed, hidden_stream, advance(hidden_start, ${c}u * ${TAIL}u + u)));
    //# if ONE_QUAD
    n_$c.a = pick(n_$c, quad);
    //# end
    //# end
    //# if DIRECT
    //# for o in OUTPUTS
    var v_$o = normals(chacha8(batch.seed, output_stream, advance(output_start, ${o}u * (${TAIL}u + 1u) + u)));
    //# if ONE_QUAD
    v_$o.a = pick(v_$o, quad);
    //# end
    //# end
    //# end
    //# for q in TAIL_QUADS
    {
        //# for c in DRAWN
        var w_$c = n_$c.$q;
        //# end
        //# if TILT
        let here = shifted_$q == vec4u(16u * ${FULL_GROUPS}u + u);
        //# for c in COMPONENTS
        w_$c += select(vec4f(0.0), shift_$c_$q, here);
        //# end
        var ratio = vec4f(0.0);
        $RATIO
        ratio_$q += ratio;
        //# end
        $HIDDEN_VALUES
        //# for p in POINTS
        //# if DIRECT
        //# for o in OUTPUTS
        f_$o_$p_$q += v_$o.$q * h_$p;
        //# end
        //# end
        //# if HIDDEN
        //# for l in 4
        {
            let member = 16u * tile + quad_$q + ${l}u - before;
            if member < ${BLOCK}u {
                hidden[(member * ${WIDTH}u + 16u * ${FULL_GROUPS}u + u) * ${POINTS}u + ${p}u] = h_$p[$l];
            }
        }
        //# end
        //# end
        //# end
        //# if CONNECTED
        $PAIRS
        //# for f in FIELDS
        f_$f_$q += d_$f;
        //# end
        //# end
    }
    //# end
    u += 1u;
    if u >= ${TAIL}u {
        break;
    }
}
//# end

//# if DIRECT
//# for o in OUTPUTS
//# if BIAS
var b1_$o = normals(chacha8(batch.seed, output_stream, advance(output_start, ${o}u * (${TAIL}u + 1u) + ${TAIL}u)));
//# if ONE_QUAD
b1_$o.a = pick(b1_$o, quad);
//# end
//# end
//# for p in POINTS
//# for q in TAIL_QUADS
var row_$o_$p_$q = f_$o_$p_$q * parameter(${p}u * ${STRIDE}u + ${D_IN}u + 1u);
//# if BIAS
row_$o_$p_$q += b1_$o.$q * parameter(${p}u * ${STRIDE}u + ${D_IN}u + 2u);
//# end
//# end
//# end
//# end
//# end
//# if CONNECTED
//# for f in FIELDS
//# for q in TAIL_QUADS
let row_$f_$q = f_$f_$q * parameter(${PAIRS_AT}u + ${FIELDS}u + ${f}u);
//# end
//# end
//# end
