// Networks: the full groups of hidden units of `network` (or one `chunk` of them): draws them,
// evaluates them at every point and reduces them to fields: outputs f_a(x_p), or the
// covariance D(x_p, x_q) = C - K given the hidden layer. The units that are left are in
// tail.wgsl. Twin: src/engine/cpu/networks.rs.
//
// Statements for sample.wgsl and ensemble.wgsl. In: experiment, network, chunk; HIDDEN:
// member. Out: row_.., the fields; TILT: last the inverse weight.
//
// parameters: per point $D_IN weights, offset, readout, readout bias; then the hidden bias;
//   CONNECTED: per pair 4 E[h h], then the unit of its field;
//   TILT: per shift (the first is none) $D_IN + 1 components, ln(p / N) - t.t / 2;
//   LATTICE: the step's $D_IN components, per point the factor of the normalisation.

let hidden_stream = vec2u(experiment, 0u);
let hidden_start = multiply(network, ${HIDDEN_BLOCKS}u);

//# if BIAS
let bias = parameter(${BIAS_AT}u);
//# end
//# if UNROLLED
//# for p in EVALUATED
//# for c in D_IN
let x_$p_$c = parameter(${p}u * ${STRIDE}u + ${c}u);
//# end
let offset_$p = parameter(${p}u * ${STRIDE}u + ${D_IN}u);
//# end
//# end
//# if LATTICE
//# for c in D_IN
let step_$c = parameter(${LATTICE_AT}u + ${c}u);
//# end
//# for p in POINTS
let factor_$p = parameter(${LATTICE_AT}u + ${D_IN}u + ${p}u);
//# end
//# end
//# if DIRECT
//# for o in OUTPUTS
//# for p in POINTS
var f_$o_$p = 0.0;
//# end
//# end
//# end
//# if CONNECTED
//# for f in FIELDS
var f_$f = 0.0;
let centre_$f = parameter(${PAIRS_AT}u + ${f}u);
//# end
//# end
//# if DIRECT
let output_stream = vec2u(experiment, 1u);
let output_start = multiply(network, ${OUTPUT_BLOCKS}u);
//# end
//# if TILT
let choice = chacha8(batch.seed, vec2u(experiment, 2u), vec2u(network, 0u));
let shift_at = ${TILT_AT}u + multiply(choice.a.x, ${SHIFTS}u + 1u).y * (${D_IN}u + 2u);
let shifted = multiply(choice.a.y, ${WIDTH}u).y;
//# for c in COMPONENTS
let shift_$c = parameter(shift_at + ${c}u);
//# end
var ratio = vec4f(0.0);
//# end

let last = min((chunk + 1u) * ${CHUNK_GROUPS}u, ${FULL_GROUPS}u);
var g = chunk * ${CHUNK_GROUPS}u;
loop {
    let at = advance(hidden_start, g * ${COMPONENTS}u);
    //# for c in DRAWN
    var n_$c = normals(chacha8(batch.seed, hidden_stream, advance(at, ${c}u)));
    //# end
    //# if DIRECT
    //# for o in OUTPUTS
    let v_$o = normals(chacha8(batch.seed, output_stream, advance(output_start, g * ${OUTPUTS}u + ${o}u)));
    //# end
    //# end
    //# if TILT
    //# for q in a,b,c,d
    {
        let here = vec4u(shifted) == 16u * g + quad_$q + vec4u(0u, 1u, 2u, 3u);
        //# for c in COMPONENTS
        n_$c.$q += select(vec4f(0.0), vec4f(shift_$c), here);
        let w_$c = n_$c.$q;
        //# end
        $RATIO
    }
    //# end
    //# end
    //# if UNROLLED
    let p = 0u;
    //# end
    //# if ROLLED
    // $TOGETHER points at a time; the sums take turns at the front of their row.
    var p = 0u;
    loop {
        //# for k in TOGETHER
        //# for c in D_IN
        let x_$k_$c = parameter((p + ${k}u) * ${STRIDE}u + ${c}u);
        //# end
        let offset_$k = parameter((p + ${k}u) * ${STRIDE}u + ${D_IN}u);
        //# end
    //# end
    //# if DIRECT
    //# for o in OUTPUTS
    //# for k in TOGETHER
    var sum_$o_$k = 0.0;
    //# end
    //# end
    //# end
    //# for q in a,b,c,d
    {
        //# for c in DRAWN
        let w_$c = n_$c.$q;
        //# end
        $TOGETHER_VALUES
        //# for k in TOGETHER
        //# if DIRECT
        //# for o in OUTPUTS
        sum_$o_$k += dot(v_$o.$q, h_$k);
        //# end
        //# end
        //# if HIDDEN
        //# for l in 4
        hidden[(member * ${WIDTH}u + 16u * g + quad_$q + ${l}u) * ${POINTS}u + p + ${k}u] = h_$k[$l];
        //# end
        //# end
        //# end
        //# if CONNECTED
        $COVARIANCE
        //# end
    }
    //# end
    //# if DIRECT
    //# for o in OUTPUTS
    //# for k in TOGETHER
    f_$o_$k += sum_$o_$k;
    //# end
    //# end
    //# end
    //# if ROLLED
        $TURN
        p += ${TOGETHER}u;
        if p >= ${POINTS}u {
            break;
        }
    }
    //# end
    g += 1u;
    if g >= last {
        break;
    }
}

//# if DIRECT
//# for o in OUTPUTS
//# for p in POINTS
let row_$o_$p = f_$o_$p * parameter(${p}u * ${STRIDE}u + ${D_IN}u + 1u);
//# end
//# end
//# end
//# if CONNECTED
//# for f in FIELDS
let row_$f = f_$f * parameter(${PAIRS_AT}u + ${FIELDS}u + ${f}u);
//# end
//# end
//# if TILT
let row_$FIELDS = ratio.x + ratio.y + ratio.z + ratio.w;
//# end
