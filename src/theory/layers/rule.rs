//! Rules for averages over the normals of a frame: nodes, their weights, and the activation at each point.

use std::f64::consts::TAU;

use gauss_quad::GaussHermite;

use super::super::average::line::{Panels, graded};
use super::super::average::rule::radius_to;
use super::super::average::{dot, rank_one};
use super::frame::Frame;
use crate::model::Activation;
use crate::model::activation::Parity;

/// Takes the normals of a node, its weight, and the activation at each point.
type Sink<'a> = dyn FnMut(&[f64], f64, &[f64]) + 'a;

/// Which of two rules: the error of the finer one is estimated from its distance to the coarser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Coarse,
    Fine,
}

/// `Rule` averages products of an even number of values over a frame's normals.
pub struct Rule<'a> {
    activation: &'a Activation,
    frame: &'a Frame,
    variances: Vec<f64>,
    /// How many of the first normals a point's pre-activation depends on.
    depends: Vec<usize>,
    kind: Kind,
}

enum Kind {
    /// A product of rules, one for each normal: the trapezoidal rule, which converges exponentially for
    /// analytic functions, or Gauss-Hermite's where a normal adds so little that few nodes do.
    Product {
        axes: Vec<Axis>,
        radius: f64,
        /// Whether products are the same at -g.
        is_half: bool,
    },
    /// Gauss-Legendre's rule in panels that end at kinks, for up to two normals.
    Panels {
        length: f64,
        parts: f64,
        radius: f64,
    },
    /// A rank-1 rule with so many shifts from the first on.
    Lattice { first: u64 },
}

struct Axis {
    nodes: Vec<(f64, f64)>,
    is_trapezoidal: bool,
}

/// Shifts of a rank-1 rule.
const SHIFTS: u64 = 4;
/// Parts that a rank-1 rule is cut into.
const PARTS: u64 = 16;
/// The step of the coarser trapezoidal rule, in units of that of the finer one.
const COARSER: f64 = 1.3;

/// What one normal's rule has to resolve.
#[derive(Debug, Clone, Copy)]
pub struct Resolution {
    /// Step of the trapezoidal rule along one normal of the size `of`.
    step: f64,
    of: f64,
    order: usize,
    /// Logarithm of the precision.
    decades: f64,
}

impl Resolution {
    /// Measures which step along one normal of the size `of` is fine enough for products of `order` values: the
    /// rule and the same moved by half a step agree.
    pub fn new(activation: &Activation, of: f64, order: usize, precision: f64) -> Self {
        let decades = precision.ln();
        let reach = radius_to(decades - 2.0, activation.growth(), order, of, 3);
        let variance = of * of;
        let sum = |step: f64, moved: f64| -> f64 {
            let count = (reach / step).ceil() as i64;
            (-count..=count)
                .map(|k| {
                    let g = (k as f64 + moved) * step;
                    let h = activation.evaluate(of * g, variance);
                    let share = (-0.5 * g * g / order as f64).exp();
                    (share * h).powi(order as i32) * (1.0 + g.powi(4) / 3.0)
                })
                .sum::<f64>()
                * step
        };
        let mut step = 1.25;
        while step > 4e-3 {
            let [a, b] = [0.0, 0.5].map(|moved| sum(step, moved));
            if (a - b).abs() <= precision * (a.abs() + b.abs()) {
                break;
            }
            step *= 0.87;
        }
        Self {
            step,
            of,
            order,
            decades,
        }
    }

    /// Whether it is for a better precision than another.
    pub fn is_finer(&self, other: &Self) -> bool {
        self.decades < other.decades
    }

