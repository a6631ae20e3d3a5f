// 1 / (1 + e^-x), without a large exponential for either sign.

fn op_sigmoid(x: vec4f) -> vec4f {
    let w = op_exp(-abs(x));
    let above = 1.0 / (w + 1.0);
    return select(above, w * above, x < vec4f(0.0));
}
