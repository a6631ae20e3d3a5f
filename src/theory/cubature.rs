//! This module integrates a field's moments over a box around the origin by adaptive cubature.

use gauss_quad::GaussLegendre;
use rayon::prelude::*;

use crate::tensor::{MomentPlan, MomentSums, ROW, Row};

/// `Nodes` takes the nodes of a quadrature, pushed one by one, and sums products of a field's
/// components.
pub(super) struct Nodes<'a> {
    sums: MomentSums<'a>,
    field: Vec<Row>,
    weight: Row,
    lane: usize,
}

impl<'a> Nodes<'a> {
    pub fn new(plan: &'a MomentPlan) -> Self {
        Self {
            sums: MomentSums::new(plan),
            field: vec![[0.0; ROW]; plan.fields()],
            weight: [0.0; ROW],
            lane: 0,
        }
    }

    /// Adds a node with the field's value at each point.
    pub fn push(&mut self, weight: f64, value: impl Fn(usize) -> f64) {
        for (p, lanes) in self.field.iter_mut().enumerate() {
            lanes[self.lane] = value(p);
        }
        self.weight[self.lane] = weight;
        self.lane += 1;
        if self.lane == ROW {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.weight[self.lane..].fill(0.0);
        self.sums.add_weighted(&self.field, &self.weight);
        self.lane = 0;
    }

    pub fn take(mut self) -> Vec<f64> {
        self.flush();
        self.sums.take()
    }
}

/// Adds up sums in order, which gives the same bits for any number of threads.
pub(super) fn add_up(parts: impl IntoIterator<Item = Vec<f64>>, elements: usize) -> Vec<f64> {
    let mut sum = vec![0.0; elements];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(s, x)| *s += x);
    }
    sum
}

/// Returns the nodes and weights of Gauss-Legendre on [-1, 1].
pub(super) fn legendre(points: usize) -> Vec<(f64, f64)> {
    let points = points.try_into().expect("at least one point");
    GaussLegendre::new(points).iter().copied().collect()
}

/// An integrand says what is integrated: products of the components of a field k(x_p, y).
pub(super) struct Integrand<'a> {
    /// Orders of the products.
    pub plan: &'a MomentPlan,
    /// Products of order 4, which are weighted by |y|^2.
    pub quadratic: &'a MomentPlan,
    /// Dimension of y.
    pub d_in: usize,
    /// The field k(x_p, y) of all points p, at one y, and bounds of its errors.
    pub field: &'a Fields<'a>,
    /// Whether the field is homogeneous in y: then the rule is exact along a ray.
    pub homogeneous: bool,
    /// Points where, and whose directions where, the field may not be smooth.
    pub marks: &'a [Vec<f64>],
    /// Distance from the origin within which the field has no finer structure.
    pub scale: f64,
    /// Tolerance relative to the integral so far, at which bisection ends.
    pub tolerance: f64,
}

/// `BoxIntegrals` holds the integrals over the box [-L, L]^d.
#[derive(Debug, Clone)]
pub(super) struct BoxIntegrals {
    /// Integrals of the plan's elements.
    pub moments: Vec<f64>,
    /// Derivatives d / d log L of the moments.
    pub derivatives: Vec<f64>,
    /// Integrals of the elements of the quadratic plan.
    pub quadratic: Vec<f64>,
    /// Estimated error of each moment: the cubature's and the field's.
    pub errors: Vec<f64>,
    /// Bound of what the field's errors make of each derivative.
    pub derivative_errors: Vec<f64>,
}

/// A cell is one face of the cube, seen from the origin: y = r e with e = +-1 along `axis`, and a
/// range for r and each other component of e.
#[derive(Debug, Clone)]
struct Cell {
    axis: usize,
    sign: f64,
    /// Range of r; `None` on the surface r = L.
    radius: Option<(f64, f64)>,
    angles: Vec<(f64, f64)>,
}

/// `Sums` holds moments and quadratic moments side by side, then of each order and point the integral of
/// that power of the field's error.
type Sums = Vec<f64>;
/// Fills in the field of all points at one y, and bounds of its errors.
type Fields<'a> = dyn Fn(&[f64], &mut [f64], &mut [f64]) + Sync + 'a;
/// Takes field values of a node, their errors, its weight, and |y|^2.
type Visit<'a> = dyn FnMut(&[f64], &[f64], f64, f64) + 'a;

