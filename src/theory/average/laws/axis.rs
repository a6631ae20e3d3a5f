//! One variate over which a rule goes.

use std::f64::consts::{SQRT_2, TAU};

use super::super::super::cubature::legendre;
use super::super::rule::{LEFT_OUT, radius};
use crate::model::Law;
use crate::model::activation::Growth;

/// Panels in a piece of the line and points in each, level by level.
const LEVELS: [(f64, usize); 6] = [
    (1.0, 8),
    (1.0, 12),
    (2.0, 12),
    (4.0, 12),
    (8.0, 12),
    (16.0, 12),
];

/// A variate of unit variance that is not a sign.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    law: Law,
    /// Its largest coefficient in a pre-activation.
    scale: f64,
    /// Where its line ends, or beyond which it carries nothing of an average.
    pub reach: f64,
}

/// A node of a rule: place, weight, and the logarithm of the density there.
pub type Node = (f64, f64, f64);

impl Axis {
    /// That of a law, one of `axes`, for products of `order` values.
    pub fn new(law: Law, scale: f64, growth: Growth, order: usize, axes: usize) -> Self {
        let reach = match law {
            Law::Gaussian => radius(growth, order, scale, axes),
            Law::Uniform | Law::Phase => 3f64.sqrt(),
            Law::Laplace => {
                let n = order as f64;
                let (power, rate) = match growth {
                    Growth::Bounded => (0.0, 0.0),
                    Growth::Power(p) => (p * n, 0.0),
                    Growth::Exponential { rate } => (0.0, n * rate * scale),
                };
                let power = power + axes as f64 - 1.0;
                let slope = SQRT_2 - rate;
                // Relative to the average of the power.
                let average = power * ((power.max(1.0) / slope).ln() - 1.0);
                let mut reach: f64 = 1.0;
                while power * reach.ln() - slope * reach - average > LEFT_OUT {
                    reach *= 1.02;
                }
                reach
            }
            Law::Rademacher => unreachable!("signs are no axes"),
        };
        Self { law, scale, reach }
    }

    /// Whether the variate is a normal one.
    pub fn is_normal(&self) -> bool {
        self.law.is_gaussian()
    }

    /// Whether the variate ends where nothing is left out.
    pub fn is_bounded(&self) -> bool {
        match self.law {
            Law::Uniform | Law::Phase | Law::Rademacher => true,
            Law::Gaussian | Law::Laplace => false,
        }
    }

    /// Where the density, times powers that the activation grows with, has fallen to a part of it.
    pub fn reach_to(&self, part: f64, growth: Growth) -> f64 {
        let decline = match growth {
            Growth::Bounded => -part.ln(),
            // Powers of what is still within reach.
            Growth::Power(p) => 2.0 * p * self.reach.ln() - part.ln(),
            Growth::Exponential { .. } => return self.reach,
        };
        match self.law {
            Law::Gaussian => self.reach.min((2.0 * decline).sqrt()),
            Law::Laplace => self.reach.min(decline / SQRT_2),
            Law::Uniform | Law::Phase | Law::Rademacher => self.reach,
        }
    }

    /// The logarithm of the density.
    pub fn log_density(&self, x: f64) -> f64 {
        match self.law {
            Law::Gaussian => -0.5 * (x * x + TAU.ln()),
            Law::Uniform | Law::Phase => -(2.0 * 3f64.sqrt()).ln(),
            Law::Laplace => -SQRT_2 * x.abs() - 0.5 * std::f64::consts::LN_2,
            Law::Rademacher => unreachable!("signs are no axes"),
        }
    }

    /// Places where the density, or the scale on which it varies, changes: in order, from end to end.
    pub fn ends(&self) -> Vec<f64> {
        let mut right = vec![self.reach];
        if self.law == Law::Laplace {
            let mut x = 1.0;
            while x < self.reach {
                right.insert(right.len() - 1, x);
                x = 2.0 * x + 1.0;
            }
            right.insert(0, 0.0);
        }
        let mut all: Vec<f64> = right.iter().rev().map(|x| -x).collect();
        all.extend(right);
        all.dedup();
        all
    }

    /// Whether the density bends where its own line goes through this place.
    pub fn bends(&self) -> Vec<f64> {
        match self.law {
            Law::Gaussian => Vec::new(),
            Law::Uniform | Law::Phase => vec![-self.reach, self.reach],
            Law::Laplace => vec![0.0],
            Law::Rademacher => unreachable!("signs are no axes"),
        }
    }

    /// Places between which a density that reaches far changes by factors, beside where it bends.
    pub fn within(&self) -> &'static [f64] {
        match self.law {
            Law::Gaussian => &[-3.0, -1.0, 1.0, 3.0],
            Law::Laplace => &[-2.0, 2.0],
            Law::Uniform | Law::Phase => &[],
            Law::Rademacher => unreachable!("signs are no axes"),
        }
    }

    /// The rule of a level for what is smooth, its own mirror image without a node at 0; `None`
    /// where there is no finer one.
    pub fn rule(&self, level: usize) -> Option<Vec<Node>> {
        let &(parts, points) = LEVELS.get(level)?;
        let mut nodes = Vec::new();
        let mut node = |x: f64, w: f64| nodes.push((x, w, self.log_density(x)));
        if self.law.is_gaussian() {
            // The trapezoidal rule has no equal where the density is normal.
            let step = (0.7 / self.scale).min(0.9) * 0.5f64.powf(level as f64 / 2.0);
            let count = (self.reach / step).ceil() as i64;
            (-count..count).for_each(|k| node((k as f64 + 0.5) * step, step));
            return Some(nodes);
        }
        let rule = legendre(points);
        let half = self.law != Law::Laplace;
        for pair in self.ends().windows(2) {
            let length = if half { 0.5 * (pair[1] - pair[0]) } else { 1.0 };
            let panels = (parts * (length * self.scale).max(1.0)).ceil();
            let width = (pair[1] - pair[0]) / panels;
            for k in 0..panels as usize {
                let middle = pair[0] + (k as f64 + 0.5) * width;
                for (x, w) in &rule {
                    node(middle + 0.5 * width * x, 0.5 * width * w);
                }
            }
        }
        Some(nodes)
    }
}
