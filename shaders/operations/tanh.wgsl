// The hyperbolic tangent is g / (g + 2) with g = e^2|x| - 1, in which nothing cancels; it is 1 from
// |x| = 10 on.

fn op_tanh(x: vec4f) -> vec4f {
    let parts = exponential(2.0 * min(abs(x), vec4f(10.0)));
    let power = bitcast<vec4f>((parts.count << vec4u(23u)) + 0x3f800000);
    let g = power * parts.more + (power - 1.0);
    let sign = bitcast<vec4i>(x) & bitcast<vec4i>(vec4u(0x80000000u));
    return bitcast<vec4f>(bitcast<vec4i>(g / (g + 2.0)) | sign);
}