    /// The rule along a normal of a size.
    fn axis(&self, size: f64, radius: f64, effort: Effort) -> Axis {
        let gaussian = 0.9 * std::f64::consts::PI * (2.0 / -self.decades).sqrt();
        // What the activation adds to the gaussian's growth along the imaginary axis goes with the square of the size,
        // for entire functions exactly; for others singularities are closer than that.
        let [most, at_largest] = [gaussian.max(self.step), self.step].map(|step| step.powi(-2));
        let step = (most.min(at_largest) + (size / self.of).powi(2) * (at_largest - most).max(0.0))
            .sqrt()
            .recip();
        let step = match effort {
            Effort::Fine => step,
            Effort::Coarse => COARSER * step,
        };
        let count = (radius / step).floor() as i64;
        // The distance of the nearest singularity, from the step that it allows; entire functions have none, and less
        // than that at high degrees.
        let distance = 0.7 * self.step * self.of * -self.decades / TAU;
        let ratio = 2.0 * (size / distance).ln();
        let few = (2..=count.min(16)).find(|&n| {
            let n = n as f64;
            // Singularities of each factor, and a polynomial of degree four.
            let poles = 0.5 * (self.order + 4) as f64 * (2.0 * n + 1.0).ln();
            n * ratio + libm::lgamma(n + 1.0) + poles <= self.decades
        });
        match few {
            Some(n) => {
                let n = if effort == Effort::Fine { n } else { n - 1 };
                Axis {
                    nodes: hermite(n as usize),
                    is_trapezoidal: false,
                }
            }
            None => Axis {
                nodes: (-count..=count)
                    .map(|k| {
                        let g = k as f64 * step;
                        (g, step / TAU.sqrt() * (-0.5 * g * g).exp())
                    })
                    .collect(),
                is_trapezoidal: true,
            },
        }
    }
}

/// Nodes and weights of Gauss-Hermite's rule for a standard normal.
fn hermite(points: usize) -> Vec<(f64, f64)> {
    let rule = GaussHermite::new(points.try_into().expect("at least one point"));
    let unit = TAU.sqrt() / std::f64::consts::SQRT_2;
    (rule.iter())
        .map(|&(x, w)| (std::f64::consts::SQRT_2 * x, w / unit))
        .collect()
}

impl<'a> Rule<'a> {
    /// The rule for products of the order that the resolution was measured for; without one, the rule for
    /// activations with kinks.
    pub fn new(
        activation: &'a Activation,
        frame: &'a Frame,
        resolution: Option<Resolution>,
        effort: Effort,
    ) -> Self {
        let variances: Vec<f64> = frame.rows.iter().map(|row| dot(row, row)).collect();
        let largest = variances.iter().copied().fold(0.0, f64::max).sqrt();
        let rank = frame.rank();
        // With polynomials of degree four.
        let radius = |left_out: f64, order: usize| {
            radius_to(left_out, activation.growth(), order, largest, rank + 4)
        };
        let is_fine = effort == Effort::Fine;
        let kind = match resolution {
            Some(resolution) => {
                let radius = radius(resolution.decades, resolution.order);
                let sizes = frame.sizes();
                Kind::Product {
                    axes: (sizes.iter())
                        .map(|&size| resolution.axis(size, radius, effort))
                        .collect(),
                    radius,
                    is_half: activation.parity() != Parity::Neither,
                }
            }
            None if rank <= 2 => Kind::Panels {
                length: if is_fine { 0.375 } else { 0.75 },
                parts: if is_fine { 2.0 } else { 1.0 },
                radius: radius(-37.0, 6) + 1.0,
            },
            None => Kind::Lattice {
                first: if is_fine { 0 } else { SHIFTS },
            },
        };
        Self {
            activation,
            depends: (frame.rows.iter())
                .map(|row| row.iter().rposition(|x| *x != 0.0).map_or(0, |k| k + 1))
                .collect(),
            frame,
            variances,
            kind,
        }
    }

    /// A rank-1 rule, whatever the activation.
    pub fn lattice(activation: &'a Activation, frame: &'a Frame, effort: Effort) -> Self {
        Self {
            kind: Kind::Lattice {
                first: if effort == Effort::Fine { 0 } else { SHIFTS },
            },
            ..Self::new(activation, frame, None, effort)
        }
    }

