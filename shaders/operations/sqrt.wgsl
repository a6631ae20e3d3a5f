// The square root, from WGSL's inverse square root, which is good to 2 units in the last place, by
// a step of Newton's method. Numbers below 2^-126, which some adapters do not know, count as 0.

fn op_sqrt(x: vec4f) -> vec4f {
    let least = vec4f(1.1754944e-38);
    let inverse = inverseSqrt(max(x, least));
    let root = x * inverse;
    return select(vec4f(0.0), root + 0.5 * root * (1.0 - root * inverse), x >= least);
}
