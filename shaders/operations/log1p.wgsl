// ln(1 + x). An x of -1 or less counts as the next above it.

fn op_log1p(x: vec4f) -> vec4f {
    return logarithm(max(x + 1.0, vec4f(5.9604645e-8)), x);
}
