//! Second moments of one point with each of several others, where the pre-activation of the one may be
//! steep: points of a box go as far as its cutoff.
//!
//! The variate that the steep pre-activation changes most with is averaged over first, in panels that
//! end where the activation has structure, whatever its scale. As a function of the other variates that
//! average moves with the place of the structure, by no more than they do: their rules need not know how
//! steep it is.

use super::super::line::Panels;
use super::super::rule::settled;
use super::axis::{Axis, Node};
use super::panels::stretch;
use super::{INFINITE, Moment, crossing, diverge, dot, law};
use crate::model::activation::{Growth, Parity};
use crate::model::{Activation, Law, Net};

/// Rules of the averages by the number of variates left after signs and the steepest one, each with a
/// coarser one that tells its error.
const EFFORTS: [[Effort; 2]; 3] = [
    [Effort::new(8, 0.5, 1e-15), Effort::new(12, 0.35, 1e-16)],
    [Effort::new(5, 0.8, 1e-6), Effort::new(7, 0.6, 1e-8)],
    [Effort::new(4, 1.1, 1e-4), Effort::new(5, 0.9, 1e-6)],
];
/// Largest length of a panel, in units of the variate.
const LENGTH: f64 = 1.5;
/// Coefficients above this make panels end where the activation has structure.
const STEEP: f64 = 1.5;
/// A normal that matters farther out belongs to averages out of range.
const FAR: f64 = 60.0;

/// How fine a rule is.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Points of a panel.
    points: usize,
    /// Step along a normal, over its coefficient.
    step: f64,
    /// Densities below this, relative to the largest, are left out.
    tail: f64,
}

impl Effort {
    const fn new(points: usize, step: f64, tail: f64) -> Self {
        Self { points, step, tail }
    }
}

/// An average, a bound of its error, and that of the modulus, which rounding is small against.
#[derive(Debug, Clone, Copy)]
pub struct Average {
    pub moment: Moment,
    pub size: f64,
}

/// The points that others are held against.
pub struct Lines {
    net: Net,
    laws: Vec<Law>,
    ends: Vec<Form>,
}

/// A pre-activation as a linear form of the variates, and its variance.
pub struct Form {
    pub weights: Vec<f64>,
    pub variance: f64,
}

impl Form {
    fn new(net: &Net, x: &[f64]) -> Self {
        let weights = net.linear_form(x);
        let variance = dot(&weights, &weights);
        Self { weights, variance }
    }
}

impl Lines {
    /// Those of a net's first layer.
    pub fn new<'a>(net: &Net, points: impl IntoIterator<Item = &'a [f64]>) -> Self {
        Self {
            laws: (0..=net.d_in()).map(|v| law(net, v)).collect(),
            ends: points.into_iter().map(|x| Form::new(net, x)).collect(),
            net: net.clone(),
        }
    }

    /// About how many values of the activation the averages with y take.
    pub fn cost(&self, y: &[f64]) -> f64 {
        let y = Form::new(&self.net, y);
        let Some(line) = Line::new(self, &y) else {
            return 0.0;
        };
        if line.crosses() {
            let (_, nodes) = line.crossed();
            return 2.0 * nodes as f64;
        }
        let (_, nodes) = line.sums(line.efforts()[1]);
        1.5 * nodes as f64 * (self.ends.len() + 1) as f64
    }

    /// E[h(x_p) h(y)] of all points p.
    pub fn with(&self, y: &[f64]) -> Vec<Average> {
        let y = Form::new(&self.net, y);
        let growth = self.net.activation().growth();
        let forms = self.ends.iter().chain([&y]);
        let weights: Vec<&[f64]> = forms.map(|form| &form.weights[..]).collect();
        let infinite = Average {
            moment: INFINITE,
            size: f64::INFINITY,
        };
        if diverge(&self.laws, &weights, growth, 2) {
            return vec![infinite; self.ends.len()];
        }
        let Some(line) = Line::new(self, &y) else {
            return vec![infinite; self.ends.len()];
        };
        if line.crosses() {
            return line.crossed().0;
        }
        let [(coarse, _), (fine, _)] = line.efforts().map(|effort| line.sums(effort));
        (fine.iter().zip(&coarse))
            .map(|(&[value, size], coarse)| {
                let distance = (value - coarse[0]).abs();
                let error = line.error(distance, size) + 1e-14 * size;
                let moment = Moment { value, error };
                Average { moment, size }
            })
            .collect()
    }
}

