// e^y = 2^count (1 + more) where f32 holds it.

struct Exponential { more: vec4f, count: vec4i }

fn exponential(y: vec4f) -> Exponential {
    let n = round(y * 1.442695);
    // ln 2 in two parts: n times the first, of 15 bits, is exact.
    let r = (y - n * 0.693145751953125) - n * 1.42860677e-6;
    // e^r - 1 = r + r^2 q, |r| < ln(2) / 2: a minimax fit (error of e^r, relative, 4e-9:
    // scripts/fit/operations.py).
    let q = (((r * 0.00138146128 + 0.00836871006) * r + 0.041668389) * r + 0.166665211) * r + 0.49999994;
    return Exponential(r * r * q + r, vec4i(n));
}
