//! The constants of a net in f32.

use super::shaders;
use crate::engine::{Parameters, centre};
use crate::model::{Builtin, EnsembleSpec, Estimator};
use crate::{Error, Result};

/// The buffer `parameters` of `networks.wgsl`.
///
/// # Errors
/// Those of [`to_f32`].
pub fn straight(spec: &EnsembleSpec, scales: &[f64]) -> Result<Vec<f32>> {
    let p = Parameters::new(spec);
    let connected = spec.estimator == Estimator::Connected;
    let unit = activation_unit(spec.net.builtin());
    let mut all = Vec::new();
    for (i, (x, offset)) in p.weights.iter().zip(&p.offset).enumerate() {
        all.extend(x.iter().map(|x| unit * x));
        // The connected estimator has no readout.
        let scale = if connected { 1.0 } else { scales[i] };
        all.extend([unit * offset, p.readout / scale, p.readout_bias / scale]);
    }
    all.push(unit * p.bias);
    if connected {
        all.extend(centre(spec).iter().map(|m| 4.0 * m));
        all.extend(scales.iter().map(|s| p.readout * p.readout / s));
    }
    if let Some(tilt) = &spec.tilt {
        all.extend(vec![0.0; spec.net.d_in() + 2]);
        for (t, log) in tilt.shifts.iter().zip(tilt.logarithms(spec.net.width())) {
            all.extend(t.iter().copied().chain([log]));
        }
    }
    if let Some(lattice) = shaders::lattice(spec) {
        all.extend(lattice.step.iter().map(|x| unit * x));
        all.extend(lattice.factors);
    }
    debug_assert_eq!(all.len(), shaders::parameters(spec));
    all.resize(all.len().next_multiple_of(4), 0.0);
    to_f32(&all)
}

/// What `activation.wgsl` takes its arguments in: Gauss-net's is a power of two.
pub fn activation_unit(builtin: Builtin) -> f64 {
    match builtin {
        Builtin::ExpNormalised => std::f64::consts::LOG2_E,
        Builtin::Erf => shaders::ERF_UNIT,
        Builtin::Relu => 1.0,
    }
}

/// Constants as the shaders take them.
///
/// # Errors
/// [`Error::Overflow`] of one that leaves no room.
pub fn to_f32(all: &[f64]) -> Result<Vec<f32>> {
    // Normals reach 6.8; headroom for sums over coordinates and units.
    let limit = f64::from(f32::MAX) / 1e6;
    if let Some(bad) = all.iter().find(|x| x.abs() > limit || !x.is_finite()) {
        return Err(Error::Overflow(format!("a weight of scale {bad:.3e}")));
    }
    Ok(all.iter().map(|&x| x as f32).collect())
}
