//! Second moments of two points of an activation with kinks.
//!
//! A kink of a point is a plane in the space of the variates; so is the end of a uniform variate's line,
//! and the middle of a Laplace variate's. The average over the later variates is a function of those
//! before them that is smooth but where planes meet within reach: there panels end, which depends on
//! where the variates before are.

use super::super::line::Panels;
use super::axis::Axis;
use super::lines::{Average, Form, across, mark};
use super::planes::{AT, Along, MAX_AXES, NOWHERE, Plane, Planes};
use super::{Moment, dot};
use crate::model::activation::Growth;
use crate::model::{Activation, Law};

/// Rules by the number of variates, each after a coarser one that tells its error.
const EFFORTS: [[Effort; 2]; MAX_AXES] = [
    [Effort::new(8, 1e-14), Effort::new(11, 1e-15)],
    [Effort::new(5, 1e-8), Effort::new(7, 1e-10)],
    [Effort::new(3, 1e-5), Effort::new(4, 1e-6)],
];
/// Largest length of a panel, in units of a variate, or of a pre-activation that changes faster.
const LENGTH: f64 = 2.0;
/// Pre-activations that change faster still make panels no shorter.
const FASTEST: f64 = 4.0;
/// Where an activation is no polynomial between its kinks, one that is steep changes near them on a scale
/// that panels do not resolve. Measured against panels of 0.08 at coefficients up to 300: above the first
/// one of these it makes no more than the second part of the size, nor than the third over the product of
/// the two largest coefficients.
const NEAR_KINKS: [f64; 3] = [8.0, 2e-4, 0.1];
/// How fine a rule is.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Points of a panel of full length. The shortest have half as many and one: between kinks of a
    /// line under a uniform law averages are polynomials of a degree up to 5.
    points: usize,
    /// Densities below this, relative to the largest, are left out.
    tail: f64,
}

impl Effort {
    const fn new(points: usize, tail: f64) -> Self {
        Self { points, tail }
    }
}

/// The average over two points' variates.
struct Crossing<'a> {
    activation: &'a Activation,
    /// The variates, outermost first; the steepest is last.
    axes: &'a [Axis],
    variances: [f64; 2],
    /// Pre-activations: coefficients of the variates, and what the signs add.
    forms: [Plane; 2],
    planes: Planes,
    /// Whether the activation has no structure beside its kinks.
    is_polynomial: bool,
}

impl<'a> Crossing<'a> {
    /// The average over variates, each with its number in the forms, signs being where they are.
    fn new(
        activation: &'a Activation,
        (numbers, axes): (&[usize], &'a [Axis]),
        points: [&Form; 2],
        signs: &[f64],
    ) -> Self {
        let forms = points.map(|form| {
            let mut plane = NOWHERE;
            for (x, &v) in plane.iter_mut().zip(numbers) {
                *x = form.weights[v];
            }
            plane[AT] = dot(&form.weights, signs);
            plane
        });
        Self {
            planes: Planes::new(activation, &forms, axes),
            is_polynomial: activation.is_piecewise_polynomial(),
            activation,
            axes,
            variances: points.map(|form| form.variance),
            forms,
        }
    }

    /// The average and that of the modulus, by the coarser rule and by the finer; the number of nodes of both.
    fn sums(&self) -> ([[f64; 2]; 2], usize) {
        let mut nodes = 0;
        let sums = EFFORTS[self.axes.len() - 1].map(|effort| {
            let mut rule = Rule::new(self, effort);
            rule.along(0, 1.0, 0.0);
            nodes += rule.nodes;
            rule.sum
        });
        (sums, nodes)
    }
}

/// One rule of a [`Crossing`].
struct Rule<'a> {
    of: &'a Crossing<'a>,
    panels: Vec<Panels>,
    /// Where densities change.
    bends: Vec<Vec<f64>>,
    tail: f64,
    /// The logarithm of the largest density of the variates up to each one.
    largest: [f64; MAX_AXES],
    /// How far each variate goes at most.
    reaches: [f64; MAX_AXES],
    place: [f64; MAX_AXES],
    sum: [f64; 2],
    nodes: usize,
    /// Where panels end, kept for the next line.
    ends: Vec<f64>,
    /// The planes in the space of the variates that are left.
    left: Vec<Plane>,
}

impl<'a> Rule<'a> {
    fn new(of: &'a Crossing<'a>, effort: Effort) -> Self {
        let (mut largest, mut reaches) = ([0.0; MAX_AXES], [0.0; MAX_AXES]);
        let mut sum = 0.0;
        for (k, axis) in of.axes.iter().enumerate() {
            sum += axis.log_density(0.0);
            largest[k] = sum;
            reaches[k] = axis.reach_to(effort.tail, of.activation.growth());
        }
        let panels = (0..of.axes.len()).map(|k| {
            // What is steep in the last variate is marked there.
            let of_form = |form: &Plane| form[k].abs() / form[of.axes.len() - 1].abs().max(1.0);
            let fastest = of
                .forms
                .iter()
                .map(of_form)
                .fold(1.0, f64::max)
                .min(FASTEST);
            let scale = if of.is_polynomial { 1.0 } else { fastest };
            Panels::new(LENGTH / scale, effort.points).with_fewest(effort.points / 2 + 1)
        });
        Self {
            panels: panels.collect(),
            bends: of.axes.iter().map(Axis::ends).collect(),
            tail: effort.tail,
            largest,
            reaches,
            place: [0.0; MAX_AXES],
            sum: [0.0; 2],
            nodes: 0,
            ends: Vec::new(),
            left: Vec::new(),
            of,
        }
    }

