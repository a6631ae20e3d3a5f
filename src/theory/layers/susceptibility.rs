//! How a layer passes small changes of its pre-activations on.

use std::f64::consts::TAU;

use super::super::average::line::graded;
use super::super::average::rule::radius;
use super::super::cubature::legendre;
use crate::model::Activation;
use crate::model::activation::Op;

/// Averages over one normal pre-activation of some variance.
#[derive(Debug, Clone, Copy)]
pub struct Susceptibility {
    /// E[h^2].
    pub second: f64,
    /// E[h'^2 + h h''], the derivative of E[h^2] with the variance.
    pub parallel: f64,
    /// E[h'^2]; infinite where h jumps.
    pub perpendicular: f64,
}

/// Points of a panel.
const POINTS: usize = 16;
/// Jumps below this part of the activation's size are slopes.
const JUMP: f64 = 1e-6;

/// Gauss-Legendre's nodes in [-1, 1], and the matrix that takes values there to derivatives there.
pub struct Panel {
    nodes: Vec<(f64, f64)>,
    derivative: Vec<Vec<f64>>,
}

impl Panel {
    pub fn new() -> Self {
        let nodes = legendre(POINTS);
        let x = |i: usize| nodes[i].0;
        let others = |i: usize| (0..POINTS).filter(move |&j| j != i);
        // Barycentric weights.
        let weight: Vec<f64> = (0..POINTS)
            .map(|i| {
                others(i)
                    .map(|j| 2.0 * (x(i) - x(j)))
                    .product::<f64>()
                    .recip()
            })
            .collect();
        let derivative = (0..POINTS)
            .map(|i| {
                let entry = |j: usize| weight[j] / weight[i] / (x(i) - x(j));
                let own: f64 = others(i).map(|j| -entry(j)).sum();
                (0..POINTS)
                    .map(|j| if i == j { own } else { entry(j) })
                    .collect()
            })
            .collect();
        Self { nodes, derivative }
    }

    /// The averages at a variance above zero.
    pub fn at(&self, activation: &Activation, variance: f64) -> Susceptibility {
        let s = variance.sqrt();
        let kinks = activation.kinks();
        let reach = radius(activation.growth(), 2, s, 3);
        let mut ends = graded(kinks, s, 0.0, reach, 1.0);
        ends.sort_unstable_by(f64::total_cmp);
        let mut all = Susceptibility {
            second: 0.0,
            parallel: 0.0,
            perpendicular: 0.0,
        };
        for pair in ends.windows(2).filter(|pair| pair[1] > pair[0]) {
            let panels = ((pair[1] - pair[0]) / 0.5).ceil();
            let half = 0.5 * (pair[1] - pair[0]) / panels;
            for k in 0..panels as usize {
                let middle = pair[0] + half * (2 * k + 1) as f64;
                self.add(activation, s, middle, half, &mut all);
            }
        }
        if kinks.iter().any(|&kink| jumps(activation, kink, variance)) {
            all.perpendicular = f64::INFINITY;
        }
        if activation.tape().ops().contains(&Op::V) {
            // h changes with the variance itself, too.
            const STEP: f64 = 1e-3;
            let still = |variance: f64| self.second(activation, variance);
            let by = |step: f64| {
                (still(variance * (1.0 + step)) - still(variance * (1.0 - step))) / (2.0 * step)
            };
            all.parallel = (4.0 * by(STEP) - by(2.0 * STEP)) / (3.0 * variance);
        }
        all
    }

    fn second(&self, activation: &Activation, variance: f64) -> f64 {
        let s = variance.sqrt();
        let reach = radius(activation.growth(), 2, s, 1);
        let mut ends = graded(activation.kinks(), s, 0.0, reach, 1.0);
        let mut sum = 0.0;
        super::super::average::line::Panels::new(0.5, POINTS).across(&mut ends, &mut |g, w| {
            let h = (-0.25 * g * g).exp() * activation.evaluate(s * g, variance);
            sum += w / TAU.sqrt() * h * h;
        });
        sum
    }

    fn add(
        &self,
        activation: &Activation,
        s: f64,
        middle: f64,
        half: f64,
        to: &mut Susceptibility,
    ) {
        let g: Vec<f64> = self.nodes.iter().map(|(x, _)| middle + half * x).collect();
        let h: Vec<f64> = g
            .iter()
            .map(|g| activation.evaluate(s * g, s * s))
            .collect();
        for (i, (_, w)) in self.nodes.iter().enumerate() {
            let share = (-0.25 * g[i] * g[i]).exp();
            let weight = half * w / TAU.sqrt();
            let slope: f64 = self.derivative[i]
                .iter()
                .zip(&h)
                .map(|(d, h)| d * h)
                .sum::<f64>();
            let (h, slope) = (share * h[i], share * slope / (half * s));
            to.second += weight * h * h;
            to.parallel += weight * h * h * (g[i] * g[i] - 1.0) / (2.0 * s * s);
            to.perpendicular += weight * slope * slope;
        }
    }
}

/// Whether the activation has different values to both sides of a place.
fn jumps(activation: &Activation, kink: f64, variance: f64) -> bool {
    let spread = kink.abs().max(variance.sqrt());
    let at = |step: f64| activation.evaluate(kink + step * spread, variance);
    let size = at(1.0).abs().max(at(-1.0).abs());
    (at(1e-9) - at(-1e-9)).abs() > JUMP * size
}
