//! Powers.

use super::logarithm::{artanh_rest, exponent_and_mantissa};
use crate::engine::cpu::activation::{LN2_HIGH, LN2_LOW, exp};
use crate::simd::madd;

/// a^b for b != 0 and a >= 0, relative error below 1e-15 for |b| <= 200 and 4e-15 for any b; 0 below
/// e^-708 and infinite above e^709. No number for a < 0 and |b| < 2^53: whole powers
/// are products.
#[inline(always)]
pub fn pow<const FMA: bool>(a: f64, b: f64) -> f64 {
    // Larger exponents take all but 1 to 0 or infinity too.
    const LARGEST: f64 = 18_446_744_073_709_551_616.0;
    let c = b.clamp(-LARGEST, LARGEST);
    // From here on every number is even.
    let a = if b.abs() >= 9_007_199_254_740_992.0 {
        a.abs()
    } else {
        a
    };
    let (log, rest) = log_parts::<FMA>(a);
    let (y, below) = product::<FMA>(c, log);
    // Where e^y is infinite the rest would make it no number.
    let below = madd::<FMA>(c, rest, below);
    let below = if y <= 709.0 { below } else { 0.0 };
    let e = exp::<FMA>(y);
    let power = madd::<FMA>(e, below, e);
    let (at_0, at_infinity) = if b > 0.0 {
        (0.0, f64::INFINITY)
    } else {
        (f64::INFINITY, 0.0)
    };
    let power = if a < f64::INFINITY {
        power
    } else {
        at_infinity
    };
    let other = if a == 0.0 { at_0 } else { f64::NAN };
    if a > 0.0 { power } else { other }
}

/// log(x) for finite x > 0 as the sum of two numbers, with an error below 2e-18.
#[inline(always)]
fn log_parts<const FMA: bool>(x: f64) -> (f64, f64) {
    let (e, m) = exponent_and_mantissa(x);
    // s = (m - 1) / (m + 1) with what its roundings took off.
    let over = m - 1.0;
    let under = m + 1.0;
    let under_rest = m - (under - 1.0);
    let s = over / under;
    let (back, back_rest) = product::<FMA>(s, under);
    let s_rest = (over - back - back_rest - s * under_rest) / under;
    // e ln 2 + 2 s + (2 artanh(s) - 2 s): the last is below 1% of 2 s.
    let (large, next) = (e * LN2_HIGH, 2.0 * s);
    let sum = large + next;
    let lost = next - (sum - large);
    let rest = madd::<FMA>(e, LN2_LOW, 2.0 * s_rest);
    let rest = lost + madd::<FMA>(s, artanh_rest::<FMA>(s * s), rest);
    let log = sum + rest;
    (log, rest - (log - sum))
}

/// a b as the sum of its rounding and what that took off.
#[inline(always)]
fn product<const FMA: bool>(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    if FMA {
        return (product, a.mul_add(b, -product));
    }
    let ((a, a_low), (b, b_low)) = (halves(a), halves(b));
    let lost = ((a * b - product) + a * b_low + a_low * b) + a_low * b_low;
    (product, lost)
}

/// x as the sum of two numbers of 26 bits: products of those are exact.
#[inline(always)]
fn halves(x: f64) -> (f64, f64) {
    let shifted = 134_217_729.0 * x;
    let high = shifted - (shifted - x);
    (high, x - high)
}