    /// Goes along a variate, those before it being where they are.
    fn along(&mut self, level: usize, weight: f64, density: f64) {
        let of = self.of;
        let axis = &of.axes[level];
        // What the variates before it have left of the tail.
        let before = if level > 0 {
            self.largest[level - 1]
        } else {
            0.0
        };
        let growth = of.activation.growth();
        let part = match growth {
            Growth::Exponential { .. } => self.tail,
            Growth::Bounded | Growth::Power(_) => self.tail * (before - density).exp(),
        };
        if part >= 1.0 {
            return;
        }
        let reach = axis.reach_to(part, growth).min(self.reaches[level]);
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        ends.extend([-reach, reach]);
        ends.extend(self.bends[level].iter().filter(|x| x.abs() < reach));
        if level + 1 < of.axes.len() {
            let along = Along {
                level,
                reach,
                reaches: &self.reaches,
            };
            of.planes
                .meets(along, &self.place, &mut self.left, &mut ends);
            // Several planes may meet in one place.
            ends.sort_unstable_by(f64::total_cmp);
            ends.dedup_by(|a, b| *a - *b < 1e-12);
            let mut nodes = Vec::with_capacity(64);
            across(&self.panels[level], axis, &mut ends, &mut |x, w| {
                nodes.push((x, w));
            });
            self.ends = ends;
            for (x, w) in nodes {
                self.place[level] = x;
                self.along(level + 1, weight * w, density + axis.log_density(x));
            }
            return;
        }
        let means = of.forms.map(|form| {
            let before = form[..level].iter().zip(&self.place);
            form[AT] + before.map(|(l, x)| l * x).sum::<f64>()
        });
        for (form, mean) in of.forms.iter().zip(means) {
            if of.is_polynomial {
                let kinks = of.activation.kinks().iter();
                let places = kinks.map(|kink| (kink - mean) / form[level]);
                ends.extend(places.filter(|x| x.abs() < reach));
            } else {
                mark(of.activation, form[level], mean, reach, &mut ends);
            }
        }
        let (mut sum, mut nodes) = ([0.0; 2], 0);
        across(&self.panels[level], axis, &mut ends, &mut |x, w| {
            nodes += 1;
            // Each factor has its share of the density: products stay in range.
            let share = (0.5 * (density + axis.log_density(x))).exp();
            let at = |p: usize| {
                let z = of.forms[p][level] * x + means[p];
                share * of.activation.evaluate(z, of.variances[p])
            };
            let first = at(0);
            if first != 0.0 {
                let product = w * first * at(1);
                sum = [sum[0] + product, sum[1] + product.abs()];
            }
        });
        self.ends = ends;
        self.nodes += nodes;
        self.sum = [0, 1].map(|k| self.sum[k] + weight * sum[k]);
    }
}

/// E of the products of one point with each of several others, the ways of the signs one by one, and
/// the number of nodes. Variates have their numbers in the forms, the steepest last.
pub fn averages(
    activation: &Activation,
    axes: &[(usize, Axis)],
    (y, ends): (&Form, &[Form]),
    ways: &[Vec<f64>],
) -> (Vec<Average>, usize) {
    let (numbers, axes): (Vec<usize>, Vec<Axis>) = axes.iter().copied().unzip();
    let mut relative = 1e-14 + beyond(&axes);
    if !activation.is_piecewise_polynomial()
        && let [.., next, last] = numbers[..]
    {
        let steepness = |v: usize| {
            ends.iter()
                .chain([y])
                .fold(0.0, |l: f64, form| l.max(form.weights[v].abs()))
        };
        let [from, most, part] = NEAR_KINKS;
        if steepness(last) > from {
            relative += most.min(part / (steepness(next) * steepness(last)));
        }
    }
    let mut nodes = 0;
    let all = ends.iter().map(|end| {
        let mut sums = [[0.0; 2]; 2];
        for signs in ways {
            let crossing = Crossing::new(activation, (&numbers, &axes), [y, end], signs);
            let (of_way, count) = crossing.sums();
            nodes += count;
            for (sum, of_way) in sums
                .as_flattened_mut()
                .iter_mut()
                .zip(of_way.as_flattened())
            {
                *sum += of_way / ways.len() as f64;
            }
        }
        let [[coarse, _], [value, size]] = sums;
        let error = (value - coarse).abs() + relative * size;
        let moment = Moment { value, error };
        Average { moment, size }
    });
    (all.collect(), nodes)
}

/// Whether many averages over variates of these laws, none of them signs, take no more than minutes.
pub fn are_short(activation: &Activation, laws: &[Law]) -> bool {
    let structures = activation.kinks().len() + usize::from(!activation.is_piecewise_polynomial());
    // An average takes 1 to 10 ms for a point, and the more the farther densities reach.
    let most = match laws.len() {
        0 | 1 => usize::MAX,
        2 => 4,
        3 => 2,
        _ => 0,
    };
    structures
        <= if laws.contains(&Law::Laplace) {
            most / 2
        } else {
            most
        }
}

/// What the finer rule leaves out relative to the size: of n variates whose densities fall exponentially or
/// faster, e^-d (1 + d + .. + d^(n - 1) / (n - 1)!) where they have fallen by e^-d; five times as much, since
/// products of two points may be small where most of the density is.
fn beyond(axes: &[Axis]) -> f64 {
    let [_, Effort { tail, .. }] = EFFORTS[axes.len() - 1];
    let mut term = tail;
    let unbounded = axes.iter().filter(|axis| !axis.is_bounded());
    let terms = unbounded.zip(1..).map(|(_, k)| {
        let this = term;
        term *= -tail.ln() / f64::from(k);
        this
    });
    5.0 * terms.sum::<f64>()
}
