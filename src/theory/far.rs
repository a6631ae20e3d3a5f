//! This module tells how a kernel K(x, y) behaves as y goes to infinity, from what is left of the
//! activation when its pre-activation is spread over a long line.

use super::Vertex;
use super::average::exponential::Exponentials;
use super::bump::Bump;
use crate::model::{Activation, Growth, Law, Net};

/// `Far` says what K(x, y) - sigma_b^2 does as |y| grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Far {
    /// It falls like 1 / |y| or faster, so that integrals over four lines converge.
    Vanishes,
    /// It goes like |y|^p, p above -1; p = 0 stays of order one.
    Power(f64),
    /// It grows faster than any power.
    GrowsExponentially,
    /// It may come back at any distance: pre-activations do not spread.
    Unknown,
}

impl Far {
    /// Tells what the kernel of a net does.
    pub fn of(net: &Net) -> Self {
        // A layer makes |y|^p of a standard deviation |y|, and a constant of a constant.
        match (Self::behind_first(net), net.depth()) {
            (far, 1) => far,
            (Self::Power(p), depth) if p >= 0.0 => Self::Power(p.powi(depth as i32)),
            (Self::GrowsExponentially, _) => Self::GrowsExponentially,
            (Self::Power(_) | Self::Vanishes | Self::Unknown, _) => Self::Unknown,
        }
    }

    /// Tells what that of the first hidden layer does.
    fn behind_first(net: &Net) -> Self {
        let first = net.first();
        if first.sigma_w == 0.0 {
            return Self::Power(0.0);
        }
        if first.law_w == Law::Rademacher {
            return Self::Unknown;
        }
        match Bump::of(net) {
            Some(_) => Self::Vanishes,
            None => of_activation(net.activation()),
        }
    }
}

/// A pre-activation of a large standard deviation is nearly independent of that at x and spread
/// evenly wherever the activation has structure: what is left is the activation's local mean.
fn of_activation(activation: &Activation) -> Far {
    if let Some(power) = Exponentials::of(activation.tape()).map(|sum| sum.far()) {
        return match power {
            f64::INFINITY => Far::GrowsExponentially,
            f64::NEG_INFINITY => Far::Vanishes,
            power => Far::Power(power),
        };
    }
    let known = match activation.growth() {
        Growth::Bounded => 0.0,
        Growth::Power(p) => p,
        Growth::Exponential { .. } => return Far::GrowsExponentially,
    };
    match power_of_mean(activation) {
        // The number is one that the tape tells, up to logarithms.
        Some(power) if (power - known).abs() < 0.1 => Far::Power(known),
        Some(power) if power > -1.0 => Far::Power(power),
        _ => Far::Vanishes,
    }
}

/// Returns the power of |z| that the activation's local mean goes with on the side where that is
/// larger; `None` if the mean vanishes beside the activation's size.
fn power_of_mean(activation: &Activation) -> Option<f64> {
    const DECADES: (f64, f64) = (9.0, 12.0);
    let mean = |decade: f64| {
        let z = 10f64.powf(decade);
        local_mean(activation, z).max(local_mean(activation, -z))
    };
    let (near, far) = (mean(DECADES.0), mean(DECADES.1));
    let power = (far / near).log10() / (DECADES.1 - DECADES.0);
    (far > 0.0 && power.is_finite()).then_some(power)
}

/// Returns the modulus of the mean over some thousand units around z, 0 where it cannot be told from
/// an oscillation's.
fn local_mean(activation: &Activation, z: f64) -> f64 {
    const NODES: u32 = 1 << 14;
    const LENGTH: f64 = 5e3;
    /// Several times what the mean of so many random signs comes to.
    const NOISE: f64 = 0.05;
    let (mut sum, mut square) = (0.0, 0.0);
    for node in 0..NODES {
        // Multiples of the golden ratio fill the line evenly, in step with no period.
        let place = (f64::from(node) * 0.618_033_988_749_894_9).fract();
        let h = activation.evaluate(z + LENGTH * place * z.signum(), z * z);
        sum += h;
        square += h * h;
    }
    let count = f64::from(NODES);
    let (mean, size) = (sum.abs() / count, (square / count).sqrt());
    if mean > NOISE * size { mean } else { 0.0 }
}

/// Returns the power p with which the lines k(x, y) of a vertex go like |y|^p; `None` if integrals
/// over four lines converge, or it is not known.
pub(crate) fn line_growth(net: &Net, vertex: Vertex) -> Option<f64> {
    let has_constant = vertex.constant_left(net) != 0.0;
    match Far::of(net) {
        Far::Power(p) if has_constant => Some(p.max(0.0)),
        Far::Power(p) => (net.d_in() as f64 + 4.0 * p >= 0.0).then_some(p),
        Far::Vanishes => has_constant.then_some(0.0),
        Far::GrowsExponentially | Far::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_far_out_is_the_local_mean() {
        for (text, far) in [
            ("tanh(z)", Far::Power(0.0)),
            ("sigmoid(z)", Far::Power(0.0)),
            ("cos(z)^2", Far::Power(0.0)),
            ("abs(sin(z))", Far::Power(0.0)),
            ("z*sigmoid(z)", Far::Power(1.0)),
            ("z^3 + sin(z)", Far::Power(3.0)),
            ("v*cos(z) + z", Far::Power(1.0)),
            ("log(1 + z^2)", Far::Power(0.0)),
            ("(1 + z^2)^(-1/4)", Far::Power(-0.5)),
            ("sin(z)", Far::Vanishes),
            ("cos(3*z) - sin(z)", Far::Vanishes),
            ("z*sin(z)", Far::Vanishes),
            ("sin(z)*tanh(z)", Far::Vanishes),
            ("exp(-z^2)", Far::Vanishes),
            ("1/(1 + z^2)", Far::Vanishes),
            ("2*exp(z - v)", Far::Vanishes),
            ("exp(z - v/2)", Far::GrowsExponentially),
            ("exp(z)", Far::GrowsExponentially),
            ("exp(abs(z))", Far::GrowsExponentially),
        ] {
            let got = of_activation(&text.parse().unwrap());
            let is_same = match (got, far) {
                (Far::Power(a), Far::Power(b)) => (a - b).abs() < 1e-6,
                _ => got == far,
            };
            assert!(is_same, "{text}: {got:?} {far:?}");
        }
    }

    #[test]
    fn kernels_go_with_the_power_that_is_told() {
        use super::super::kernel;
        for (text, power) in [("(1 + z^2)^(-1/4)", -0.5), ("log(1 + exp(z))", 1.0)] {
            let net = Net::new(text.parse().unwrap(), 1).with_each_sigma_b(vec![1.0, 0.0]);
            let net = net.unwrap();
            let Far::Power(told) = Far::of(&net) else {
                panic!("{text}: {:?}", Far::of(&net));
            };
            assert!((told - power).abs() < 1e-6, "{text}: {told}");
            let [near, far] = [1e7, 1e9].map(|y| kernel(&net, &[0.4], &[y]));
            let got = (far / near).log10() / 2.0;
            assert!((got - power).abs() < 1e-3, "{text}: {got}");
        }
    }
}
