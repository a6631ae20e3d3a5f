//! Logarithms.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::engine::cpu::activation::{LN2_HIGH, LN2_LOW, exp};
use crate::simd::{madd, polynomial};

/// The natural logarithm, relative error below 3e-16; minus infinity at 0.
#[inline(always)]
pub fn log<const FMA: bool>(x: f64) -> f64 {
    let (e, m) = exponent_and_mantissa(x);
    at_edges(x, from_parts::<FMA>(e, m - 1.0, 0.0))
}

/// log(1 + x), relative error below 5e-16; minus infinity at -1.
#[inline(always)]
pub fn log1p<const FMA: bool>(x: f64) -> f64 {
    let u = 1.0 + x;
    // What rounding took off, exactly.
    let lost = if x < 1.0 {
        x - (u - 1.0)
    } else {
        1.0 - (u - x)
    };
    let (e, m) = exponent_and_mantissa(u);
    at_edges(u, from_parts::<FMA>(e, m - 1.0, lost / u))
}

/// log(1 + e^x), relative error below 9e-16; 0 below -708.
#[inline(always)]
pub fn softplus<const FMA: bool>(x: f64) -> f64 {
    x.max(0.0) + log1p::<FMA>(exp::<FMA>(-x.abs()))
}

/// e and m of x = 2^e m with m in [sqrt(1/2), sqrt(2)), for finite x > 0.
#[inline(always)]
pub(super) fn exponent_and_mantissa(x: f64) -> (f64, f64) {
    // 2^52: a double of this exponent has an integer in its low bits.
    const INTEGER: f64 = 4_503_599_627_370_496.0;
    const MANTISSA: u64 = (1 << 52) - 1;
    const TWO_TO_54: f64 = 18_014_398_509_481_984.0;
    let is_subnormal = x < f64::MIN_POSITIVE;
    let y = if is_subnormal { x * TWO_TO_54 } else { x };
    let bias = if is_subnormal { 1022.0 + 54.0 } else { 1022.0 };
    let root = FRAC_1_SQRT_2.to_bits();
    // Measured from the least normal number with the mantissa of sqrt(1/2), exponents are
    // positive, and all mantissas from there on have the same one.
    let above = y.to_bits().wrapping_sub(root & MANTISSA);
    let e = f64::from_bits((above >> 52) | INTEGER.to_bits()) - (INTEGER + bias);
    let m = f64::from_bits((above & MANTISSA) + root);
    (e, m)
}

/// e ln 2 + log(1 + f) + rest, f being exact and rest small.
#[inline(always)]
fn from_parts<const FMA: bool>(e: f64, f: f64, rest: f64) -> f64 {
    // log(1 + f) = 2 s + s R = f - s (f - R), in which 2 s is f - f^2/2 + s f^2/2: the largest
    // term, f, has no rounding.
    let s = f / (2.0 + f);
    let half_square = 0.5 * f * f;
    let rest = madd::<FMA>(e, LN2_LOW, rest);
    let small = madd::<FMA>(s, half_square + artanh_rest::<FMA>(s * s), rest);
    madd::<FMA>(e, LN2_HIGH, f - (half_square - small))
}

/// 2 artanh(s) / s - 2 at t = s^2, for |s| < 0.1716.
#[inline(always)]
pub(super) fn artanh_rest<const FMA: bool>(t: f64) -> f64 {
    // A near-minimax fit: error 1.5e-18 of artanh(s) / s (scripts/fit/tape.py).
    let q = polynomial::<FMA, 7>(
        t,
        [
            7.397_737_221_705_397e-2,
            7.657_049_453_016_468e-2,
            9.091_781_201_226_151e-2,
            1.1111099305416291e-1,
            1.4285714371007538e-1,
            1.9999999999708187e-1,
            3.333_333_333_333_367e-1,
        ],
    );
    2.0 * t * q
}

/// The logarithm of x, given its value for finite x > 0.
#[inline(always)]
fn at_edges(x: f64, value: f64) -> f64 {
    let value = if x < f64::INFINITY { value } else { x };
    let other = if x == 0.0 {
        f64::NEG_INFINITY
    } else {
        f64::NAN
    };
    if x > 0.0 { value } else { other }
}
