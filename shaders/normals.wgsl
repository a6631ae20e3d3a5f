// Standard normals come from Box-Muller on words u and u + 8 of a block. The twin is
// src/stream/normals.rs. WGSL promises little of log, sin and cos: range reduction on the
// integers and short series make the accuracy the same on every adapter.

// This computes -2 ln((w + 1/2) / 2^32).
fn radius_squared(w: vec4u) -> vec4f {
    // u is 2^e m with m in [sqrt(1/2), sqrt(2)): e is in the bits above those of 2^32 sqrt(1/2).
    // Conversion from signed integers is one instruction everywhere, from unsigned ones it is not.
    let signed = bitcast<vec4i>(w);
    let below = vec4f(signed) + 0.5;
    let turn = bitcast<vec4f>((signed >> vec4u(31u)) & vec4i(0x4f800000));
    let above = bitcast<vec4i>(below + turn) - 0x4f3504f3;
    let e = above >> vec4u(23u);
    let m = bitcast<vec4f>((above & vec4i(0x7fffff)) + 0x3f3504f3);
    // Near 1 (where e = 0) the float of w has lost 1 - u, so that u - 1 comes from the integer.
    let top = select(below * 2.3283064365386963e-10, m - 1.0, e < vec4i(0));
    let s = top / (top + 2.0);
    let t = s * s;
    // -4 artanh(s) for |s| < 0.1716 is a minimax fit (relative error 9e-10:
    // scripts/fit/normals.py).
    let sum = ((t * 0.5974345522 + 0.7995508316) * t + 1.333335528) * t + 4.0;
    return vec4f(e) * -1.386294361 - s * sum;
}

struct Circle { cos: vec4f, sin: vec4f }

// This computes cosine and sine of 2 pi w / 2^32.
fn circle(w: vec4u) -> Circle {
    // The top two bits are the quadrant; the rest, signed, is the angle within it, -pi/4 to pi/4.
    // Both functions are minimax fits (relative error of the sine 6e-9, of the cosine 2.4e-9:
    // scripts/fit/normals.py).
    let a = vec4f(bitcast<vec4i>(w << vec4u(2u))) * 3.657295198168e-10;
    let t = a * a;
    let s = (((t * -1.95172986e-4 + 8.332178142e-3) * t - 0.1666665494) * t + 1.0) * a;
    let c = (((t * 2.439044998e-5 - 1.388676379e-3) * t + 4.166662332e-2) * t - 0.4999999973) * t + 1.0;
    let second = w << vec4u(1u);
    let swap = bitcast<vec4i>(second) < vec4i(0);
    let sign_x = (w ^ second) & vec4u(0x80000000u);
    let sign_y = w & vec4u(0x80000000u);
    return Circle(
        bitcast<vec4f>(bitcast<vec4u>(select(c, s, swap)) ^ sign_x),
        bitcast<vec4f>(bitcast<vec4u>(select(s, c, swap)) ^ sign_y),
    );
}

fn normals(w: Words) -> Variates {
    let r = sqrt(radius_squared(w.a));
    let q = sqrt(radius_squared(w.b));
    let t = circle(w.c);
    let p = circle(w.d);
    return Variates(r * t.cos, q * p.cos, r * t.sin, q * p.sin);
}
