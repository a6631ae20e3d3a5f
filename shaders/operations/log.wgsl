// ln x. Numbers below 2^-126, which some adapters do not know, count as 2^-126.

fn op_log(x: vec4f) -> vec4f {
    return logarithm(max(x, vec4f(1.1754944e-38)), x - 1.0);
}
