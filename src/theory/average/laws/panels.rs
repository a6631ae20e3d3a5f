//! Averages of products of an activation with kinks by Gauss-Legendre's rule in panels that end at
//! the kinks.
//!
//! A kink k of a point with the form l is a plane l . g = k; so is the end of a uniform variate's line,
//! and the middle of a Laplace variate's. The average over the last variates is a function of those
//! before them which is smooth but where planes meet whose parts along the last ones depend on each
//! other. Where they are is linear in the variates before.

use rayon::prelude::*;

use super::super::super::cubature::{Nodes, add_up};
use super::super::dot;
use super::super::line::Panels;
use super::super::rule::refined;
use super::super::subsets::subsets;
use super::{Moment, Neuron};

/// A rule that takes one core longer is not tried.
const SECONDS: f64 = 4.0;
/// Most ends of panels along one variate.
const MAX_ENDS: usize = 2000;
/// Parts below this are those of parallel planes.
const PARALLEL: f64 = 1e-12;
/// Length of panels and points in one that is as long, level by level.
const LEVELS: [(f64, usize); 6] = [
    (2.0, 8),
    (2.0, 12),
    (1.0, 12),
    (0.5, 12),
    (0.25, 12),
    (0.125, 12),
];

/// A plane: unit normal, distance from the origin.
type Plane = (Vec<f64>, f64);

/// All moments; `None` where kinks are too many, or the second rule takes too long.
pub fn moments(neuron: &Neuron) -> Option<Vec<Moment>> {
    let precision = if neuron.axes.len() <= 2 { 1e-12 } else { 1e-9 };
    let offsets = neuron.offsets();
    let cells = (offsets.iter()).map(|offset| Cell::new(neuron, offset));
    let cells: Vec<Cell> = cells.collect::<Option<_>>()?;
    refined(neuron.forms.len(), neuron.order, precision, |level| {
        let (length, points) = *LEVELS.get(level)?;
        let nodes: f64 = cells.iter().map(|cell| cell.nodes(length, points)).sum();
        (neuron.seconds(nodes) < SECONDS).then(|| {
            let rules = Panels::between_kinks(length, points);
            let parts = cells.iter().map(|cell| cell.sum(&rules));
            let mut sums = add_up(parts, neuron.plan.elements().len());
            sums.iter_mut().for_each(|s| *s /= cells.len() as f64);
            sums
        })
    })
}

/// One way of the signs.
struct Cell<'a> {
    neuron: &'a Neuron<'a>,
    offset: &'a [f64],
    /// For each variate where its panels end: coefficients of the variates before, and a constant.
    ends: Vec<Vec<Vec<f64>>>,
}

impl<'a> Cell<'a> {
    fn new(neuron: &'a Neuron<'a>, offset: &'a [f64]) -> Option<Self> {
        let axes = neuron.axes.len();
        let mut planes: Vec<Plane> = Vec::new();
        let mut add = |normal: &[f64], distance: f64| {
            let length = dot(normal, normal).sqrt();
            if length > 0.0 {
                let unit = normal.iter().map(|x| x / length).collect();
                planes.push((unit, distance / length));
            }
        };
        for (form, offset) in neuron.forms.iter().zip(offset) {
            let reach: f64 = (form.iter().zip(&neuron.axes))
                .map(|(l, axis)| l.abs() * axis.reach)
                .sum();
            for kink in neuron.activation.kinks() {
                if (kink - offset).abs() < reach {
                    add(form, kink - offset);
                }
            }
        }
        for (k, axis) in neuron.axes.iter().enumerate() {
            let mut normal = vec![0.0; axes];
            normal[k] = 1.0;
            axis.bends().iter().for_each(|&bend| add(&normal, bend));
        }
        let ends = (0..axes).map(|axis| ends(&planes, axis, axes));
        Some(Self {
            neuron,
            offset,
            ends: ends.collect::<Option<_>>()?,
        })
    }

    /// About how many nodes a rule has.
    fn nodes(&self, length: f64, points: usize) -> f64 {
        let of = |(k, ends): (usize, &Vec<Vec<f64>>)| {
            let pieces = self.neuron.axes[k].ends();
            let panels: f64 = (pieces.windows(2))
                .map(|pair| ((pair[1] - pair[0]) / (length * stretch(pair[0], pair[1]))).ceil())
                .sum();
            points as f64 * panels + 6.0 * ends.len() as f64
        };
        let half = if self.neuron.is_symmetric() { 0.5 } else { 1.0 };
        half * self.ends.iter().enumerate().map(of).product::<f64>()
    }

