// The natural logarithm of y >= 2^-126, of which `less_one` is y - 1, to more digits where they
// are known: they count where y is near 1.

fn logarithm(y: vec4f, less_one: vec4f) -> vec4f {
    // y = 2^e m, m from sqrt(1/2) to sqrt(2).
    let above = bitcast<vec4i>(y) - 0x3f3504f3;
    let e = above >> vec4u(23u);
    let m = bitcast<vec4f>((above & vec4i(0x7fffff)) + 0x3f3504f3);
    let f = select(m - 1.0, less_one, e == vec4i(0));
    // ln(1 + f) = 2 artanh(s) = f - h + s (h + u), where the rounding of s counts little; u is a
    // minimax fit, |s| < 0.1716 (error of 2 artanh(s) / s 2e-9: scripts/fit/operations.py).
    let s = f / (f + 2.0);
    let t = s * s;
    let u = ((t * 0.298709363 + 0.399775743) * t + 0.666667759) * t;
    let h = 0.5 * f * f;
    let n = vec4f(e);
    // ln 2 in two parts: n times the first, of 15 bits, is exact.
    return n * 0.693145751953125 + (n * 1.42860677e-6 + (f - (h - s * (h + u))));
}
