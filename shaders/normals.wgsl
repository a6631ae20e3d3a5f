// Standard normals: Box-Muller on words u and u + 8 of a block. Twin: src/engine/cpu/normals.rs.
// WGSL promises little of log, sin and cos: range reduction on the integers and short
// series make the accuracy the same on every adapter.

struct Normals { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// ln((w + 1/2) / 2^32)
fn ln_uniform(w: vec4u) -> vec4f {
    // u = 2^e m, m in [sqrt(1/2), sqrt(2)).
    let bits = bitcast<vec4i>(vec4f(w) + 0.5);
    let k = (bits - 0x3f3504f3) >> vec4u(23u);
    let m = bitcast<vec4f>(bits - (k << vec4u(23u)));
    // Near 1 the float of w has lost 1 - u: take it from the integer.
    let rest = (vec4f(~w) + 0.5) * 2.3283064365386963e-10;
    let near_one = w > vec4u(0xb504f333u);
    let e = select(vec4f(k - 32), vec4f(0.0), near_one);
    let top = select(m - 1.0, -rest, near_one);
    let bottom = select(m + 1.0, 2.0 - rest, near_one);
    let s = top / bottom;
    let t = s * s;
    // 2 artanh(s), |s| < 0.1716: the first term left out is 2e-10 of the sum.
    let sum = (((t * 0.2222222222 + 0.2857142857) * t + 0.4) * t + 0.6666666667) * t + 2.0;
    return e * 0.6931471806 + s * sum;
}

struct Circle { cos: vec4f, sin: vec4f }

// Cosine and sine of 2 pi w / 2^32.
fn circle(w: vec4u) -> Circle {
    // Top two bits: quadrant; the rest, signed: angle within it, -pi/4 to pi/4.
    let a = vec4f(bitcast<vec4i>(w << vec4u(2u))) * 3.657295198168e-10;
    let t = a * a;
    let s = ((((t * 2.7557319e-6 - 1.984126984e-4) * t + 8.333333333e-3) * t - 0.1666666667) * t + 1.0) * a;
    let c = ((((t * -2.7557319e-7 + 2.48015873e-5) * t - 1.388888889e-3) * t + 4.166666667e-2) * t - 0.5) * t + 1.0;
    let swap = (w & vec4u(0x40000000u)) != vec4u(0u);
    let sign_x = (w ^ (w << vec4u(1u))) & vec4u(0x80000000u);
    let sign_y = w & vec4u(0x80000000u);
    return Circle(
        bitcast<vec4f>(bitcast<vec4u>(select(c, s, swap)) ^ sign_x),
        bitcast<vec4f>(bitcast<vec4u>(select(s, c, swap)) ^ sign_y),
    );
}

fn normals(w: Words) -> Normals {
    let r = sqrt(-2.0 * ln_uniform(w.a));
    let q = sqrt(-2.0 * ln_uniform(w.b));
    let t = circle(w.c);
    let p = circle(w.d);
    return Normals(r * t.cos, q * p.cos, r * t.sin, q * p.sin);
}
