//! Functions of e^x; the exponential itself is an activation of its own.

use crate::engine::cpu::activation::{exp, exp_parts};
use crate::simd::madd;

/// The hyperbolic tangent, relative error below 6e-16.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f64) -> f64 {
    let twice = 2.0 * x.abs();
    // 1 - tanh(20) is 8e-18. Not `min`, which would lose a NaN.
    let twice = if twice > 40.0 { 40.0 } else { twice };
    let (n, p) = exp_parts::<FMA>(twice);
    let scale = f64::from_bits(1f64.to_bits().wrapping_add(n << 52));
    // e^(2 x) - 1, in which nothing cancels where n = 0.
    let m = madd::<FMA>(scale, p, scale - 1.0);
    (m / (m + 2.0)).copysign(x)
}

/// 1 / (1 + e^-x), relative error below 8e-16; 0 below -708.
#[inline(always)]
pub fn sigmoid<const FMA: bool>(x: f64) -> f64 {
    let e = exp::<FMA>(-x.abs());
    let over = if x < 0.0 { e } else { 1.0 };
    over / (1.0 + e)
}
