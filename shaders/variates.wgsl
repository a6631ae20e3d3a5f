// Variates of mean 0 and unit variance are made of the words of a block, by the function of their
// law; the Gaussian one is in normals.wgsl. The twin is src/stream/variates.rs.

struct Variates { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

//# if "normals" in laws or "laplace_variates" in laws
//# include "normals.wgsl"
//# endif
//# if "uniform_variates" in laws
// The middles of 2^32 equal parts of -sqrt(3) to sqrt(3).
fn uniform_variate(w: vec4u) -> vec4f {
    return (vec4f(bitcast<vec4i>(w ^ vec4u(0x80000000u))) + 0.5) * 8.065490087e-10;
}

fn uniform_variates(w: Words) -> Variates {
    return Variates(uniform_variate(w.a), uniform_variate(w.b), uniform_variate(w.c), uniform_variate(w.d));
}

//# endif
//# if "rademacher_variates" in laws
// The first bit of a word is the sign of 1.
fn rademacher_variate(w: vec4u) -> vec4f {
    return bitcast<vec4f>((w & vec4u(0x80000000u)) | vec4u(0x3f800000u));
}

fn rademacher_variates(w: Words) -> Variates {
    return Variates(rademacher_variate(w.a), rademacher_variate(w.b), rademacher_variate(w.c), rademacher_variate(w.d));
}

//# endif
//# if "laplace_variates" in laws
// The first bit of a word is the sign; the others make a uniform number u, and the size is
// -ln(u) / sqrt(2).
fn laplace_variate(w: vec4u) -> vec4f {
    let size = radius_squared(w << vec4u(1u)) * 0.35355339;
    return bitcast<vec4f>(bitcast<vec4u>(size) | (w & vec4u(0x80000000u)));
}

fn laplace_variates(w: Words) -> Variates {
    return Variates(laplace_variate(w.a), laplace_variate(w.b), laplace_variate(w.c), laplace_variate(w.d));
}

//# endif
