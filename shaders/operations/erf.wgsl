// The error function, to more digits than Erf-net's, which activation.wgsl has. The fits are
// minimax (scripts/fit/operations.py).

fn op_erf(x: vec4f) -> vec4f {
    // x + x near, |x| < 475 / 512 (relative error 3e-8).
    let t = x * x;
    let near = ((((t * -0.00059640978 + 0.00498797372) * t - 0.0267631039) * t + 0.112817205) * t - 0.376124859) * t + 0.128379151;
    // 1 - e^-(y + y far) up to 3.95 (relative error 7e-9), 1 beyond it.
    let y = min(abs(x), vec4f(4.0));
    let far = ((((y * -0.000213724037 + 0.00321279909) * y - 0.0228830278) * y + 0.105250984) * y + 0.635726571) * y + 0.128511906;
    let sign = bitcast<vec4i>(x) & bitcast<vec4i>(vec4u(0x80000000u));
    let outside = bitcast<vec4i>(1.0 - op_exp(-(y * far + y))) | sign;
    return select(bitcast<vec4f>(outside), x * near + x, y < vec4f(0.927734375));
}
