// x^c for x >= 0 and a constant |c| <= 16 (the error grows with it). Numbers below 2^-126, which
// some adapters do not know, count as 0, for c < 0 as 2^-126; beyond 2^127.5 the value stays.
//
// src/engine/gpu/activation.rs has made parts of the constant: c = exponent.x + exponent.y, and
// c / ln 2 is scale.x, to more digits scale.y + scale.z; exponent.x has 16 bits, scale.y has 12.

fn op_pow(x: vec4f, exponent: vec2f, scale: vec3f) -> vec4f {
    let least = vec4f(1.1754944e-38);
    // x = 2^e (1 + f) as in logarithm.wgsl.
    let above = bitcast<vec4i>(max(x, least)) - 0x3f3504f3;
    let e = vec4f(above >> vec4u(23u));
    let f = bitcast<vec4f>((above & vec4i(0x7fffff)) + 0x3f3504f3) - 1.0;
    let s = f / (f + 2.0);
    let t = s * s;
    let u = ((t * 0.298709363 + 0.399775743) * t + 0.666667759) * t;
    // ln(1 + f) = a + b. With a multiple of 1/64 near f, a = g - g^2 / 2 has 12 bits; b is small.
    let g = round(f * 64.0) * 0.015625;
    let d = f - g;
    let a = g - 0.5 * g * g;
    let b = d * (1.0 - g - 0.5 * d) + s * (0.5 * f * f + u);
    // The exponent of two: what is large in it is exact.
    let whole = e * exponent.x;
    let n = clamp(round(whole + scale.x * (a + b)), vec4f(-125.0), vec4f(127.0));
    let y = ((whole - n) + scale.y * a) + (e * exponent.y + (scale.z * a + scale.x * b));
    // The fit of exact_power_of_two in exponential.wgsl; n is off by a rounding at times.
    let r = clamp(y, vec4f(-0.51), vec4f(0.51));
    let p = (((((r * 1.545316294e-4 + 1.339086336e-3) * r + 9.618082557e-3) * r + 5.550357114e-2) * r + 0.2402265076) * r + 0.693147188) * r + 1.0;
    let power = bitcast<vec4f>(bitcast<vec4i>(p) + (vec4i(n) << vec4u(23u)));
    return select(power, vec4f(0.0), (x < least) & vec4<bool>(exponent.x > 0.0));
}