    /// About how many nodes the rule has.
    pub fn nodes(&self) -> f64 {
        match &self.kind {
            Kind::Product { axes, is_half, .. } => {
                let all: f64 = axes.iter().map(|axis| axis.nodes.len() as f64).product();
                // Of the cube that trapezoidal rules fill, the nodes in a ball are visited.
                let long = axes.iter().filter(|axis| axis.is_trapezoidal).count() as f64;
                let ball = std::f64::consts::PI.powf(long / 2.0)
                    / (libm::tgamma(long / 2.0 + 1.0) * 2f64.powf(long));
                let half = if *is_half { 0.5 } else { 1.0 };
                all * ball * half
            }
            Kind::Panels { .. } => 1e4,
            Kind::Lattice { .. } => (SHIFTS * rank_one::NODES) as f64,
        }
    }

    /// How many parts the rule has, which may be visited in any order.
    pub fn parts(&self) -> usize {
        match &self.kind {
            Kind::Product { axes, .. } => axes.first().map_or(1, |axis| axis.nodes.len()),
            Kind::Panels { .. } => 1,
            Kind::Lattice { .. } => PARTS as usize,
        }
    }

    /// Visits the nodes of a part: the normals, the weight, and the activation at each point.
    pub fn visit(&self, part: usize, sink: &mut Sink) {
        let mut g = vec![0.0; self.frame.rank()];
        let mut h: Vec<f64> = (0..self.variances.len()).map(|p| self.at(p, 0.0)).collect();
        match &self.kind {
            Kind::Product { axes, .. } if axes.is_empty() => sink(&g, 1.0, &h),
            Kind::Product {
                axes,
                radius,
                is_half,
            } => {
                let (first, mut weight) = axes[0].nodes[part];
                if *is_half && first < 0.0 {
                    return;
                }
                if *is_half && first > 0.0 {
                    weight *= 2.0;
                }
                let mut walk = Walk {
                    rule: self,
                    axes,
                    square: radius * radius,
                    partial: vec![vec![0.0; h.len()]; axes.len() + 1],
                };
                walk.step(0, (first, weight), (1.0, 0.0), &mut g, &mut h, sink);
            }
            Kind::Panels {
                length,
                parts,
                radius,
            } => self.in_panels(
                &Panels::new(*length, 14),
                *parts,
                *radius,
                &mut g,
                &mut h,
                sink,
            ),
            Kind::Lattice { first } => {
                let nodes = rank_one::NODES;
                let range = (part as u64 * nodes / PARTS)..((part as u64 + 1) * nodes / PARTS);
                for shift in *first..first + SHIFTS {
                    rank_one::visit(g.len(), shift, range.clone(), &mut |t| {
                        let mut weight = 1.0 / (nodes * SHIFTS) as f64;
                        for (g, t) in g.iter_mut().zip(t) {
                            *g = (t / (1.0 - t)).ln();
                            weight *= (-0.5 * *g * *g).exp() / (TAU.sqrt() * t * (1.0 - t));
                        }
                        if weight.is_finite() && weight > 0.0 {
                            self.fill(&g, &mut h);
                            sink(&g, weight, &h);
                        }
                    });
                }
            }
        }
    }

    fn at(&self, point: usize, z: f64) -> f64 {
        self.activation.evaluate(z, self.variances[point])
    }

    fn fill(&self, g: &[f64], h: &mut [f64]) {
        for (p, h) in h.iter_mut().enumerate() {
            *h = self.at(p, dot(&self.frame.rows[p], g));
        }
    }

