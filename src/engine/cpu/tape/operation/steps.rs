//! Operations that bend or jump.

/// -1, 0 or 1, as x is negative, zero or positive.
#[inline(always)]
pub fn sign(x: f64) -> f64 {
    step(x) - step(-x)
}

/// 1 where x is positive, otherwise 0.
#[inline(always)]
pub fn step(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}
