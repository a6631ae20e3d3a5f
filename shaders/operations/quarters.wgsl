// Sine and cosine. WGSL promises 2^-11 and only within a turn or so: the reduction and the series
// are ours. Up to |x| = 102900 the reduction is exact to half a unit in the last place of pi / 4.
// Farther out the error grows to that of x's own rounding, and the angle stays within its bounds.

struct Quarters { count: vec4i, angle: vec4f }

// x in quarters of a turn, and what is left.
fn quarters(x: vec4f) -> Quarters {
    let n = round(x * 0.63661975);
    // pi / 2 in parts: n, of 16 bits, times either of the first two, of 8, is exact, and so are the
    // first two differences.
    let a = ((x - n * 1.5703125) - n * 0.0004825592041015625) - n * 1.2675908e-6;
    return Quarters(vec4i(n), clamp(a, vec4f(-0.8), vec4f(0.8)));
}

// The sine of an angle and some quarters of a turn.
fn sine_of(count: vec4i, a: vec4f) -> vec4f {
    // The fits of normals.wgsl, to f32's digits (relative error of the sine 6e-9, of the cosine
    // 2.4e-9: scripts/fit/operations.py).
    let t = a * a;
    let s = ((t * -1.95172986e-4 + 8.332178142e-3) * t - 0.1666665494) * t * a + a;
    let c = ((t * 2.439044998e-5 - 1.388676379e-3) * t + 4.166662332e-2) * t * t + (1.0 - 0.5 * t);
    let value = select(s, c, (count & vec4i(1)) != vec4i(0));
    return bitcast<vec4f>(bitcast<vec4i>(value) ^ ((count & vec4i(2)) << vec4u(30u)));
}