    fn in_panels(
        &self,
        panels: &Panels,
        parts: f64,
        radius: f64,
        g: &mut [f64],
        h: &mut [f64],
        sink: &mut Sink,
    ) {
        let rows = &self.frame.rows;
        let kinks = self.activation.kinks();
        if g.is_empty() {
            return sink(g, 1.0, h);
        }
        let mut outer = vec![-radius, radius];
        let along = |p: usize| rows[p].get(1).copied().unwrap_or(0.0).abs();
        for (p, row) in rows.iter().enumerate() {
            let (size, across) = (row[0].abs(), along(p));
            if size == 0.0 {
                continue;
            }
            if across == 0.0 {
                outer.extend(graded(kinks, row[0], 0.0, radius, parts));
                continue;
            }
            // The average over the other normal bends where the mean is near a kink, on the scale of its spread.
            for kink in kinks.iter().chain([&0.0]) {
                let (centre, spread) = (kink / row[0], (across / size).clamp(1e-12, 1.0));
                let mut away = 0.25 * spread;
                outer.push(centre);
                while away < 2.0 {
                    outer.extend([centre - away, centre + away]);
                    away *= 1.0 + 1.0 / parts;
                }
            }
            // Where the kinks of two points meet.
            for other in rows[..p].iter() {
                let area = row[0] * other[1] - row[1] * other[0];
                if area.abs() > 1e-12 * size * (other[0].abs() + other[1].abs()) {
                    for a in kinks {
                        outer.extend(kinks.iter().map(|b| (a * other[1] - b * row[1]) / area));
                    }
                }
            }
        }
        outer.retain(|end| end.abs() <= radius);
        let mut nodes = Vec::new();
        panels.across(&mut outer, &mut |x, w| nodes.push((x, w)));
        let mut inner = Vec::new();
        for (x, w) in nodes {
            g[0] = x;
            let weight = w / TAU.sqrt() * (-0.5 * x * x).exp();
            if g.len() == 1 {
                self.fill(g, h);
                sink(g, weight, h);
                continue;
            }
            let rest = (radius * radius - x * x).max(0.0).sqrt();
            inner.clear();
            inner.extend([-rest, rest]);
            for row in rows.iter().filter(|row| row[1] != 0.0) {
                let sign = row[1].signum();
                // Panels are for a positive scale.
                let ends = graded(kinks, row[1].abs(), row[0] * x, rest, parts);
                inner.extend(ends.iter().map(|end| sign * end));
            }
            panels.across(&mut inner, &mut |y, v| {
                g[1] = y;
                self.fill(g, h);
                sink(g, weight * v / TAU.sqrt() * (-0.5 * y * y).exp(), h);
            });
        }
    }
}

/// The way through a product of rules: a point's value is computed where its last normal is known.
struct Walk<'a, 'b> {
    rule: &'b Rule<'a>,
    axes: &'b [Axis],
    square: f64,
    /// Pre-activations from the first normals, `[normals][point]`.
    partial: Vec<Vec<f64>>,
}

impl Walk<'_, '_> {
    fn step(
        &mut self,
        k: usize,
        (x, w): (f64, f64),
        (weight, square): (f64, f64),
        g: &mut [f64],
        h: &mut [f64],
        sink: &mut Sink,
    ) {
        let square = match self.axes[k].is_trapezoidal {
            true => square + x * x,
            false => square,
        };
        if square > self.square {
            return;
        }
        g[k] = x;
        let is_last = k + 1 == self.axes.len();
        let (before, after) = self.partial.split_at_mut(k + 1);
        for (p, row) in self.rule.frame.rows.iter().enumerate() {
            let z = before[k][p] + row[k] * x;
            after[0][p] = z;
            if self.rule.depends[p] == k + 1 {
                h[p] = self.rule.at(p, z);
            }
        }
        let weight = weight * w;
        if is_last {
            return sink(g, weight, h);
        }
        let axes = self.axes;
        for &node in &axes[k + 1].nodes {
            self.step(k + 1, node, (weight, square), g, h, sink);
        }
    }
}

/// Whether an activation has averages by a product of rules: one without kinks.
pub fn is_smooth(activation: &Activation) -> bool {
    activation.kinks().is_empty()
}
