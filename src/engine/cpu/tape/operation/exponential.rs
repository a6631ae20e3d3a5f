//! Functions of e^x; the exponential itself is an activation of its own.

use std::f64::consts::{LN_2, LOG2_E};

use crate::engine::cpu::activation::{LN2_HIGH, LN2_LOW};
use crate::simd::{madd, polynomial};

// 2^52 x 1.5: adding it rounds to an integer and leaves that in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The hyperbolic tangent, relative error below 6e-16 (5e-16 where products and sums are fused), between -1 and 1.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f64) -> f64 {
    // 1 - tanh(20) is 8e-18. Not `min` and `max`, which would lose a NaN.
    let x = x.clamp(-20.0, 20.0);
    let shifted = madd::<FMA>(x, 2.0 * LOG2_E, ROUND);
    let n = shifted - ROUND;
    // One constant will do: its error, 1.2e-17 n, counts less the larger n is.
    let (w, q) = parts::<FMA>(madd::<FMA>(n, -0.5 * LN_2, x));
    let scale = power(shifted);
    // e^(2 x) = 2^n (q + w) / (q - w), so that tanh(x) is ((2^n - 1) q + (2^n + 1) w) / ((2^n + 1) q + (2^n - 1) w):
    // where n = 0 nothing cancels. 1 - 2^n, not 2^n - 1, keeps the sign of a zero.
    let (less, more) = (1.0 - scale, 1.0 + scale);
    madd::<FMA>(-less, q, more * w) / madd::<FMA>(more, q, -(less * w))
}

/// 1 / (1 + e^-x), relative error below 5e-16; 0 below -708.
#[inline(always)]
pub fn sigmoid<const FMA: bool>(x: f64) -> f64 {
    // 1 - sigmoid(40) is 4e-18.
    let near = x.clamp(-708.0, 40.0);
    let shifted = madd::<FMA>(near, LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = madd::<FMA>(n, -LN2_LOW, madd::<FMA>(n, -LN2_HIGH, near));
    let (w, q) = parts::<FMA>(0.5 * r);
    let (over, under) = (power(shifted) * (q + w), q - w);
    let value = over / (over + under);
    if x < -708.0 { 0.0 } else { value }
}

/// w and q of tanh(y) = w / q for |y| <= ln(2) / 4.
#[inline(always)]
fn parts<const FMA: bool>(y: f64) -> (f64, f64) {
    // y (1 + t P(t)) / (1 + t Q(t)) in t = y^2, a near-minimax fit: relative error 6e-18 (scripts/fit/tanh.py).
    let t = y * y;
    let p = polynomial::<FMA, 2>(t, [1.057419741965926e-3, 1.1109938292487435e-1]);
    let q = polynomial::<FMA, 2>(t, [1.5868325163229658e-2, 4.4443271625820197e-1]);
    (madd::<FMA>(y * t, p, y), madd::<FMA>(t, q, 1.0))
}

/// 2^n of n + [`ROUND`].
#[inline(always)]
fn power(shifted: f64) -> f64 {
    f64::from_bits(1f64.to_bits().wrapping_add(shifted.to_bits() << 52))
}