/// The averages over one point's variates.
struct Line<'a> {
    activation: &'a Activation,
    ends: &'a [Form],
    y: &'a Form,
    /// The variate that is averaged over first, if one is no sign.
    inner: Option<(usize, Axis)>,
    others: Vec<(usize, Law)>,
    signs: Vec<usize>,
}

impl<'a> Line<'a> {
    /// `None` where averages leave the range of f64.
    fn new(lines: &'a Lines, y: &'a Form) -> Option<Self> {
        let all = || lines.ends.iter().chain([y]);
        let largest = |v: usize| all().fold(0.0, |l: f64, form| l.max(form.weights[v].abs()));
        let (signs, mut axes): (Vec<usize>, Vec<usize>) = (0..lines.laws.len())
            .filter(|&v| largest(v) > 0.0)
            .partition(|&v| lines.laws[v] == Law::Rademacher);
        // What y does not change with matters to the others.
        let steepness = |v: usize| (y.weights[v].abs(), largest(v));
        axes.sort_by(|&a, &b| {
            let [a, b] = [a, b].map(steepness);
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let activation = lines.net.activation();
        let count = axes.len();
        let inner = axes.pop().map(|v| {
            let axis = Axis::new(lines.laws[v], largest(v), activation.growth(), 2, count);
            (v, axis)
        });
        let is_far = |(_, axis): &(usize, Axis)| axis.reach > FAR && axis.is_normal();
        (!inner.as_ref().is_some_and(is_far)).then(|| Self {
            activation,
            ends: &lines.ends,
            y,
            inner,
            others: axes.into_iter().map(|v| (v, lines.laws[v])).collect(),
            signs,
        })
    }

    /// A bound of the finer rule's error, from its distance to the coarser one.
    fn error(&self, distance: f64, size: f64) -> f64 {
        // Of several variates rules get better slowly: tails are cut off early.
        match self.others.len() > 1 {
            false => settled(distance, size),
            true => 3.0 * distance,
        }
    }

    /// Whether kinks run across rules of several weights.
    fn crosses(&self) -> bool {
        let weights = self.y.weights.len() - 1;
        weights > 1 && self.inner.is_some() && !self.activation.kinks().is_empty()
    }

    /// The averages point by point where they do, and the number of nodes.
    fn crossed(&self) -> (Vec<Average>, usize) {
        crossing::averages(
            self.activation,
            &self.axes(),
            (self.y, self.ends),
            &self.ways(),
        )
    }

    /// All ways of the signs.
    fn ways(&self) -> Vec<Vec<f64>> {
        (0..1u32 << self.signs.len())
            .map(|way| {
                let mut place = vec![0.0; self.y.weights.len()];
                for (k, &v) in self.signs.iter().enumerate() {
                    place[v] = if way >> k & 1 == 0 { 1.0 } else { -1.0 };
                }
                place
            })
            .collect()
    }

    /// The variates that are no signs, the steepest last.
    fn axes(&self) -> Vec<(usize, Axis)> {
        let growth = self.activation.growth();
        let count = self.others.len() + 1;
        let all = || self.ends.iter().chain([self.y]);
        let largest = |v: usize| all().fold(0.0, |l: f64, form| l.max(form.weights[v].abs()));
        let others = self
            .others
            .iter()
            .map(|&(v, law)| (v, Axis::new(law, largest(v), growth, 2, count)));
        others.chain(self.inner).collect()
    }

    fn efforts(&self) -> [Effort; 2] {
        EFFORTS[self.others.len().clamp(1, 3) - 1]
    }

    /// Average and average of the modulus of each product, and the number of nodes.
    fn sums(&self, effort: Effort) -> (Vec<[f64; 2]>, usize) {
        let mut sums = vec![[0.0; 2]; self.ends.len()];
        let mut nodes = 0;
        let panels = Panels::new(LENGTH, effort.points);
        let ways = self.ways();
        let part = ways.len() as f64;
        for mut place in ways {
            for (others, weight, density) in self.outer(&place, effort) {
                (self.others.iter().zip(&others)).for_each(|((v, _), x)| place[*v] = *x);
                let weight = weight / part;
                nodes += self.add(&place, weight, density, (&panels, effort.tail), &mut sums);
            }
        }
        (sums, nodes)
    }

    /// Adds the average over the steepest variate, the others being where they are; the number of nodes.
    fn add(
        &self,
        place: &[f64],
        weight: f64,
        density: f64,
        (panels, tail): (&Panels, f64),
        sums: &mut [[f64; 2]],
    ) -> usize {
        let at = |form: &Form, z: f64| self.activation.evaluate(z, form.variance);
        let Some((v, axis)) = &self.inner else {
            let of_y = at(self.y, dot(&self.y.weights, place));
            for (sum, end) in sums.iter_mut().zip(self.ends) {
                let product = weight * at(end, dot(&end.weights, place)) * of_y;
                *sum = [sum[0] + product, sum[1] + product.abs()];
            }
            return 1;
        };
        let without = |form: &Form| {
            let parts = form.weights.iter().zip(place).enumerate();
            parts
                .map(|(k, (l, x))| if k == *v { 0.0 } else { l * x })
                .sum::<f64>()
        };
        let means: Vec<f64> = self.ends.iter().map(without).collect();
        let of_y = without(self.y);
        let reach = axis.reach_to(tail, self.activation.growth());
        let mut ends = within(axis, reach);
        mark(self.activation, self.y.weights[*v], of_y, reach, &mut ends);
        for (end, &mean) in self.ends.iter().zip(&means) {
            mark(self.activation, end.weights[*v], mean, reach, &mut ends);
        }
        let mut nodes = 0;
        across(panels, axis, &mut ends, &mut |x, w| {
            nodes += 1;
            // Each factor has its share of the density: products stay in range.
            let share = (0.5 * (density + axis.log_density(x))).exp();
            let y = share * at(self.y, self.y.weights[*v] * x + of_y);
            for ((sum, end), mean) in sums.iter_mut().zip(self.ends).zip(&means) {
                let product = weight * w * (share * at(end, end.weights[*v] * x + mean)) * y;
                *sum = [sum[0] + product, sum[1] + product.abs()];
            }
        });
        nodes
    }

    /// Places of the other variates, with weights and the logarithm of the density. Products do not change
    /// as all variates change their sign if the activation is odd or even: half of them are enough.
    fn outer(&self, signs: &[f64], effort: Effort) -> Vec<(Vec<f64>, f64, f64)> {
        let is_symmetric = self.activation.parity() != Parity::Neither;
        let mut all = vec![(Vec::new(), 1.0, 0.0)];
        let mut largest = 0.0;
        for (k, &(v, law)) in self.others.iter().enumerate() {
            let mut rule = self.rule(v, law, signs, effort);
            if is_symmetric && k == 0 {
                rule.retain(|node| node.0 > 0.0);
                rule.iter_mut().for_each(|node| node.1 *= 2.0);
            }
            let highest = rule
                .iter()
                .map(|node| node.2)
                .fold(f64::NEG_INFINITY, f64::max);
            largest += highest;
            let cut = match self.activation.growth() {
                Growth::Exponential { .. } => f64::NEG_INFINITY,
                Growth::Bounded | Growth::Power(_) => largest + effort.tail.ln() - 2.0,
            };
            all = (all.iter())
                .flat_map(|(x, w, d): &(Vec<f64>, f64, f64)| {
                    let nodes = rule.iter().filter(move |node| d + node.2 >= cut);
                    nodes.map(move |node| ([&x[..], &[node.0]].concat(), w * node.1, d + node.2))
                })
                .collect();
        }
        all
    }

    /// The rule along one of the other variates.
    fn rule(&self, v: usize, law: Law, signs: &[f64], effort: Effort) -> Vec<Node> {
        let of_ends = self.ends.iter().map(|end| end.weights[v].abs());
        // As this variate moves, so does the structure of the steep pre-activation, and with it the others.
        let (moved, most) = match &self.inner {
            Some((inner, _)) => {
                let slope = self.y.weights[v].abs() / self.y.weights[*inner].abs();
                let steepest = self.ends.iter().map(|end| end.weights[*inner].abs());
                let of_y = self.y.weights[v].abs().min(STEEP);
                (slope.min(1.0) * steepest.fold(0.0, f64::max), of_y)
            }
            None => (0.0, 0.0),
        };
        let scale = of_ends.fold(moved.max(most), f64::max);
        let axis = Axis::new(
            law,
            scale,
            self.activation.growth(),
            2,
            self.others.len() + 1,
        );
        let reach = axis.reach_to(effort.tail, self.activation.growth());
        let mut nodes = Vec::new();
        let meets = match self.others.len() {
            1 => self.meets(v, signs),
            _ => Vec::new(),
        };
        if law.is_gaussian() && scale <= STEEP && meets.is_empty() {
            let step = effort.step / scale.max(0.8);
            let count = (reach / step).ceil() as i64;
            for k in -count..count {
                let x = (k as f64 + 0.5) * step;
                nodes.push((x, step, axis.log_density(x)));
            }
            return nodes;
        }
        let mut ends = within(&axis, reach);
        ends.push(0.0);
        mark(self.activation, scale, 0.0, reach, &mut ends);
        ends.extend(meets.into_iter().filter(|x| x.abs() < reach));
        ends.sort_unstable_by(f64::total_cmp);
        ends.dedup_by(|a, b| (*a - *b).abs() < 1e-13);
        let panels = Panels::between_kinks(LENGTH, effort.points);
        across(&panels, &axis, &mut ends, &mut |x, w| {
            nodes.push((x, w, axis.log_density(x)));
        });
        nodes
    }

    /// Where, along the one other variate, a kink of y meets one of another point, or either meets a bend
    /// of the density along the steepest variate.
    fn meets(&self, v: usize, signs: &[f64]) -> Vec<f64> {
        let Some((inner, axis)) = &self.inner else {
            return Vec::new();
        };
        let kinks = self.activation.kinks();
        // Lines a x + b other = c.
        let of = |form: &Form| -> Vec<[f64; 3]> {
            let offset = dot(&form.weights, signs);
            let line = |kink: &f64| [form.weights[*inner], form.weights[v], kink - offset];
            kinks.iter().map(line).collect()
        };
        let of_y = of(self.y);
        let bends = axis.bends().into_iter().map(|bend| [1.0, 0.0, bend]);
        let bends: Vec<[f64; 3]> = bends.collect();
        let mut meets = Vec::new();
        let mut meet = |a: &[f64; 3], b: &[f64; 3]| {
            let other = (a[0] * b[2] - b[0] * a[2]) / (a[0] * b[1] - b[0] * a[1]);
            if other.is_finite() {
                meets.push(other);
            }
        };
        for y in &of_y {
            bends.iter().for_each(|bend| meet(y, bend));
            for end in self.ends.iter().flat_map(of) {
                meet(y, &end);
            }
        }
        for end in self.ends.iter().flat_map(of) {
            bends.iter().for_each(|bend| meet(&end, bend));
        }
        meets
    }
}

/// Places where a variate's density changes, and the ends of what matters.
fn within(axis: &Axis, reach: f64) -> Vec<f64> {
    let ends = axis.ends().into_iter().filter(|x| x.abs() < reach);
    ends.chain([-reach, reach]).collect()
}

/// Marks where z = l x + mean has structure: at kinks, and, if it is steep, at 0 and at distances that
/// double, since activations vary on the scale of 1 near 0 and more slowly far out.
pub fn mark(activation: &Activation, l: f64, mean: f64, reach: f64, ends: &mut Vec<f64>) {
    if l == 0.0 {
        return;
    }
    let mut mark = |z: f64| {
        let x = (z - mean) / l;
        if x.abs() < reach {
            ends.push(x);
        }
    };
    activation.kinks().iter().for_each(|&kink| mark(kink));
    if l.abs() > STEEP {
        mark(0.0);
        let mut z = 0.5;
        while z < mean.abs() + l.abs() * reach {
            mark(z);
            mark(-z);
            z *= 2.0;
        }
    }
}

/// Nodes and weights of panels between ends. They may be longer where a density falls slowly.
pub fn across(panels: &Panels, axis: &Axis, ends: &mut [f64], node: &mut dyn FnMut(f64, f64)) {
    ends.sort_unstable_by(f64::total_cmp);
    for pair in ends.windows(2) {
        let unit = match axis.is_normal() {
            true => 1.0,
            false => stretch(pair[0], pair[1]),
        };
        panels.between(pair[0] / unit, pair[1] / unit, &mut |x, w| {
            node(unit * x, unit * w)
        });
    }
}