/// The deepest bisection of a cell.
const MAX_DEPTH: usize = 14;
/// The largest number of cells of one radial panel that are bisected.
const MAX_CELLS: usize = 4000;

impl Integrand<'_> {
    fn elements(&self) -> usize {
        let of_errors = self.plan.orders().len() * self.plan.fields();
        self.products() + of_errors
    }

    fn products(&self) -> usize {
        self.plan.elements().len() + self.quadratic.elements().len()
    }

    /// Computes the integrals over the boxes of all (finite, ascending) cutoffs. In the coordinates
    /// (r, e) boxes are nested shells, so that the largest one costs as much as all.
    pub fn boxes(&self, cutoffs: &[f64]) -> Vec<BoxIntegrals> {
        let rules = match self.d_in {
            1 => [legendre(12), legendre(16)],
            2 => [legendre(8), legendre(12)],
            _ => [legendre(6), legendre(9)],
        };
        let mut total = vec![0.0; self.elements()];
        let mut errors = vec![0.0; self.plan.elements().len()];
        let mut results = Vec::new();
        let mut inner = 0.0;
        for &cutoff in cutoffs {
            for (a, b) in self.radial_panels(inner, cutoff) {
                let cells = self.cells(Some((a, b)));
                let (sum, error) = self.integrate(cells, (0.0, 1.0), &rules, &total);
                total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
                errors.iter_mut().zip(error).for_each(|(t, e)| *t += e);
            }
            inner = cutoff;
            // d/d log L is L times the integral over the surface.
            let at = (cutoff, cutoff.powi(self.d_in as i32));
            let (surface, _) = self.integrate(self.cells(None), at, &rules, &total);
            let count = self.plan.elements().len();
            let of_field = self.errors_of_field(&total);
            results.push(BoxIntegrals {
                moments: total[..count].to_vec(),
                quadratic: total[count..self.products()].to_vec(),
                errors: errors.iter().zip(of_field).map(|(a, b)| a + b).collect(),
                derivative_errors: self.errors_of_field(&surface),
                derivatives: surface[..count].to_vec(),
            });
        }
        results
    }

    /// Lists the panels of a ray between two radii: they are geometric beyond the scale, and end at
    /// the marks.
    fn radial_panels(&self, from: f64, to: f64) -> Vec<(f64, f64)> {
        let mut ends = vec![from, to];
        if !self.homogeneous {
            let mut r = self.scale;
            while r < to {
                ends.push(r);
                r *= 2.0;
            }
            ends.extend(self.marks.iter().map(|x| largest(x)));
        }
        ends.retain(|r| (from..=to).contains(r));
        ends.sort_unstable_by(f64::total_cmp);
        (ends.windows(2))
            .map(|w| (w[0], w[1]))
            .filter(|(a, b)| b - a > 1e-12 * b)
            .collect()
    }

    /// Lists the cells of all faces, cut where a mark's ray or its opposite crosses them.
    fn cells(&self, radius: Option<(f64, f64)>) -> Vec<Cell> {
        let mut cells = Vec::new();
        for axis in 0..self.d_in {
            for sign in [-1.0, 1.0] {
                let others: Vec<usize> = (0..self.d_in).filter(|&c| c != axis).collect();
                let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
                for &c in &others {
                    let mut ends = vec![-1.0, 0.0, 1.0];
                    // The ray and its opposite cross opposite faces at the same ratio.
                    let crossings = (self.marks.iter())
                        .filter(|x| x[axis] != 0.0)
                        .map(|x| sign * x[c] / x[axis]);
                    ends.extend(crossings.filter(|u| u.abs() < 1.0));
                    ends.sort_unstable_by(f64::total_cmp);
                    ends.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
                    pieces = (pieces.iter())
                        .flat_map(|p| {
                            ends.windows(2)
                                .map(|w| [&p[..], &[(w[0], w[1])]].concat())
                                .collect::<Vec<_>>()
                        })
                        .collect();
                }
                cells.extend(pieces.into_iter().map(|angles| Cell {
                    axis,
                    sign,
                    radius,
                    angles,
                }));
            }
        }
        cells
    }

    /// Sums over cells, bisecting those whose two rules differ by more than the tolerance.
    /// `surface` is the radius and factor of cells that have no range of radii.
    fn integrate(
        &self,
        mut cells: Vec<Cell>,
        surface: (f64, f64),
        rules: &[Vec<(f64, f64)>; 2],
        inside: &Sums,
    ) -> (Sums, Vec<f64>) {
        let moments = self.plan.elements().len();
        let mut sum = vec![0.0; self.elements()];
        let mut error = vec![0.0; moments];
        let mut bisected = 0;
        for depth in 0..=MAX_DEPTH {
            let results: Vec<(Sums, Sums)> = (cells.par_iter())
                .map(|cell| {
                    let of = |rule| self.rule(cell, surface, rule);
                    (of(&rules[0]), of(&rules[1]))
                })
                .collect();
            // What the errors are measured against: everything so far.
            let so_far = add_up(
                (results.iter().map(|(_, fine)| fine.clone())).chain([sum.clone(), inside.clone()]),
                self.elements(),
            );
            let sizes = self.sizes(&so_far);
            let mut open = Vec::new();
            for (cell, (coarse, fine)) in cells.iter().zip(&results) {
                let differences = || (0..moments).map(|e| (fine[e] - coarse[e]).abs());
                let excess = differences()
                    .zip(&sizes)
                    .any(|(d, size)| d > self.tolerance * size);
                if excess && depth < MAX_DEPTH && bisected < MAX_CELLS {
                    bisected += 1;
                    open.extend(cell.bisect(self.homogeneous));
                } else {
                    sum.iter_mut().zip(fine).for_each(|(s, x)| *s += x);
                    error
                        .iter_mut()
                        .zip(differences())
                        .for_each(|(e, d)| *e += d);
                }
            }
            if open.is_empty() {
                break;
            }
            cells = open;
        }
        (sum, error)
    }

    /// Returns roots of the integrals of pure powers, `[order][point]`: products of them bound integrals
    /// of |products| (Hoelder).
    fn roots(&self, sums: &Sums) -> Vec<Vec<f64>> {
        (self.plan.orders().iter())
            .map(|(n, range)| {
                let mut powers = vec![0.0; self.plan.fields()];
                for e in range.clone() {
                    let index = &self.plan.indices()[e];
                    if index[0] == index[n - 1] {
                        powers[index[0]] = sums[e].abs().powf(1.0 / *n as f64);
                    }
                }
                powers
            })
            .collect()
    }

    /// Returns an upper bound of the integral of each |product|.
    fn sizes(&self, sums: &Sums) -> Vec<f64> {
        (self.plan.orders().iter().zip(self.roots(sums)))
            .flat_map(|((_, range), roots)| {
                let of = move |e: usize| -> f64 {
                    let index = self.plan.indices()[e].iter();
                    index.map(|&i| roots[i]).product()
                };
                range.clone().map(of)
            })
            .collect()
    }

    /// Returns an upper bound of what the field's errors make of each product, to their first order: one
    /// factor after the other is replaced by its error.
    fn errors_of_field(&self, sums: &Sums) -> Vec<f64> {
        let points = self.plan.fields();
        let of_errors = sums[self.products()..].chunks(points.max(1));
        (self
            .plan
            .orders()
            .iter()
            .zip(self.roots(sums))
            .zip(of_errors))
        .flat_map(|(((n, range), roots), powers)| {
            let errors: Vec<f64> = powers
                .iter()
                .map(|power| power.powf(1.0 / *n as f64))
                .collect();
            let of = move |e: usize| {
                let index = &self.plan.indices()[e];
                let replaced = |k: usize| {
                    let others = (0..*n).filter(|&j| j != k).map(|j| roots[index[j]]);
                    errors[index[k]] * others.product::<f64>()
                };
                (0..*n).map(replaced).sum()
            };
            range.clone().map(of)
        })
        .collect()
    }

    fn rule(&self, cell: &Cell, surface: (f64, f64), rule: &[(f64, f64)]) -> Sums {
        let mut moments = Nodes::new(self.plan);
        let mut quadratic = Nodes::new(self.quadratic);
        let points = self.plan.fields();
        let mut of_errors = vec![0.0; self.plan.orders().len() * points];
        self.visit(
            cell,
            surface,
            rule,
            &mut |values, errors, weight, square| {
                moments.push(weight, |p| values[p]);
                if cell.radius.is_some() {
                    quadratic.push(weight * square, |p| values[p]);
                }
                for (o, (n, _)) in self.plan.orders().iter().enumerate() {
                    let sums = &mut of_errors[o * points..(o + 1) * points];
                    (sums.iter_mut().zip(errors))
                        .for_each(|(s, e)| *s += weight * e.powi(*n as i32));
                }
            },
        );
        let mut sums = moments.take();
        sums.extend(quadratic.take());
        sums.extend(of_errors);
        sums
    }

    /// Returns the number of [`nodes`](Self::nodes).
    pub fn node_count(&self, cutoff: f64, rule: usize) -> usize {
        let panels = self.radial_panels(0.0, cutoff).len();
        panels * self.cells(None).len() * rule.pow(self.d_in as u32)
    }

    /// Returns the nodes of a fixed rule over the box, `rule` per side of a cell: field values,
    /// `[node][point]`, and weights.
    pub fn nodes(&self, cutoff: f64, rule: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
        let rule = legendre(rule);
        let (mut fields, mut weights) = (Vec::new(), Vec::new());
        for panel in self.radial_panels(0.0, cutoff) {
            for cell in self.cells(Some(panel)) {
                self.visit(&cell, (0.0, 1.0), &rule, &mut |values, _, weight, _| {
                    fields.push(values.to_vec());
                    weights.push(weight);
                });
            }
        }
        (fields, weights)
    }

    /// Visits the nodes of a cell: field values, their errors, weight, |y|^2.
    fn visit(&self, cell: &Cell, surface: (f64, f64), rule: &[(f64, f64)], visit: &mut Visit) {
        let radii: Vec<(f64, f64)> = match cell.radius {
            None => vec![surface],
            Some(range) => on(range, rule)
                .map(|(r, w)| (r, w * r.powi(self.d_in as i32 - 1)))
                .collect(),
        };
        let mut angles: Vec<(Vec<f64>, f64)> = vec![(Vec::new(), 1.0)];
        for &range in &cell.angles {
            angles = (angles.iter())
                .flat_map(|(u, w)| {
                    on(range, rule)
                        .map(|(v, wv)| ([&u[..], &[v]].concat(), w * wv))
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        let mut y = vec![0.0; self.d_in];
        let mut values = vec![0.0; self.plan.fields()];
        let mut errors = values.clone();
        for (u, wu) in &angles {
            for &(r, wr) in &radii {
                let mut others = u.iter();
                for (c, y) in y.iter_mut().enumerate() {
                    *y = match c == cell.axis {
                        true => cell.sign * r,
                        false => r * others.next().expect("one per other axis"),
                    };
                }
                (self.field)(&y, &mut values, &mut errors);
                visit(&values, &errors, wu * wr, y.iter().map(|y| y * y).sum());
            }
        }
    }
}

impl Cell {
    /// Halves a cell in every direction; along the ray only if that helps.
    fn bisect(&self, homogeneous: bool) -> Vec<Cell> {
        let halves = |(a, b): (f64, f64)| {
            let middle = 0.5 * (a + b);
            [(a, middle), (middle, b)]
        };
        let mut all = vec![self.clone()];
        if let (Some(range), false) = (self.radius, homogeneous) {
            all = halves(range)
                .into_iter()
                .map(|radius| Cell {
                    radius: Some(radius),
                    ..self.clone()
                })
                .collect();
        }
        for k in 0..self.angles.len() {
            all = (all.iter())
                .flat_map(|cell| {
                    halves(self.angles[k]).map(|half| {
                        let mut cell = cell.clone();
                        cell.angles[k] = half;
                        cell
                    })
                })
                .collect();
        }
        all
    }
}

/// Moves a rule to an interval.
fn on((a, b): (f64, f64), rule: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let half = 0.5 * (b - a);
    rule.iter()
        .map(move |(x, w)| (a + half * (1.0 + x), half * w))
}

fn largest(x: &[f64]) -> f64 {
    x.iter().map(|x| x.abs()).fold(0.0, f64::max)
}
