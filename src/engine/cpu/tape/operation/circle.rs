//! Sine and cosine.

use std::f64::consts::FRAC_2_PI;

use crate::simd::{madd, polynomial};

/// Up to this |x| quarter turns are taken off in vector code; beyond, by libm, lane by lane.
const FAR: f64 = 1e6;

/// The sine of x for |x| <= 10^6, relative error below 3e-16.
#[inline(always)]
pub fn sin<const FMA: bool>(x: f64) -> f64 {
    turned::<FMA>(x, 0)
}

/// The cosine of x for |x| <= 10^6, relative error below 3e-16.
#[inline(always)]
pub fn cos<const FMA: bool>(x: f64) -> f64 {
    turned::<FMA>(x, 1)
}

/// Whether a row has numbers that are too large for [`sin`] and [`cos`].
#[inline(always)]
pub(super) fn is_far(row: &[f64]) -> bool {
    let mut far = false;
    for x in row {
        far |= x.abs() > FAR;
    }
    far
}

/// `near` up to 10^6 and `any` beyond: what a lane yields does not depend on the others.
#[inline(always)]
pub(super) fn at_any_distance(x: f64, near: fn(f64) -> f64, any: fn(f64) -> f64) -> f64 {
    if x.abs() > FAR { any(x) } else { near(x) }
}

/// sin(x + quarters pi/2).
#[inline(always)]
fn turned<const FMA: bool>(x: f64, quarters: u64) -> f64 {
    let (n, r, rest) = less_quarter_turns::<FMA>(x);
    let (sine, cosine) = sine_and_cosine::<FMA>(r, rest);
    let n = n.wrapping_add(quarters);
    let value = if n & 1 == 0 { sine } else { cosine };
    f64::from_bits(value.to_bits() ^ (n & 2) << 62)
}

/// n, in the low bits, and r + rest of x = n pi/2 + r + rest with |r| <= pi/4 but for rounding.
#[inline(always)]
fn less_quarter_turns<const FMA: bool>(x: f64) -> (u64, f64, f64) {
    // 2^52 x 1.5: adding it rounds to an integer and leaves that in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // pi/2 in three parts, the first two of 33 bits: their products with |n| < 2^20 are exact.
    // What is left out of n pi/2 is below 2^-100.
    const HIGH: f64 = 1.570_796_326_734_125_6;
    const MIDDLE: f64 = 6.077_100_506_303_966e-11;
    const LOW: f64 = 2.022_266_248_795_950_6e-21;
    let shifted = madd::<FMA>(x, FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    // Exact: the two are close to each other.
    let a = x - n * HIGH;
    let b = n * MIDDLE;
    // a - b, and what rounding takes off.
    let r = a - b;
    let back = a - r;
    let lost = (a - (r + back)) - (b - back);
    let rest = madd::<FMA>(n, -LOW, lost);
    let sum = r + rest;
    (shifted.to_bits(), sum, rest - (sum - r))
}

/// Sine and cosine of r + rest for |r| <= pi/4, the rest being below its rounding.
#[inline(always)]
fn sine_and_cosine<const FMA: bool>(r: f64, rest: f64) -> (f64, f64) {
    let t = r * r;
    // Near-minimax fits (scripts/fit/tape.py): relative errors 1.1e-17 and 1.2e-18.
    let s = polynomial::<FMA, 6>(
        t,
        [
            1.5896230156792565e-10,
            -2.5050747762842948e-8,
            2.755_731_362_138_563e-6,
            -1.984_126_982_958_954e-4,
            8.333_333_333_322_118e-3,
            -1.666_666_666_666_663e-1,
        ],
    );
    let c = polynomial::<FMA, 6>(
        t,
        [
            -1.1358536521873585e-11,
            2.0875700841984394e-9,
            -2.7557314179296812e-7,
            2.4801587288851705e-5,
            -1.3888888888873056e-3,
            4.1666666666666593e-2,
        ],
    );
    let half = 0.5 * t;
    // The rest turns the sine by cos(r) of it, 1 - t/2 nearly.
    let sine = r + madd::<FMA>(r * t, s, madd::<FMA>(-half, rest, rest));
    let near = 1.0 - half;
    let lost = (1.0 - near) - half;
    let cosine = near + (lost + madd::<FMA>(t * t, c, -r * rest));
    (sine, cosine)
}
