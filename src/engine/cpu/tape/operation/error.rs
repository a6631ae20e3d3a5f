//! The error function.

use crate::engine::cpu::activation;

/// The error function, relative error below 2e-15; exactly 1 or -1 beyond 5.93, so that 1 - erf(x)
/// vanishes there, by whatever it is multiplied.
#[inline(always)]
pub fn erf<const FMA: bool>(x: f64) -> f64 {
    let value = activation::erf::<FMA>(x);
    if x.abs() > 5.93 {
        1f64.copysign(x)
    } else {
        value
    }
}
