//! Activations (twins of `shaders/activation.wgsl`) have no branches, so that they run as vector
//! code. Each has a type of its own: the choice is outside the loops.

use crate::simd::{madd, polynomial};

// ln 2 in two parts, the first short enough that n x LN2_HIGH is exact for |n| < 2^20.
pub(super) const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
pub(super) const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// An activation is what a hidden unit makes of its pre-activation z.
pub(super) trait Activation {
    /// Whether to compute the activation costs no more than to store its value.
    const IS_CHEAP: bool = false;

    fn of<const FMA: bool>(z: f64) -> f64;
}

/// `Erf` is the activation erf(z).
pub(super) struct Erf;
/// `Relu` is the activation max(0, z).
pub(super) struct Relu;
/// `Exp` is the activation e^z.
pub(super) struct Exp;
/// z, for what else is done to rows of it.
pub(super) struct Identity;

impl Activation for Erf {
    #[inline(always)]
    fn of<const FMA: bool>(z: f64) -> f64 {
        erf::<FMA>(z)
    }
}

impl Activation for Relu {
    const IS_CHEAP: bool = true;

    #[inline(always)]
    fn of<const FMA: bool>(z: f64) -> f64 {
        relu(z)
    }
}

impl Activation for Exp {
    #[inline(always)]
    fn of<const FMA: bool>(z: f64) -> f64 {
        exp::<FMA>(z)
    }
}

impl Activation for Identity {
    #[inline(always)]
    fn of<const FMA: bool>(z: f64) -> f64 {
        z
    }
}

/// Computes erf(x), with a relative error below 1e-15 with fused multiply-add and 2e-15 without.
#[inline(always)]
#[allow(clippy::approx_constant)] // 2 / sqrt(pi) as the fit has it
pub fn erf<const FMA: bool>(x: f64) -> f64 {
    // x P(x^2) / Q(x^2), a minimax fit on |x| < 5.93 (relative error 6e-17, most of it from the
    // rounding of the coefficients: scripts/fit/erf.py). All coefficients are positive: nothing
    // cancels. 1 - erf(5.93) is 6e-17.
    let x = x.clamp(-5.93, 5.93);
    let t = x * x;
    let p = polynomial::<FMA, 13>(
        t,
        [
            7.579314816454862e-17,
            4.5025057218377296e-14,
            4.95072012232789e-12,
            2.2189577928797252e-10,
            8.07833916329968e-09,
            1.9269915797308837e-07,
            4.259416819575397e-06,
            6.0832300199062714e-05,
            0.0008903358496337725,
            0.0071120977890098535,
            0.06697420808788744,
            0.22297625215720454,
            1.1283791670955126,
        ],
    );
    let q = polynomial::<FMA, 14>(
        t,
        [
            1.064014217823086e-18,
            2.405316476669637e-15,
            5.577669825625194e-13,
            3.478075912398178e-11,
            1.3918889090519199e-09,
            4.086121345585015e-08,
            9.293574221056483e-07,
            1.6715569294929027e-05,
            0.00023821369234095646,
            0.002655144882300971,
            0.02246324844755603,
            0.13633464376221807,
            0.5309408917315921,
            1.0,
        ],
    );
    x * p / q
}

/// Computes max(0, x).
#[inline(always)]
pub fn relu(x: f64) -> f64 {
    x.max(0.0)
}

/// Computes e^x, with a relative error below 4e-16; 0 below -708 and infinite above 709.
#[inline(always)]
pub fn exp<const FMA: bool>(x: f64) -> f64 {
    let (n, p) = exp_parts::<FMA>(x.clamp(-708.0, 709.0));
    let e = f64::from_bits((p + 1.0).to_bits().wrapping_add(n << 52));
    let e = if x < -708.0 { 0.0 } else { e };
    if x > 709.0 { f64::INFINITY } else { e }
}

/// n and p of e^x = 2^n (1 + p), n in the low 12 bits, for x that [`exp`] does not cut off.
#[inline(always)]
fn exp_parts<const FMA: bool>(x: f64) -> (u64, f64) {
    use std::f64::consts::LOG2_E;
    // 2^52 x 1.5: adding it rounds to an integer and leaves that in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let shifted = madd::<FMA>(x, LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = madd::<FMA>(n, -LN2_LOW, madd::<FMA>(n, -LN2_HIGH, x));
    // A near-minimax fit on |r| < ln(2) / 2: relative error 2e-17 of e^r, and 9e-17 of e^r - 1
    // (scripts/fit/exponential.py).
    let q = polynomial::<FMA, 10>(
        r,
        [
            2.5110049204818658e-08,
            2.763265472252779e-07,
            2.755724088722987e-06,
            2.4801485441561313e-05,
            0.00019841269890076403,
            0.0013888888952352863,
            0.008333333333319589,
            0.04166666666648795,
            0.1666666666666668,
            0.5000000000000019,
        ],
    );
    // The largest terms last: their rounding is the only one that counts.
    (shifted.to_bits(), madd::<FMA>(r * r, q, r))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(reach: f64) -> impl Iterator<Item = f64> {
        (-200_000..=200_000).map(move |k| {
            let x = f64::from(k) / 200_000.0;
            // Dense near zero as well.
            reach * x * x.abs()
        })
    }

    #[test]
    fn erf_agrees_with_libm() {
        for x in grid(7.0) {
            let want = libm::erf(x);
            for (got, bound) in [(erf::<false>(x), 2e-15), (erf::<true>(x), 1e-15)] {
                assert!((got - want).abs() <= bound * want.abs(), "{x} {got} {want}");
            }
        }
    }

    #[test]
    fn exp_agrees_with_libm() {
        for x in grid(750.0) {
            let want = libm::exp(x);
            for got in [exp::<false>(x), exp::<true>(x)] {
                let range = -708.0..=709.0;
                match range.contains(&x) {
                    true => assert!((got / want - 1.0).abs() < 4e-16, "{x} {got} {want}"),
                    false => assert!(got == 0.0 && x < 0.0 || got.is_infinite() && x > 0.0),
                }
            }
        }
    }
}
