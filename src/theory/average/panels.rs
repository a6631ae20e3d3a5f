//! Averages of products of an activation with kinks by Gauss-Legendre's rule in panels that end at
//! the kinks, all tuples at once.
//!
//! A kink k of a point with the form l is a plane l . g = k. Along the last normal panels end where it
//! crosses a plane. The average over the last normals is a function of those before them which is
//! smooth but where as many planes meet in a point as normals are averaged over: there the
//! panels of the normal before end. Where they are is linear in the normals before.

use std::f64::consts::TAU;

use rayon::prelude::*;

use super::super::cubature::{Nodes, add_up};
use super::rule::Neuron;
use super::subsets::subsets;
use super::{Moment, dot, line};

/// A rule that takes one core longer is not tried.
const SECONDS: f64 = 4.0;
/// Most ends of panels along one normal.
const MAX_ENDS: usize = 3000;
/// Sines below this are those of parallel planes.
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

/// All moments of a neuron that depends on up to three normals; `None` where its kinks are too many,
/// or a rule takes too long.
pub fn moments(neuron: &Neuron) -> Option<Vec<Moment>> {
    let precision = if neuron.rank() <= 2 { 1e-12 } else { 1e-9 };
    let turned = turned(&neuron.forms);
    let panels = Panels::new(neuron, &turned)?;
    neuron.refined(precision, |level| {
        let (length, points) = *LEVELS.get(level)?;
        let is_short = neuron.seconds(panels.nodes(length, points)) < SECONDS;
        is_short.then(|| panels.sum(length, points))
    })
}

struct Panels<'a> {
    neuron: &'a Neuron<'a>,
    forms: &'a [Vec<f64>],
    radius: f64,
    /// For each normal where its panels end: coefficients of the normals before, and a constant.
    ends: Vec<Vec<Vec<f64>>>,
}

impl<'a> Panels<'a> {
    fn new(neuron: &'a Neuron, forms: &'a [Vec<f64>]) -> Option<Self> {
        let radius = neuron.radius();
        let mut planes: Vec<(Vec<f64>, f64)> = Vec::new();
        for form in forms {
            let length = dot(form, form).sqrt();
            for kink in neuron.kinks() {
                if kink.abs() < radius * length {
                    let unit = form.iter().map(|x| x / length).collect();
                    planes.push((unit, kink / length));
                }
            }
        }
        let rank = neuron.rank();
        let ends = (0..rank).map(|normal| ends(&planes, normal, rank - normal, radius));
        Some(Self {
            neuron,
            forms,
            radius,
            ends: ends.collect::<Option<_>>()?,
        })
    }

    /// About how many nodes a rule has.
    fn nodes(&self, length: f64, points: usize) -> f64 {
        let of = |ends: &Vec<Vec<f64>>| {
            let panels = 2.0 * self.radius / length;
            points as f64 * panels + 6.0 * ends.len() as f64
        };
        self.ends.iter().map(of).product()
    }

    fn sum(&self, length: f64, points: usize) -> Vec<f64> {
        let rules = line::Panels::between_kinks(length, points);
        let mut outer = Vec::new();
        self.along(&rules, &[], 0.0, &mut |x, w| outer.push((x, w)));
        // Enough tasks, and as many whatever the number of threads.
        let parts: Vec<Vec<f64>> = (outer.par_chunks(8))
            .map(|chunk| {
                let mut nodes = Nodes::new(&self.neuron.plan);
                let mut g = Vec::with_capacity(self.neuron.rank());
                for &(x, w) in chunk {
                    g.clear();
                    g.push(x);
                    self.visit(&rules, &mut g, w, x * x, &mut nodes);
                }
                nodes.take()
            })
            .collect();
        add_up(parts, self.neuron.plan.elements().len())
    }

    fn visit(&self, rules: &line::Panels, g: &mut Vec<f64>, weight: f64, r2: f64, to: &mut Nodes) {
        if g.len() == self.neuron.rank() {
            let share = self.neuron.share(r2);
            let unit = weight / TAU.sqrt().powi(g.len() as i32);
            to.push(unit, |p| share * self.neuron.at(p, dot(&self.forms[p], g)));
            return;
        }
        let mut nodes = Vec::new();
        self.along(rules, g, r2, &mut |x, w| nodes.push((x, w)));
        for (x, w) in nodes {
            g.push(x);
            self.visit(rules, g, weight * w, r2 + x * x, to);
            g.pop();
        }
    }

    /// Nodes and weights along the next normal.
    fn along(&self, rules: &line::Panels, g: &[f64], r2: f64, to: &mut dyn FnMut(f64, f64)) {
        let reach = (self.radius * self.radius - r2).max(0.0).sqrt();
        let mut ends: Vec<f64> = (self.ends[g.len()].iter())
            .map(|end| dot(&end[..g.len()], g) + end[g.len()])
            .filter(|end| end.abs() < reach)
            .collect();
        ends.extend([-reach, reach]);
        rules.across(&mut ends, to);
    }
}

