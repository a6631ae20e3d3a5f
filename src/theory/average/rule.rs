//! What every quadrature over a neuron's normals needs.

use super::general::sizes;
use super::span::span;
use super::{Moment, dot};
use crate::model::activation::{Activation, Growth, Parity};
use crate::tensor::MomentPlan;

/// The logarithm of what is left out beyond the outermost radius, relative to the moments.
pub const LEFT_OUT: f64 = -37.0;

/// One neuron at some points, and the moments that are asked for.
pub struct Neuron<'a> {
    activation: &'a Activation,
    /// Pre-activations as linear forms of r normals, `[point][r]`, r their rank.
    pub forms: Vec<Vec<f64>>,
    variances: Vec<f64>,
    pub order: usize,
    pub plan: MomentPlan,
}

impl<'a> Neuron<'a> {
    pub fn new(activation: &'a Activation, forms: &[Vec<f64>], order: usize) -> Self {
        Self {
            activation,
            forms: span(forms),
            variances: forms.iter().map(|l| dot(l, l)).collect(),
            order,
            plan: MomentPlan::new(forms.len(), &[order]),
        }
    }

    pub fn rank(&self) -> usize {
        self.forms[0].len()
    }

    /// Largest standard deviation of a pre-activation.
    pub fn largest(&self) -> f64 {
        self.variances.iter().copied().fold(0.0, f64::max).sqrt()
    }

    pub fn kinks(&self) -> &[f64] {
        self.activation.kinks()
    }

    /// Whether products of even order do not change under g -> -g.
    pub fn is_symmetric(&self) -> bool {
        self.activation.parity() != Parity::Neither
    }

    /// Each factor's share of the density of normals whose squares add up to r2: their product stays
    /// in range where the density itself, or the factors, would not.
    pub fn share(&self, r2: f64) -> f64 {
        (-r2 / (2 * self.order) as f64).exp()
    }

    /// h of a point whose pre-activation is z.
    pub fn at(&self, point: usize, z: f64) -> f64 {
        self.activation.evaluate(z, self.variances[point])
    }

    /// h of a point at normals g.
    pub fn value(&self, point: usize, g: &[f64]) -> f64 {
        self.at(point, dot(&self.forms[point], g))
    }

    /// The radius beyond which products carry nothing of their averages.
    pub fn radius(&self) -> f64 {
        radius(
            self.activation.growth(),
            self.order,
            self.largest(),
            self.rank(),
        )
    }

    /// Where no pre-activation varies.
    pub fn constant(&self) -> Vec<Moment> {
        let at_zero: Vec<f64> = (self.variances.iter())
            .map(|&v| self.activation.evaluate(0.0, v))
            .collect();
        (self.plan.indices().iter())
            .map(|index| Moment::from(index.iter().map(|&p| at_zero[p]).product::<f64>()))
            .collect()
    }

    /// About how long a rule of so many nodes takes one core.
    pub fn seconds(&self, nodes: f64) -> f64 {
        seconds(self.activation, &self.plan, nodes)
    }

    /// [`refined`] rules for these points and this order.
    pub fn refined(
        &self,
        precision: f64,
        rule: impl FnMut(usize) -> Option<Vec<f64>>,
    ) -> Option<Vec<Moment>> {
        refined(self.forms.len(), self.order, precision, rule)
    }
}

/// About how long a rule of so many nodes takes one core: nanoseconds for an operation of the tape and
/// for a product, measured.
pub fn seconds(activation: &Activation, plan: &MomentPlan, nodes: f64) -> f64 {
    let tape = 20.0 + 8.0 * activation.tape().ops().len() as f64;
    let products = 0.4 * plan.elements().len() as f64;
    1e-9 * nodes * (tape * plan.fields() as f64 + products)
}

/// Finer and finer rules until two agree to `precision` of the sizes, or until `rule` has no finer
/// one. The finer's error is its distance from the coarser, or less: a rule whose error is e has one of
/// e^(5/4) at the next level, where e is small.
pub fn refined(
    points: usize,
    order: usize,
    precision: f64,
    mut rule: impl FnMut(usize) -> Option<Vec<f64>>,
) -> Option<Vec<Moment>> {
    let mut coarse = rule(0)?;
    let mut best: Option<Vec<Moment>> = None;
    for level in 1.. {
        let Some(fine) = rule(level) else {
            return best;
        };
        let values: Vec<Moment> = fine.iter().map(|&x| Moment::from(x)).collect();
        let sizes = sizes(points, order, &values);
        let moments: Vec<Moment> = (fine.iter().zip(&coarse).zip(&sizes))
            .map(|((&value, coarse), &size)| Moment {
                value,
                error: settled((value - coarse).abs(), size) + 1e-14 * size,
            })
            .collect();
        let is_good = |(m, size): (&Moment, &f64)| m.error <= precision * size;
        if moments.iter().zip(&sizes).all(is_good) {
            return Some(moments);
        }
        best = Some(moments);
        coarse = fine;
    }
    best
}

/// What the finer of two rules may err by.
pub fn settled(distance: f64, size: f64) -> f64 {
    match size > 0.0 {
        true => distance * (10.0 * distance / size).min(1.0).powf(0.25),
        false => distance,
    }
}

/// The radius beyond which products of `order` values, of pre-activations of standard deviations up
/// to `largest`, carry nothing of their averages over `rank` normals.
pub fn radius(growth: Growth, order: usize, largest: f64, rank: usize) -> f64 {
    radius_to(LEFT_OUT, growth, order, largest, rank)
}

/// The same with another logarithm of what is left out.
pub fn radius_to(left_out: f64, growth: Growth, order: usize, largest: f64, rank: usize) -> f64 {
    let (power, shift) = match growth {
        Growth::Bounded => (0.0, 0.0),
        Growth::Power(p) => (p * order as f64, 0.0),
        // exp(c g) moves the density by c.
        Growth::Exponential { rate } => (0.0, rate * largest * order as f64),
    };
    let power = power + rank as f64 - 1.0;
    let mut radius: f64 = if left_out > LEFT_OUT { 3.0 } else { 8.0 };
    // Relative to the average of the power.
    let average = 0.5 * power * (power.max(1.0).ln() - 1.0);
    while power * radius.ln() - 0.5 * radius * radius - average > left_out {
        radius += 0.125;
    }
    radius + shift
}