    fn sum(&self, rules: &Panels) -> Vec<f64> {
        let mut outer = Vec::new();
        self.along(rules, &[], &mut |x, w| outer.push((x, w)));
        if self.neuron.is_symmetric() {
            outer.iter_mut().for_each(|(_, w)| *w *= 2.0);
        }
        // Enough tasks, and as many whatever the number of threads.
        let parts: Vec<Vec<f64>> = (outer.par_chunks(8))
            .map(|chunk| {
                let mut nodes = Nodes::new(&self.neuron.plan);
                let mut g = Vec::with_capacity(self.ends.len());
                for &(x, w) in chunk {
                    g.clear();
                    g.push(x);
                    self.visit(
                        rules,
                        &mut g,
                        w,
                        self.neuron.axes[0].log_density(x),
                        &mut nodes,
                    );
                }
                nodes.take()
            })
            .collect();
        add_up(parts, self.neuron.plan.elements().len())
    }

    fn visit(&self, rules: &Panels, g: &mut Vec<f64>, weight: f64, density: f64, to: &mut Nodes) {
        let neuron = self.neuron;
        if g.len() == neuron.axes.len() {
            let share = (density / neuron.order as f64).exp();
            to.push(weight, |p| {
                let z = self.offset[p] + dot(&neuron.forms[p], g);
                share * neuron.activation.evaluate(z, neuron.variances[p])
            });
            return;
        }
        let mut nodes = Vec::new();
        self.along(rules, g, &mut |x, w| nodes.push((x, w)));
        let axis = &neuron.axes[g.len()];
        for (x, w) in nodes {
            g.push(x);
            self.visit(rules, g, weight * w, density + axis.log_density(x), to);
            g.pop();
        }
    }

    /// Nodes and weights along the next variate.
    fn along(&self, rules: &Panels, g: &[f64], to: &mut dyn FnMut(f64, f64)) {
        let axis = &self.neuron.axes[g.len()];
        let mut ends = axis.ends();
        ends.extend(
            (self.ends[g.len()].iter())
                .map(|end| dot(&end[..g.len()], g) + end[g.len()])
                .filter(|end| end.abs() < axis.reach),
        );
        if g.is_empty() && self.neuron.is_symmetric() {
            // The other half is the mirror image.
            ends.push(0.0);
            ends.retain(|&end| end >= 0.0);
        }
        ends.sort_unstable_by(f64::total_cmp);
        for pair in ends.windows(2) {
            let unit = stretch(pair[0], pair[1]);
            rules.between(pair[0] / unit, pair[1] / unit, &mut |x, w| {
                to(unit * x, unit * w)
            });
        }
    }
}

/// How much longer panels may be at a distance from the middle: normals and uniform variates do not get
/// far, and a Laplace variate's density falls by factors there.
pub fn stretch(from: f64, to: f64) -> f64 {
    match from.signum() == to.signum() {
        true => (0.5 * from.abs().min(to.abs())).max(1.0),
        false => 1.0,
    }
}

/// Where along a variate planes meet whose parts along the later ones depend on each other, in terms
/// of the variates before; none twice. `None` if they are too many.
fn ends(planes: &[Plane], axis: usize, axes: usize) -> Option<Vec<Vec<f64>>> {
    let mut ends: Vec<Vec<f64>> = Vec::new();
    for count in 1..=(axes - axis).min(planes.len()) {
        for chosen in subsets(planes.len(), count) {
            let rows: Vec<Plane> = chosen.iter().map(|&k| planes[k].clone()).collect();
            if let Some(end) = meeting(rows, axis) {
                let is_new = |known: &Vec<f64>| {
                    (known.iter().zip(&end)).any(|(a, b)| (a - b).abs() > 1e-12 * (1.0 + b.abs()))
                };
                if ends.iter().all(is_new) {
                    ends.push(end);
                }
            }
            if ends.len() > MAX_ENDS {
                return None;
            }
        }
    }
    Some(ends)
}

/// The place along a variate at which the parts of planes along the later ones depend on each other,
/// but those of fewer of them do not: by elimination of the later ones.
fn meeting(mut rows: Vec<Plane>, axis: usize) -> Option<Vec<f64>> {
    let later = axis + 1..rows[0].0.len();
    while rows.len() > 1 {
        let entries = (0..rows.len()).flat_map(|r| later.clone().map(move |c| (r, c)));
        let (row, column) =
            entries.max_by(|a, b| rows[a.0].0[a.1].abs().total_cmp(&rows[b.0].0[b.1].abs()))?;
        let (pivot, distance) = rows.swap_remove(row);
        if pivot[column].abs() < PARALLEL {
            return None;
        }
        for (row, k) in &mut rows {
            let factor = row[column] / pivot[column];
            (row.iter_mut().zip(&pivot)).for_each(|(x, p)| *x -= factor * p);
            *k -= factor * distance;
        }
    }
    let (row, k) = rows.pop()?;
    let slope = row[axis];
    if slope.abs() < PARALLEL || row[later].iter().any(|x| x.abs() > PARALLEL) {
        return None;
    }
    let before = row[..axis].iter().map(|x| -x / slope);
    Some(before.chain([k / slope]).collect())
}
