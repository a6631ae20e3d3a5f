//! Standard normals: Box-Muller on pairs of words (twin of `shaders/normals.wgsl`).
//!
//! Words u and u + 8 of a block give normals u and u + 8: r cos t and r sin t with
//! r^2 = -2 ln((w_u + 1/2) / 2^32) and t = 2 pi w_(u+8) / 2^32. The range reduction is on
//! the integers and exact; logarithm, sine and cosine are series cut below 2^-53, so the
//! result has no more error than a few roundings. 32 bits end the tail at |n| = 6.77.

use std::f64::consts::{FRAC_PI_4, LN_2, SQRT_2};

use crate::simd::{has_fma, horner, madd};

/// Eight Box-Muller pairs.
const HALF: usize = 8;

/// Turns whole blocks of 16 words into as many standard normals.
///
/// # Panics
/// If the lengths differ or are no multiple of 16.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
pub fn normals(words: &[u32], normals: &mut [f64]) {
    box_muller_blocks::<{ has_fma!() }>(words, normals);
}

/// [`normals`], to be compiled into its caller.
#[inline(always)]
pub(super) fn box_muller_blocks<const FMA: bool>(words: &[u32], normals: &mut [f64]) {
    assert!(words.len() == normals.len() && words.len().is_multiple_of(2 * HALF));
    let (blocks, _) = words.as_chunks::<{ 2 * HALF }>();
    let (out, _) = normals.as_chunks_mut::<{ 2 * HALF }>();
    for (words, out) in blocks.iter().zip(out) {
        let (radii, angles) = words.split_at(HALF);
        let (x, y) = out.split_at_mut(HALF);
        box_muller::<FMA>(radii, angles, x, y);
    }
}

/// Pairs of normals from their words for radius and angle.
#[inline(always)]
pub(super) fn box_muller<const FMA: bool>(
    radii: &[u32],
    angles: &[u32],
    x: &mut [f64],
    y: &mut [f64],
) {
    let words = radii.iter().zip(angles);
    for ((radius, angle), (x, y)) in words.zip(x.iter_mut().zip(y)) {
        let r = (-2.0 * ln_uniform::<FMA>(*radius)).sqrt();
        let (cos, sin) = cos_sin::<FMA>(*angle);
        *x = r * cos;
        *y = r * sin;
    }
}

/// ln((word + 1/2) / 2^32).
#[inline(always)]
fn ln_uniform<const FMA: bool>(word: u32) -> f64 {
    let u = (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0);
    // u = 2^e m with m in [sqrt(1/2), sqrt(2)): then ln m = 2 artanh((m - 1) / (m + 1)).
    let above = u.to_bits().wrapping_sub((0.5 * SQRT_2).to_bits());
    let e = (above as i64 >> 52) as i32;
    let m = f64::from_bits((above & 0x000f_ffff_ffff_ffff) + (0.5 * SQRT_2).to_bits());
    let s = (m - 1.0) / (m + 1.0);
    let t = s * s;
    // artanh(s) / s for |s| < 0.1716, near-minimax: relative error 2^-59.
    let sum = horner::<FMA, 8>(
        t,
        [
            0.07404933786156531,
            0.0765625655736915,
            0.09091816120808513,
            0.11111098523202137,
            0.1428571438036914,
            0.19999999999650955,
            0.33333333333333826,
            1.0,
        ],
    );
    madd::<FMA>(f64::from(e), LN_2, 2.0 * s * sum)
}

/// Cosine and sine of 2 pi word / 2^32.
#[inline(always)]
fn cos_sin<const FMA: bool>(word: u32) -> (f64, f64) {
    // The top two bits are the quadrant; the rest, read as a signed number, is the angle
    // from -pi/4 to pi/4 within it. (Quadrants start at -pi/4 for half of the words: each
    // angle of the circle is still taken once.)
    let a = f64::from((word << 2) as i32) * (FRAC_PI_4 / 2_147_483_648.0);
    let t = a * a;
    // Near-minimax up to pi/4: relative errors 2^-58 and 2^-64.
    let sin = a * horner::<FMA, 7>(
        t,
        [
            1.5894720300223109e-10,
            -2.5050716696695676e-08,
            2.7557313374649857e-06,
            -0.0001984126982864526,
            0.008333333333320356,
            -0.16666666666666616,
            1.0,
        ],
    );
    let cos = horner::<FMA, 8>(
        t,
        [
            -1.1353367957830792e-11,
            2.0875582146477433e-09,
            -2.755731309595641e-07,
            2.4801587283874084e-05,
            -0.0013888888888861082,
            0.04166666666666645,
            -0.5,
            1.0,
        ],
    );
    let swap = word & 0x4000_0000 != 0;
    let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
    // Signs as bits: the first is negative where the top two bits differ.
    let sign = |word: u32| u64::from(word & 0x8000_0000) << 32;
    let x = f64::from_bits(x.to_bits() ^ sign(word ^ (word << 1)));
    let y = f64::from_bits(y.to_bits() ^ sign(word));
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
            assert!(
                (ln_uniform::<true>(word) / want - 1.0).abs() < 8e-16,
                "{word}"
            );
        }
    }

    #[test]
    fn every_angle_is_on_the_circle_and_in_its_place() {
        for word in (0..200_000u32).map(|i| i.wrapping_mul(2_654_435_761)) {
            let within = f64::from((word << 2) as i32) * (FRAC_PI_4 / 2_147_483_648.0);
            let (s, c) = libm::sincos(within);
            // A quarter turn per quadrant, exactly.
            let want = [(c, s), (-s, c), (-c, -s), (s, -c)][(word >> 30) as usize];
            let (cos, sin) = cos_sin::<true>(word);
            assert!((cos - want.0).abs() < 3e-16, "{word}");
            assert!((sin - want.1).abs() < 3e-16, "{word}");
        }
    }
}
