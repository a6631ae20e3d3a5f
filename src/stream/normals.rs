//! This module makes standard normals by Box-Muller on pairs of words (twin of
//! `shaders/normals.wgsl`).
//!
//! Words u and u + 8 of a block give normals u and u + 8: r cos t and r sin t with
//! r^2 = -2 ln((w_u + 1/2) / 2^32) and t = 2 pi w_(u+8) / 2^32. The range reduction is on
//! the integers and exact; logarithm, sine and cosine are series cut below 2^-53, so the
//! result has no more error than a few roundings. 32 bits end the tail at |n| = 6.77.

use std::f64::consts::{FRAC_PI_4, LN_2, SQRT_2};

use crate::simd::{has_fma, madd, polynomial, vectorised};

/// Box-Muller pairs of one block.
const HALF: usize = 8;
/// Pairs that are turned into normals together, from blocks that follow each other.
const BATCH: usize = 16 * HALF;

/// Turns whole blocks of 16 words into as many standard normals.
///
/// # Panics
/// If the lengths differ or are no multiple of 16.
pub fn normals(words: &[u32], normals: &mut [f64]) {
    in_blocks(words, normals, &mut Halves::default());
}

vectorised! {
    fn in_blocks(words: &[u32], normals: &mut [f64], halves: &mut Halves) {
        box_muller_blocks::<{ has_fma!() }>(words, normals, halves);
    }
}

/// `Halves` holds radii and angles of several blocks, each side by side: the eight of one block are
/// too few for a vector loop.
#[derive(Debug)]
pub(crate) struct Halves {
    radii: [u32; BATCH],
    angles: [u32; BATCH],
    x: [f64; BATCH],
    y: [f64; BATCH],
}

impl Default for Halves {
    fn default() -> Self {
        Self {
            radii: [0; BATCH],
            angles: [0; BATCH],
            x: [0.0; BATCH],
            y: [0.0; BATCH],
        }
    }
}

/// Turns blocks as [`normals`] does, to be compiled into its caller.
#[inline(always)]
pub(super) fn box_muller_blocks<const FMA: bool>(
    words: &[u32],
    normals: &mut [f64],
    halves: &mut Halves,
) {
    assert!(words.len() == normals.len() && words.len().is_multiple_of(2 * HALF));
    let Halves {
        radii,
        angles,
        x,
        y,
    } = halves;
    let batches = words.chunks(2 * BATCH).zip(normals.chunks_mut(2 * BATCH));
    for (words, normals) in batches {
        let pairs = words.len() / 2;
        let (words, normals) = (
            words.as_chunks::<HALF>().0,
            normals.as_chunks_mut::<HALF>().0,
        );
        let to = radii
            .as_chunks_mut::<HALF>()
            .0
            .iter_mut()
            .zip(angles.as_chunks_mut::<HALF>().0);
        for (words, (radii, angles)) in words.chunks_exact(2).zip(to) {
            (*radii, *angles) = (words[0], words[1]);
        }
        box_muller::<FMA>(
            &radii[..pairs],
            &angles[..pairs],
            &mut x[..pairs],
            &mut y[..pairs],
        );
        let from = x.as_chunks::<HALF>().0.iter().zip(y.as_chunks::<HALF>().0);
        for (normals, (x, y)) in normals.chunks_exact_mut(2).zip(from) {
            (normals[0], normals[1]) = (*x, *y);
        }
    }
}

/// Makes pairs of normals from their words for radius and angle.
#[inline(always)]
pub(super) fn box_muller<const FMA: bool>(
    radii: &[u32],
    angles: &[u32],
    x: &mut [f64],
    y: &mut [f64],
) {
    // Two loops: in one, too few of its turns would be in flight to hide the latency of its
    // division and its root.
    squares::<FMA>(radii, x);
    turn::<FMA>(angles, x, y);
}

/// Computes r^2 of every radius.
#[inline(always)]
fn squares<const FMA: bool>(words: &[u32], squares: &mut [f64]) {
    for (word, square) in words.iter().zip(squares) {
        *square = minus_two_ln_uniform::<FMA>(*word);
    }
}

/// Turns r^2 in x into x = r cos t and y = r sin t.
#[inline(always)]
fn turn<const FMA: bool>(angles: &[u32], x: &mut [f64], y: &mut [f64]) {
    for (angle, (x, y)) in angles.iter().zip(x.iter_mut().zip(y)) {
        let r = x.sqrt();
        let (cos, sin) = cos_sin::<FMA>(*angle);
        *x = r * cos;
        *y = r * sin;
    }
}

/// 2^52, whose exponent makes the low bits of a double an integer.
const INTEGER: f64 = 4_503_599_627_370_496.0;

/// Computes -2 ln((word + 1/2) / 2^32).
#[inline(always)]
pub(super) fn minus_two_ln_uniform<const FMA: bool>(word: u32) -> f64 {
    // 2^32 u, exactly.
    let y = f64::from_bits(u64::from(word) | INTEGER.to_bits()) - (INTEGER - 0.5);
    // y = 2^e m with m in [sqrt(1/2), sqrt(2)): then ln m = 2 artanh((m - 1) / (m + 1)).
    // Measured from a quarter of sqrt(2), all exponents are positive.
    let above = y.to_bits() - (0.25 * SQRT_2).to_bits();
    let e = f64::from_bits((above >> 52) | INTEGER.to_bits()) - (INTEGER + 1.0);
    let m = f64::from_bits((above & 0x000f_ffff_ffff_ffff) + (0.5 * SQRT_2).to_bits());
    let s = (m - 1.0) / (m + 1.0);
    // -4 artanh(s) / s for |s| < 0.1716, a near-minimax fit: relative error 3e-18
    // (scripts/fit/normals.py).
    let sum = polynomial::<FMA, 8>(
        s * s,
        [
            -4.0 * 0.07404933786156531,
            -4.0 * 0.0765625655736915,
            -4.0 * 0.09091816120808513,
            -4.0 * 0.11111098523202137,
            -4.0 * 0.1428571438036914,
            -4.0 * 0.19999999999650955,
            -4.0 * 0.33333333333333826,
            -4.0,
        ],
    );
    madd::<FMA>(e - 32.0, -2.0 * LN_2, s * sum)
}

/// Computes cosine and sine of 2 pi word / 2^32.
#[inline(always)]
fn cos_sin<const FMA: bool>(word: u32) -> (f64, f64) {
    // The top two bits are the quadrant; the rest, read as a signed number, is the angle
    // from -pi/4 to pi/4 within it. (Quadrants start at -pi/4 for half of the words: each
    // angle of the circle is still taken once.)
    let a = f64::from((word << 2) as i32) * (FRAC_PI_4 / 2_147_483_648.0);
    let t = a * a;
    // Near-minimax fits up to pi/4 (scripts/fit/normals.py): relative errors 1.3e-17 and 7e-18,
    // nearly all from the rounding of the coefficients.
    let sin = a * polynomial::<FMA, 7>(
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
    let cos = polynomial::<FMA, 8>(
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
    // The quadrant's bits, each in its turn as a sign: swapped in the second and fourth, the
    // first negative where the bits differ, the second where the upper is set.
    const SIGN: u64 = 1 << 63;
    let (upper, lower) = (u64::from(word) << 32, u64::from(word) << 33);
    let swap = (lower as i64) < 0;
    let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
    let x = f64::from_bits(x.to_bits() ^ ((upper ^ lower) & SIGN));
    let y = f64::from_bits(y.to_bits() ^ (upper & SIGN));
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
                (minus_two_ln_uniform::<true>(word) / (-2.0 * want) - 1.0).abs() < 8e-16,
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
