// Network outputs: one thread draws one network (or one chunk of its hidden units) and
// evaluates it at every point. Twin: src/engine/cpu/outputs.rs.
//
// parameters: per point $D_IN weights, offset, readout, readout bias; then the hidden bias.
// outputs: [chunk][network in block][point][block], blocks side by side so that
// neighbouring threads of the moment stage read neighbouring words.

//# include batch
//# include words
//# include normals
//# include activation

@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;

//# if TAIL
fn pick(v: ptr<function, array<vec4f, ${TAIL_QUARTERS}>>, i: u32) -> f32 {
    return (*v)[i / 4u][i % 4u];
}
//# end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let block = id.x % batch.blocks;
    let member = id.x / batch.blocks;
    let chunk = id.y;
    if member >= ${BLOCK}u {
        return;
    }
    let number = batch.first + block;
    let experiment = number / batch.per_experiment;
    let network = (number % batch.per_experiment) * ${BLOCK}u + member;
    let hidden_stream = vec2u(experiment, 0u);
    let output_stream = vec2u(experiment, 1u);
    let hidden_start = multiply(network, ${HIDDEN_BLOCKS}u);
    let output_start = multiply(network, ${OUTPUT_BLOCKS}u);

    let bias = parameters[${BIAS_AT}u];
    //# for p in POINTS
    //# for c in D_IN
    let x_$p_$c = parameters[${p}u * ${STRIDE}u + ${c}u];
    //# end
    let offset_$p = parameters[${p}u * ${STRIDE}u + ${D_IN}u];
    var f_$p = 0.0;
    //# end

    //# if FULL_GROUPS
    let last = min((chunk + 1u) * ${CHUNK_GROUPS}u, ${FULL_GROUPS}u);
    for (var g = chunk * ${CHUNK_GROUPS}u; g < last; g += 1u) {
        let at = advance(hidden_start, g * (${D_IN}u + 1u));
        //# for c in D_IN
        let w_$c = normals(chacha8(batch.seed, hidden_stream, advance(at, ${c}u)));
        //# end
        let b = normals(chacha8(batch.seed, hidden_stream, advance(at, ${D_IN}u)));
        let v = normals(chacha8(batch.seed, output_stream, advance(output_start, g)));
        //# for p in POINTS
        {
            var sum = 0.0;
            //# for q in a,b,c,d
            {
                var z = b.$q * bias - offset_$p;
                //# for c in D_IN
                z += w_$c.$q * x_$p_$c;
                //# end
                sum += dot(v.$q, activation(z));
            }
            //# end
            f_$p += sum;
        }
        //# end
    }
    //# end

    // The short group, and b1 as its last unit.
    let v = normals(chacha8(batch.seed, output_stream, advance(output_start, ${FULL_GROUPS}u)));
    var tail_v = array<vec4f, 4>(v.a, v.b, v.c, v.d);
    let b1 = tail_v[${TAIL}u / 4u][${TAIL}u % 4u];
    //# if TAIL
    if chunk == ${CHUNKS}u - 1u {
        var tail: array<vec4f, ${TAIL_QUARTERS}>;
        //# for k in TAIL_HIDDEN_BLOCKS
        {
            let n = normals(chacha8(batch.seed, hidden_stream,
                advance(hidden_start, ${FULL_GROUPS}u * (${D_IN}u + 1u) + ${k}u)));
            tail[4 * $k] = n.a;
            tail[4 * $k + 1] = n.b;
            tail[4 * $k + 2] = n.c;
            tail[4 * $k + 3] = n.d;
        }
        //# end
        //# for q in TAIL_QUADS
        {
            // Units beyond the tail read a neighbour's word and have no readout.
            //# for l in 4
            let u_$l = min(4u * ${q}u + ${l}u, ${TAIL}u - 1u);
            //# end
            let live = vec4u(0u, 1u, 2u, 3u) + 4u * ${q}u < vec4u(${TAIL}u);
            let v = select(vec4f(0.0), tail_v[$q], live);
            //# for c in COMPONENTS
            let w_$c = vec4f(
                pick(&tail, ${c}u * ${TAIL}u + u_0), pick(&tail, ${c}u * ${TAIL}u + u_1),
                pick(&tail, ${c}u * ${TAIL}u + u_2), pick(&tail, ${c}u * ${TAIL}u + u_3));
            //# end
            //# for p in POINTS
            {
                var z = w_$D_IN * bias - offset_$p;
                //# for c in D_IN
                z += w_$c * x_$p_$c;
                //# end
                f_$p += dot(v, activation(z));
            }
            //# end
        }
        //# end
    }
    //# end

    // b1 belongs to the last chunk.
    let with_bias = select(0.0, b1, chunk == ${CHUNKS}u - 1u);
    let to = (chunk * ${BLOCK}u + member) * ${POINTS}u;
    //# for p in POINTS
    outputs[(to + ${p}u) * batch.blocks + block] =
        f_$p * parameters[${p}u * ${STRIDE}u + ${D_IN}u + 1u] + with_bias * parameters[${p}u * ${STRIDE}u + ${D_IN}u + 2u];
    //# end
}
