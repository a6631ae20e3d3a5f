//! Averages over a hidden unit whose weights or biases are not normal: products over independent
//! variates, each with its law.

mod axis;
mod characteristic;
mod closed;
mod crossing;
mod grid;
mod lattice;
mod lines;
mod panels;
mod planes;
mod second;
#[cfg(test)]
mod tests;

use std::f64::consts::SQRT_2;

use super::exponential::Exponentials;
use super::general::{CANCELLED, sizes};
use super::span::span;
use super::{Moment, dot};
use crate::model::activation::{Growth, Parity};
use crate::model::{Activation, Law, Net};
use crate::tensor::{MomentPlan, multisets};
use axis::Axis;
pub use lattice::variate;
pub use lines::{Average, Lines};
pub use second::{Point, SecondMoments};

/// Most signs that are gone through one by one: so many ways do not make rules long, nor the places of
/// their kinks many.
const MAX_SIGNS: usize = 12;
const MAX_SIGNS_WITH_KINKS: [usize; 4] = [12, 12, 9, 6];

/// What does not exist.
const INFINITE: Moment = Moment {
    value: f64::INFINITY,
    error: f64::INFINITY,
};

/// The pre-activations of one hidden unit at some points.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Linear forms of independent variates of unit variance, `[point][variate]`.
    forms: Vec<Vec<f64>>,
    /// Law of each variate.
    laws: Vec<Law>,
    variances: Vec<f64>,
}

impl Unit {
    /// That of the first layer of a net, in as few variates as may be: normals are as many as the
    /// points span, and variates that do not matter are left out.
    pub fn new<'a>(net: &Net, points: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let forms: Vec<Vec<f64>> = points.into_iter().map(|x| net.linear_form(x)).collect();
        let law = |v: usize| law(net, v);
        let (normal, other): (Vec<usize>, Vec<usize>) = (0..=net.d_in())
            .filter(|&v| forms.iter().any(|form| form[v] != 0.0))
            .partition(|&v| law(v).is_gaussian());
        let columns = |of: &[usize]| -> Vec<Vec<f64>> {
            let row = |form: &Vec<f64>| of.iter().map(|&v| form[v]).collect();
            forms.iter().map(row).collect()
        };
        let normals = match normal.is_empty() {
            true => vec![Vec::new(); forms.len()],
            false => span(&columns(&normal)),
        };
        let mut laws: Vec<Law> = other.iter().map(|&v| law(v)).collect();
        laws.extend(
            normals
                .first()
                .map_or(0..0, |row| 0..row.len())
                .map(|_| Law::Gaussian),
        );
        let joined = columns(&other).into_iter().zip(normals);
        Self {
            variances: forms.iter().map(|form| dot(form, form)).collect(),
            forms: joined
                .map(|(mut row, normals)| {
                    row.extend(normals);
                    row
                })
                .collect(),
            laws,
        }
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.forms.len()
    }

    /// Linear forms of independent variates of unit variance, `[point][variate]`.
    pub fn forms(&self) -> &[Vec<f64>] {
        &self.forms
    }

    /// Law of each variate.
    pub fn laws(&self) -> &[Law] {
        &self.laws
    }

    /// Variance of each point's pre-activation.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// Whether E of some product of `order` values of an activation that grows like this does not
    /// exist.
    fn diverges(&self, growth: Growth, order: usize) -> bool {
        diverge(&self.laws, &self.forms, growth, order)
    }
}

/// Whether averages of points of any box with fixed ones take so little time that they can be tabulated, and
/// tables are good to percents: in three dimensions those of Laplace variates are not.
pub fn are_short(net: &Net) -> bool {
    let variates = net.linear_form(&vec![1.0; net.d_in()]);
    let laws: Vec<Law> = (0..=net.d_in())
        .filter(|&v| variates[v] != 0.0)
        .map(|v| law(net, v))
        .filter(|&law| law != Law::Rademacher)
        .collect();
    net.d_in() == 1
        || net.activation().kinks().is_empty()
        || (crossing::are_short(net.activation(), &laws)
            && !(net.d_in() > 2 && laws.contains(&Law::Laplace)))
}

/// Law of a variate of the linear forms of a net's first layer.
fn law(net: &Net, variate: usize) -> Law {
    let first = net.first();
    if variate < net.d_in() {
        first.law_w
    } else {
        first.law_b
    }
}

/// Whether E of some product of `order` values does not exist. Where an activation grows like
/// exp(a |z|) products grow along a Laplace variate like the exponential of a times the sum of their
/// |l|, which is largest with one point alone, and the density falls with the rate sqrt 2. Convexity
/// makes the variates' own lines the worst directions.
fn diverge<F: AsRef<[f64]>>(laws: &[Law], forms: &[F], growth: Growth, order: usize) -> bool {
    let Growth::Exponential { rate } = growth else {
        return false;
    };
    (laws.iter().enumerate()).any(|(v, &law)| {
        let coefficients = forms.iter().map(|form| form.as_ref()[v].abs());
        law == Law::Laplace && order as f64 * rate * coefficients.fold(0.0, f64::max) >= SQRT_2
    })
}

