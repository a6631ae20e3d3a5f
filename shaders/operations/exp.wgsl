// e^x. Beyond the f32 that have full precision it is the last of them: below e^-87 a number that
// is nothing, above 2^128 the largest f32, which overflows when squared and is reported.

fn op_exp(x: vec4f) -> vec4f {
    let parts = exponential(clamp(x, vec4f(-87.0), vec4f(88.72283)));
    return bitcast<vec4f>(bitcast<vec4i>(parts.more + 1.0) + (parts.count << vec4u(23u)));
}