/// Where along a normal `count` planes meet in a point, in terms of the normals before; none twice.
fn ends(
    planes: &[(Vec<f64>, f64)],
    normal: usize,
    count: usize,
    radius: f64,
) -> Option<Vec<Vec<f64>>> {
    let mut ends: Vec<Vec<f64>> = Vec::new();
    for chosen in subsets(planes.len(), count) {
        let rows: Vec<&(Vec<f64>, f64)> = chosen.iter().map(|&k| &planes[k]).collect();
        if let Some(end) = meeting(&rows, normal) {
            let is_new = |known: &Vec<f64>| {
                (known.iter().zip(&end)).any(|(a, b)| (a - b).abs() > 1e-13 * radius)
            };
            // Constants beyond the radius are met nowhere.
            let is_near = normal > 0 || end[0].abs() < radius;
            if is_near && ends.iter().all(is_new) {
                ends.push(end);
            }
        }
        if ends.len() > MAX_ENDS {
            return None;
        }
    }
    Some(ends)
}

/// The coordinate `normal` of the point where planes meet, one for it and each later normal: by
/// elimination of the later ones. `None` where they meet in no point.
fn meeting(planes: &[&(Vec<f64>, f64)], normal: usize) -> Option<Vec<f64>> {
    let mut rows: Vec<(Vec<f64>, f64)> = planes.iter().map(|row| (*row).clone()).collect();
    while let Some(last) = (rows.len() > 1).then(|| normal + rows.len() - 1) {
        let (at, _) = (rows.iter().enumerate())
            .max_by(|a, b| a.1.0[last].abs().total_cmp(&b.1.0[last].abs()))?;
        let (pivot, offset) = rows.swap_remove(at);
        if pivot[last].abs() < PARALLEL {
            return None;
        }
        for (row, k) in &mut rows {
            let factor = row[last] / pivot[last];
            (row.iter_mut().zip(&pivot)).for_each(|(x, p)| *x -= factor * p);
            *k -= factor * offset;
        }
    }
    let (row, k) = rows.pop()?;
    let slope = row[normal];
    if slope.abs() < PARALLEL {
        return None;
    }
    let before = row[..normal].iter().map(|x| -x / slope);
    Some(before.chain([k / slope]).collect())
}

/// The forms in turned normals: none of the planes is nearly parallel to the last one, nor do two of
/// them meet nearly across the first of three. There averages over later normals would be steep.
fn turned(forms: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let rank = forms[0].len();
    if rank == 1 {
        return forms.to_vec();
    }
    let units: Vec<Vec<f64>> = (forms.iter())
        .map(|form| (dot(form, form).sqrt(), form))
        .filter(|(length, _)| *length > 0.0)
        .map(|(length, form)| form.iter().map(|x| x / length).collect())
        .collect();
    let flattest = |turn: &[Vec<f64>]| {
        let along = |unit: &Vec<f64>, k: usize| dot(&turn[k], unit);
        let single = units.iter().map(|u| along(u, rank - 1).abs());
        let mut least = single.fold(1.0, f64::min);
        if rank == 3 {
            for (i, a) in units.iter().enumerate() {
                for b in &units[..i] {
                    let cross: Vec<f64> = (0..3)
                        .map(|k| a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3])
                        .collect();
                    let length = dot(&cross, &cross).sqrt();
                    if length > 1e-9 {
                        least = least.min(along(&cross, 0).abs() / length);
                    }
                }
            }
        }
        least
    };
    let turn = (0..256)
        .map(|k| turn(rank, k))
        .max_by(|a, b| flattest(a).total_cmp(&flattest(b)))
        .expect("there are turns");
    (forms.iter())
        .map(|form| turn.iter().map(|row| dot(row, form)).collect())
        .collect()
}

/// One of many turns in two or three dimensions, spread evenly.
fn turn(rank: usize, number: usize) -> Vec<Vec<f64>> {
    // Powers of the roots of x^2 = x + 1 and x^4 = x + 1 fill intervals and cubes evenly.
    let part = |base: f64, power: i32| (0.5 + number as f64 / base.powi(power)).fract();
    if rank == 2 {
        let (sin, cos) = (TAU * part(1.618_033_988_749_895, 1)).sin_cos();
        return vec![vec![cos, sin], vec![-sin, cos]];
    }
    let of = |power| part(1.220_744_084_605_759_6, power);
    let (near, far) = (of(1).sqrt(), (1.0 - of(1)).sqrt());
    let ((a, b), (c, d)) = ((TAU * of(2)).sin_cos(), (TAU * of(3)).sin_cos());
    // Shoemake's unit quaternion.
    let (w, x, y, z) = (near * a, near * b, far * c, far * d);
    vec![
        vec![
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - z * w),
            2.0 * (x * z + y * w),
        ],
        vec![
            2.0 * (x * y + z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - x * w),
        ],
        vec![
            2.0 * (x * z - y * w),
            2.0 * (y * z + x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ]
}
