//! Critical points: standard deviations of weights and biases at which signals neither die nor explode with depth.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::susceptibility::{Panel, Susceptibility};
use crate::model::Activation;
use crate::model::activation::Op;
use crate::{Error, Result};

/// A critical point is where a small change of the pre-activations' size, and one of their direction, keep
/// their sizes from layer to layer: chi_par = chi_perp = 1 at a fixed point K* of the kernel's map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Critical {
    /// Standard deviation of the weights, before 1/sqrt(fan-in).
    pub sigma_w: f64,
    /// Standard deviation of the biases.
    pub sigma_b: f64,
    /// The fixed point K* of the kernel at one point; `None` where every K is one.
    pub kernel: Option<f64>,
    /// What the kernel does near the fixed point.
    pub class: CriticalClass,
}

/// A class of activations that behave alike at their critical point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CriticalClass {
    /// Every kernel is a fixed point: activations of degree 1.
    ScaleInvariant,
    /// Kernels go to zero as a power of the depth: odd activations, and others that vanish at zero.
    ZeroKernel,
    /// Kernels go to a value above zero from one side, and away from it on the other.
    HalfStable,
}

impl Display for CriticalClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScaleInvariant => "scale-invariant",
            Self::ZeroKernel => "zero-kernel",
            Self::HalfStable => "half-stable",
        })
    }
}

/// Range of K in which fixed points are looked for, and steps for each factor of ten.
const DECADES: (i32, i32) = (-4, 4);
const STEPS: i32 = 10;
/// A variance at which a smooth activation is linear to 1e-8.
const SMALL: f64 = 1e-8;

/// Solves chi_par = chi_perp = 1 for sigma_w, sigma_b and the fixed point K*.
///
/// Both hold where E[h h''] = 0 at K*, sigma_w^2 = 1 / E[h'^2] and sigma_b^2 = K* - sigma_w^2 E[h^2].
///
/// ```
/// use nnqft_gpu::theory::critical;
///
/// let relu = critical(&"max(z,0)".parse()?)?;
/// assert!((relu.sigma_w.powi(2) - 2.0).abs() < 1e-12 && relu.sigma_b == 0.0);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] with the reason why there is none.
pub fn critical(activation: &Activation) -> Result<Critical> {
    let none =
        |reason: &str| Error::invalid("activation", activation.expression(), reason.to_string());
    if activation.tape().ops().contains(&Op::V) {
        return Err(none(
            "it depends on the variance of z itself: no critical point is defined",
        ));
    }
    let panel = Panel::new();
    let at = |k: f64| panel.at(activation, k);
    if activation.homogeneous() == Some(1.0) {
        let second = at(1.0).second;
        return match second > 0.0 {
            true => Ok(Critical {
                sigma_w: second.sqrt().recip(),
                sigma_b: 0.0,
                kernel: None,
                class: CriticalClass::ScaleInvariant,
            }),
            false => Err(none("it vanishes everywhere: there is no critical point")),
        };
    }
    if at(1.0).perpendicular.is_infinite() {
        return Err(none(
            "it jumps: two inputs that nearly agree are driven apart without bound, and no critical point exists",
        ));
    }
    if let Some(zero) = at_zero(activation, &at) {
        return Ok(zero);
    }
    let mut above = None;
    let mut no_bias = false;
    for step in DECADES.0 * STEPS..=DECADES.1 * STEPS {
        let k = 10f64.powf(f64::from(step) / f64::from(STEPS));
        let excess = excess(at(k));
        if !excess.is_finite() {
            break;
        }
        if let Some((low, sign)) = above.replace((k, excess.signum()))
            && sign != excess.signum()
        {
            let k = root(low, k, sign, |k| self::excess(at(k)));
            let Susceptibility {
                second,
                perpendicular,
                ..
            } = at(k);
            let bias = k - second / perpendicular;
            if bias >= -1e-12 * k {
                return Ok(Critical {
                    sigma_w: perpendicular.sqrt().recip(),
                    sigma_b: bias.max(0.0).sqrt(),
                    kernel: Some(k),
                    class: CriticalClass::HalfStable,
                });
            }
            no_bias = true;
        }
    }
    Err(none(match no_bias {
        true => {
            "chi_par = chi_perp = 1 would need a negative variance of the biases: there is no critical point"
        }
        false => {
            "chi_par and chi_perp are equal at no fixed point of the kernel: there is no critical point"
        }
    }))
}

/// E[h h''] relative to E[h'^2].
fn excess(at: Susceptibility) -> f64 {
    at.parallel / at.perpendicular - 1.0
}

/// K* = 0, where the activation vanishes at zero, has a slope there, and small kernels fall.
fn at_zero(activation: &Activation, at: &dyn Fn(f64) -> Susceptibility) -> Option<Critical> {
    let size = at(SMALL).second.sqrt();
    let [right, left] = [1.0, -1.0].map(|side| slope(activation, side));
    let second = 0.5 * (right * right + left * left);
    let vanishes = activation.evaluate(0.0, 0.0).abs() <= 1e-9 * size;
    let is_linear = (at(SMALL).second / (second * SMALL) - 1.0).abs() < 1e-3;
    // Odd ones in any case: nothing else is a fixed point to which they could go.
    let falls =
        excess(at(1e-3)) < 0.0 || activation.parity() == crate::model::activation::Parity::Odd;
    (vanishes && is_linear && second > 0.0 && falls).then(|| Critical {
        sigma_w: second.sqrt().recip(),
        sigma_b: 0.0,
        kernel: Some(0.0),
        class: CriticalClass::ZeroKernel,
    })
}

/// The slope to one side of zero, of an activation that vanishes there: by differences of rising order.
fn slope(activation: &Activation, side: f64) -> f64 {
    let near = activation
        .kinks()
        .iter()
        .map(|k| side * k)
        .filter(|k| *k > 1e-9);
    let mut step = near.fold(0.25, f64::min);
    // Neville's table of h(z) / z at steps that halve.
    let mut row: Vec<f64> = Vec::new();
    for _ in 0..9 {
        let mut next = vec![activation.evaluate(side * step, 0.0) / (side * step)];
        for (k, before) in row.iter().enumerate() {
            let last = next[k];
            next.push(last + (last - before) / (2f64.powi(k as i32 + 1) - 1.0));
        }
        row = next;
        step *= 0.5;
    }
    row[row.len() - 1]
}

/// The place between two where a function changes its sign: by bisection.
fn root(mut low: f64, mut high: f64, sign: f64, of: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if of(middle).signum() == sign {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
