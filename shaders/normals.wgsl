// Standard normals: Box-Muller on words u and u + 8 of a block. Twin: src/engine/cpu/normals.rs.
// WGSL promises little of log, sin and cos: range reduction on the integers and short
// series make the accuracy the same on every adapter.

struct Normals { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// -2 ln((w + 1/2) / 2^32)
fn radius_squared(w: vec4u) -> vec4f {
    // u = 2^e m, m in [sqrt(1/2), sqrt(2)): bits above those of 2^32 sqrt(1/2).
    let above = bitcast<vec4i>(vec4f(w) + 0.5) - 0x4f3504f3;
    let e = vec4f(above >> vec4u(23u));
    let m = bitcast<vec4f>((above & vec4i(0x7fffff)) + 0x3f3504f3);
    // Near 1 (where e = 0) the float of w has lost 1 - u: u - 1 from the integer.
    let rest = (vec4f(bitcast<vec4i>(w)) + 0.5) * 2.3283064365386963e-10;
    let top = select(m - 1.0, rest, w > vec4u(0xb504f333u));
    let s = top / (top + 2.0);
    let t = s * s;
    // -4 artanh(s), |s| < 0.1716: the first term left out is 2e-10 of the sum.
    let sum = (((t * 0.4444444444 + 0.5714285714) * t + 0.8) * t + 1.333333333) * t + 4.0;
    return e * -1.386294361 - s * sum;
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
    let r = sqrt(radius_squared(w.a));
    let q = sqrt(radius_squared(w.b));
    let t = circle(w.c);
    let p = circle(w.d);
    return Normals(r * t.cos, q * p.cos, r * t.sin, q * p.sin);
}