/// E[h_i1 .. h_in] for all multisets i1 <= .. <= in of a unit's points, n = 2, 4 or 6.
///
/// - Sums of z^p exp(a z): closed form.
/// - Signs one by one, and over the other variates
///   - smooth: a product of rules, for up to four;
///   - kinks: Gauss-Legendre's rule in panels that end at them, for up to three.
/// - Else a rank-1 rule.
pub fn moments(activation: &Activation, unit: &Unit, order: usize) -> Vec<Moment> {
    if unit.diverges(activation.growth(), order) {
        return vec![INFINITE; multisets(unit.points(), order).len()];
    }
    let closed =
        Exponentials::of(activation.tape()).and_then(|sum| closed::moments(&sum, unit, order));
    if let Some(moments) = closed {
        let sizes = sizes(unit.points(), order, &moments);
        let all_good = (moments.iter().zip(sizes)).all(|(m, size)| is_good(m, size));
        if all_good || unit.forms.iter().any(|form| is_steep(form)) {
            return moments;
        }
    }
    numeric(activation, unit, order)
}

/// Whether a closed form has lost few digits: against the size of a moment to terms that cancel, and
/// against the moment itself to large exponents, which cost every rule as much.
fn is_good(moment: &Moment, size: f64) -> bool {
    moment.error <= CANCELLED * size || moment.error <= 1e-8 * moment.value.abs()
}

/// Whether a pre-activation changes so much along a variate that quadrature is no better than a closed
/// form whose arguments are rounded.
fn is_steep(form: &[f64]) -> bool {
    form.iter().any(|l| l.abs() > 30.0)
}

/// The same without closed forms.
fn numeric(activation: &Activation, unit: &Unit, order: usize) -> Vec<Moment> {
    let neuron = Neuron::new(activation, unit, order);
    let (axes, signs) = (neuron.axes.len(), neuron.signs.len());
    let by_grid = match activation.kinks() {
        [] if axes <= 4 && signs <= MAX_SIGNS => grid::moments(&neuron),
        // Nothing but signs has no kinks.
        _ if axes == 0 && signs <= MAX_SIGNS => grid::moments(&neuron),
        [_, ..] if axes <= 3 && signs <= MAX_SIGNS_WITH_KINKS[axes] => panels::moments(&neuron),
        _ => None,
    };
    by_grid.unwrap_or_else(|| lattice::moments(activation, unit, order))
}

/// What every quadrature over a unit's variates needs: signs apart from the others.
struct Neuron<'a> {
    activation: &'a Activation,
    /// Pre-activations as linear forms of the variates that are not signs, `[point][axis]`.
    forms: Vec<Vec<f64>>,
    axes: Vec<Axis>,
    /// Coefficients of each sign, `[sign][point]`.
    signs: Vec<Vec<f64>>,
    variances: Vec<f64>,
    order: usize,
    plan: MomentPlan,
}

impl<'a> Neuron<'a> {
    fn new(activation: &'a Activation, unit: &Unit, order: usize) -> Self {
        let column = |&v: &usize| -> Vec<f64> { unit.forms.iter().map(|form| form[v]).collect() };
        let (signs, mut others): (Vec<usize>, Vec<usize>) =
            (0..unit.laws.len()).partition(|&v| unit.laws[v] == Law::Rademacher);
        // The last variate is the one along which every point's pre-activation changes most.
        let steepness = |v: &usize| {
            let part = |(form, variance): (&Vec<f64>, &f64)| form[*v].abs() / variance.sqrt();
            (unit.forms.iter().zip(&unit.variances))
                .map(part)
                .fold(1.0, f64::min)
        };
        others.sort_by(|a, b| steepness(a).total_cmp(&steepness(b)));
        let axes = others.iter().map(|v| {
            let largest = column(v).into_iter().map(f64::abs).fold(0.0, f64::max);
            Axis::new(
                unit.laws[*v],
                largest,
                activation.growth(),
                order,
                others.len(),
            )
        });
        Self {
            axes: axes.collect(),
            forms: (unit.forms.iter())
                .map(|form| others.iter().map(|&v| form[v]).collect())
                .collect(),
            signs: signs.iter().map(column).collect(),
            variances: unit.variances.clone(),
            plan: MomentPlan::new(unit.points(), &[order]),
            activation,
            order,
        }
    }

    /// What the signs add to each point's pre-activation, every way that matters, `[way][point]`.
    /// Where products do not change as all variates change their sign, one sign may be fixed.
    fn offsets(&self) -> Vec<Vec<f64>> {
        let fixed = self.axes.is_empty() && self.is_symmetric();
        let free = self.signs.len().saturating_sub(usize::from(fixed));
        (0..1u32 << free)
            .map(|ways| {
                let mut sums = vec![0.0; self.forms.len()];
                for (k, column) in self.signs.iter().enumerate() {
                    let sign = if ways >> k & 1 == 0 { 1.0 } else { -1.0 };
                    sums.iter_mut()
                        .zip(column)
                        .for_each(|(s, l)| *s += sign * l);
                }
                sums
            })
            .collect()
    }

    /// Whether products of even order do not change as all variates change their sign.
    fn is_symmetric(&self) -> bool {
        self.activation.parity() != Parity::Neither
    }

    /// About how long a rule of so many nodes takes one core, as for normals.
    fn seconds(&self, nodes: f64) -> f64 {
        super::rule::seconds(self.activation, &self.plan, nodes)
    }

    /// Log density below which a node carries nothing, relative to the largest: an activation that
    /// grows exponentially may make up for any.
    fn cut(&self) -> f64 {
        match self.activation.growth() {
            Growth::Exponential { .. } => f64::NEG_INFINITY,
            Growth::Bounded | Growth::Power(_) => {
                let at_reach = |axis: &Axis| axis.log_density(axis.reach) - axis.log_density(0.0);
                self.axes.iter().map(at_reach).fold(-37.0, f64::min)
            }
        }
    }
}
