//! Second moments by quadrature over the two normals that a pair of pre-activations depends on: at any
//! correlation, as precise as may be, and slow.

use std::f64::consts::TAU;

use super::super::average::Moment;
use super::super::average::line::{Panels, graded};
use super::super::average::rule::{radius, settled};
use crate::model::Activation;

/// Largest length of a panel in units of the normals, points in it, and parts of panels where the
/// activation has structure, level by level.
const LEVELS: [(f64, usize, f64); 5] = [
    (1.5, 10, 1.0),
    (1.5, 14, 1.0),
    (0.75, 14, 2.0),
    (0.375, 14, 4.0),
    (0.1875, 14, 8.0),
];
/// The relative precision at which refinement ends.
const PRECISION: f64 = 1e-13;

/// A pair of pre-activations.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Standard deviations.
    pub x: f64,
    pub y: f64,
    /// Their correlation, and sqrt(1 - correlation^2) to its own precision.
    pub cosine: f64,
    pub sine: f64,
}

/// E[h(x) h(y)].
pub fn moment(activation: &Activation, pair: Pair) -> Moment {
    let mut coarse = sum(activation, pair, 0);
    let mut level = 1;
    loop {
        let fine = sum(activation, pair, level);
        // Cauchy and Schwarz would need E[h^2]: the average of the modulus is there already.
        let error = settled((fine[0] - coarse[0]).abs(), fine[1]);
        level += 1;
        if error <= PRECISION * fine[1] || level == LEVELS.len() || error.is_nan() {
            return Moment {
                value: fine[0],
                // Where y is far larger than what h varies on, pre-activations are rounded to less than one
                // peak of h.
                error: error + 1e-13 * fine[1] + 1e-15 * fine[2],
            };
        }
        coarse = fine;
    }
}

/// The average of the product and of its modulus, and the largest product under the density: x = s g, y = s' (cosine g + sine g').
fn sum(activation: &Activation, pair: Pair, level: usize) -> [f64; 3] {
    let (length, points, parts) = LEVELS[level];
    let panels = Panels::new(length, points);
    let Pair { x, y, cosine, sine } = pair;
    let kinks = activation.kinks();
    let reach = radius(activation.growth(), 2, x.max(y), 2);
    let mut ends = graded(kinks, x, 0.0, reach, parts);
    // The average over g' varies where y is near a kink, on the scale of its spread, and near 0 on the
    // scale of the activation too.
    let mut around = |z: f64, scale: f64| {
        let centre = z / (y * cosine);
        let mut mark = |g: f64| {
            if g.abs() < reach {
                ends.push(g);
            }
        };
        mark(centre);
        let mut away = 0.25 * scale.clamp(1e-16, 1.0);
        while away < 1.0 {
            mark(centre - away);
            mark(centre + away);
            away *= 1.0 + 1.0 / parts;
        }
    };
    kinks.iter().for_each(|&kink| around(kink, sine));
    around(0.0, sine.max(1.0 / y));
    let mut total = [0.0; 3];
    let mut add = |weight: f64, r2: f64, product: [f64; 2]| {
        let half = (-0.25 * r2).exp();
        let product = (half * product[0]) * (half * product[1]);
        total[0] += weight * product;
        total[1] += (weight * product).abs();
        total[2] = product.abs().max(total[2]);
    };
    let mut inner = Vec::new();
    panels.across(&mut ends, &mut |g, w| {
        let at_x = activation.evaluate(x * g, x * x);
        let mean = y * cosine * g;
        // Parallel, to rounding.
        if sine < 1e-15 {
            let at_y = activation.evaluate(mean, y * y);
            add(w / TAU.sqrt(), g * g, [at_x, at_y]);
            return;
        }
        let rest = (reach * reach - g * g).max(0.0).sqrt();
        inner.clear();
        inner.extend(graded(kinks, y * sine, mean, rest, parts));
        panels.across(&mut inner, &mut |other, v| {
            let at_y = activation.evaluate(mean + y * sine * other, y * y);
            add(w * v / TAU, g * g + other * other, [at_x, at_y]);
        });
    });
    total
}
