//! Standard normals: Box-Muller on pairs of words (twin of `shaders/normals.wgsl`).
//!
//! Words u and u + 8 of a block give normals u and u + 8: r cos t and r sin t with
//! r^2 = -2 ln((w_u + 1/2) / 2^32) and t = 2 pi w_(u+8) / 2^32. The range reduction is on
//! the integers and exact; logarithm, sine and cosine are series cut below 2^-53, so the
//! result has no more error than a few roundings. 32 bits end the tail at |n| = 6.77.

use std::f64::consts::{FRAC_PI_4, LN_2, SQRT_2};

/// Eight Box-Muller pairs.
const HALF: usize = 8;

/// Turns whole blocks of 16 words into as many standard normals.
///
/// # Panics
/// If the lengths differ or are no multiple of 16.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl",
    "x86_64+avx2",
    "aarch64+neon"
))]
pub fn normals(words: &[u32], normals: &mut [f64]) {
    assert!(words.len() == normals.len() && words.len().is_multiple_of(2 * HALF));
    let (blocks, _) = words.as_chunks::<{ 2 * HALF }>();
    let (out, _) = normals.as_chunks_mut::<{ 2 * HALF }>();
    for (words, out) in blocks.iter().zip(out) {
        for u in 0..HALF {
            let r = (-2.0 * ln_uniform(words[u])).sqrt();
            let (cos, sin) = cos_sin(words[u + HALF]);
            out[u] = r * cos;
            out[u + HALF] = r * sin;
        }
    }
}

/// ln((word + 1/2) / 2^32).
#[inline(always)]
fn ln_uniform(word: u32) -> f64 {
    let u = (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0);
    // u = 2^e m with m in [sqrt(1/2), sqrt(2)): then ln m = 2 artanh((m - 1) / (m + 1)).
    let bits = u.to_bits();
    let e = ((bits >> 52) as i32) - 1023;
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let high = m >= SQRT_2;
    let m = if high { 0.5 * m } else { m };
    let e = f64::from(e) + if high { 1.0 } else { 0.0 };
    let s = (m - 1.0) / (m + 1.0);
    let t = s * s;
    // artanh(s) / s: |s| < 0.1716, so that the first term left out is below 2^-57.
    let mut sum = 1.0 / 21.0;
    for k in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * t + 1.0 / k;
    }
    e * LN_2 + 2.0 * s * sum
}

/// Cosine and sine of 2 pi word / 2^32.
#[inline(always)]
fn cos_sin(word: u32) -> (f64, f64) {
    // The top two bits are the quadrant; the rest, read as a signed number, is the angle
    // from -pi/4 to pi/4 within it. (Quadrants start at -pi/4 for half of the words: each
    // angle of the circle is still taken once.)
    let a = f64::from((word << 2) as i32) * (FRAC_PI_4 / 2_147_483_648.0);
    let t = a * a;
    // Taylor series, the first term left out below 2^-55 at pi/4.
    let mut sin = 1.0;
    for k in [
        16.0 * 17.0,
        14.0 * 15.0,
        12.0 * 13.0,
        10.0 * 11.0,
        8.0 * 9.0,
        6.0 * 7.0,
        4.0 * 5.0,
        2.0 * 3.0,
    ] {
        sin = 1.0 - sin * t * (1.0 / k);
    }
    sin *= a;
    let mut cos = 1.0;
    for k in [
        17.0 * 18.0,
        15.0 * 16.0,
        13.0 * 14.0,
        11.0 * 12.0,
        9.0 * 10.0,
        7.0 * 8.0,
        5.0 * 6.0,
        3.0 * 4.0,
        1.0 * 2.0,
    ] {
        cos = 1.0 - cos * t * (1.0 / k);
    }
    let swap = word & 0x4000_0000 != 0;
    let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
    let x = if (word ^ (word << 1)) & 0x8000_0000 != 0 {
        -x
    } else {
        x
    };
    let y = if word & 0x8000_0000 != 0 { -y } else { y };
    (x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_agrees_with_libm() {
        let words = (0..200_000u32).map(|i| i.wrapping_mul(2_654_435_761));
        for word in words.chain([0, 1, 2, u32::MAX, u32::MAX - 1, 1 << 31, 3_037_000_499]) {
            // ln u = log1p(-(1 - u)), with 1 - u exact.
            let rest = (f64::from(!word) + 0.5) / 4_294_967_296.0;
            let want = if rest < 0.5 {
                libm::log1p(-rest)
            } else {
                libm::log((f64::from(word) + 0.5) / 4_294_967_296.0)
            };
            // Seven roundings of 2^-53, libm's among them.
            assert!((ln_uniform(word) / want - 1.0).abs() < 8e-16, "{word}");
        }
    }

    #[test]
    fn every_angle_is_on_the_circle_and_in_its_place() {
        for word in (0..200_000u32).map(|i| i.wrapping_mul(2_654_435_761)) {
            let within = f64::from((word << 2) as i32) * (FRAC_PI_4 / 2_147_483_648.0);
            let (s, c) = libm::sincos(within);
            // A quarter turn per quadrant, exactly.
            let want = [(c, s), (-s, c), (-c, -s), (s, -c)][(word >> 30) as usize];
            let (cos, sin) = cos_sin(word);
            assert!((cos - want.0).abs() < 3e-16, "{word}");
            assert!((sin - want.1).abs() < 3e-16, "{word}");
        }
    }
}
