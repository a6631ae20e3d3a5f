//! Activations (twin of `shaders/activation.wgsl`).

use crate::model::Architecture;

/// The activation of a pre-activation z; Gauss-net's normalisation is already in z.
#[inline(always)]
pub fn activation(arch: Architecture, z: f64) -> f64 {
    match arch {
        Architecture::Erf => libm::erf(z),
        Architecture::Relu => z.max(0.0),
        Architecture::Gauss => z.exp(),
    }
}
