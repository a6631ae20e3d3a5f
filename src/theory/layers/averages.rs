//! Averages over one hidden unit that first-order theory is made of, for all pairs, quadruples and sextuples of
//! points.

use rayon::prelude::*;

use super::super::average::Moment;
use super::super::average::cone::relu_moment;
use super::super::average::exponential::Exponentials;
use super::super::average::general::{CANCELLED, sizes};
use super::super::cubature::{Nodes, add_up};
use super::super::kernel::homogeneous::{Correlated, Homogeneous};
use super::frame::Frame;
use super::rule::{Effort, Resolution, Rule, is_smooth};
use crate::model::Activation;
use crate::tensor::{MomentPlan, multisets};

/// Products of h at two points, weighted by polynomials of the pair's normals.
#[derive(Debug, Clone)]
pub struct PairAverage {
    pub frame: Frame,
    /// E[h h (g_i g_j - delta_ij)].
    pub second: [[f64; 2]; 2],
    /// E[h h He_(4 - m)(g_0) He_m(g_1)].
    pub fourth: [f64; 5],
}

/// How fourth moments of some points change with the covariance.
#[derive(Debug, Clone)]
pub struct Slopes {
    pub frame: Frame,
    /// Numbers among the multisets of four, each with E[h h h h (g_i g_j - delta_ij)], `[i][j]` in a row.
    pub of: Vec<(usize, Vec<f64>)>,
}

/// Fourth moments of one layer, and how they change.
#[derive(Debug, Clone, Default)]
pub struct Fourth {
    /// Of every multiset of four points.
    pub values: Vec<f64>,
    /// Empty where nobody asked.
    pub slopes: Vec<Slopes>,
}

/// Precisions of rules that are tried, the best one first.
const PRECISIONS: [f64; 8] = [1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6];
/// Nodes of a rule for all pairs, and for all quadruples, that are worth more precision.
const FEW: f64 = 4e4;
/// Nodes beyond which a rank-1 rule takes less time than a product of rules.
const MANY: f64 = 2e6;
/// Most groups of four points that a rule each is made for.
const GROUPS: usize = 500;

/// The averages of an activation.
pub struct Unit<'a> {
    activation: &'a Activation,
    homogeneous: Option<Homogeneous>,
    exponentials: Option<Exponentials>,
}

/// Coarse and fine.
pub type Both<T> = [T; 2];
const EFFORTS: Both<Effort> = [Effort::Coarse, Effort::Fine];

impl<'a> Unit<'a> {
    pub fn new(activation: &'a Activation) -> Self {
        Self {
            activation,
            homogeneous: Homogeneous::of(activation),
            exponentials: Exponentials::of(activation.tape()),
        }
    }

    /// The averages of all pairs of points, in ascending order.
    pub fn pairs(&self, kernel: &[Vec<f64>]) -> Both<Vec<PairAverage>> {
        let pairs = multisets(kernel.len(), 2);
        let frames = (pairs.iter()).map(|pair| {
            let distinct = if pair[0] == pair[1] { &pair[..1] } else { pair };
            Frame::new(distinct, kernel)
        });
        let frames: Vec<Frame> = frames.collect();
        if let Some(homogeneous) = self.homogeneous {
            let of = |frame: &Frame| homogeneous_pair(homogeneous, kernel, frame.clone());
            let all: Vec<PairAverage> = frames.iter().map(of).collect();
            return [all.clone(), all];
        }
        let resolution = is_smooth(self.activation).then(|| self.resolution(&frames, 2, FEW).0);
        EFFORTS.map(|effort| {
            (frames.par_iter())
                .map(|frame| {
                    let rule = Rule::new(self.activation, frame, resolution, effort);
                    pair(&rule, frame.clone())
                })
                .collect()
        })
    }

    /// The best precision whose rules for some frames have few nodes, and how many they have.
    fn resolution(&self, frames: &[Frame], order: usize, few: f64) -> (Resolution, f64) {
        let largest = (frames.iter().flat_map(|frame| &frame.rows))
            .map(|row| row.iter().map(|x| x * x).sum::<f64>())
            .fold(0.0, f64::max)
            .sqrt();
        let mut last = None;
        for precision in PRECISIONS {
            let resolution = Resolution::new(self.activation, largest, order, precision);
            let nodes = |frame: &Frame| {
                Rule::new(self.activation, frame, Some(resolution), Effort::Fine).nodes()
            };
            let nodes = frames.iter().map(nodes).sum::<f64>();
            last = Some((resolution, nodes));
            if nodes <= few {
                break;
            }
        }
        last.expect("precisions are tried")
    }

    /// Moments of all multisets of four points, and how they change with the covariance if `with_slopes`.
    pub fn fourth(&self, kernel: &[Vec<f64>], with_slopes: bool) -> Both<Fourth> {
        let all: Vec<usize> = (0..kernel.len()).collect();
        if let Some(homogeneous) = self.homogeneous {
            let fourth = homogeneous_fourth(homogeneous, kernel, with_slopes);
            return [fourth.clone(), fourth];
        }
        if !with_slopes && let Some(values) = self.closed(kernel, 4) {
            let slopes = Vec::new();
            let fourth = Fourth { values, slopes };
            return [fourth.clone(), fourth];
        }
        let whole = vec![Frame::new(&all, kernel)];
        let subsets = subsets(kernel.len(), 4);
        let mut lattice = false;
        let (frames, resolution) = if is_smooth(self.activation) {
            let (of_whole, nodes) = self.resolution(&whole, 4, FEW);
            let mut best = (whole, of_whole, nodes);
            if nodes > FEW && kernel.len() > 4 && subsets.len() <= GROUPS {
                let few: Vec<Frame> = subsets.iter().map(|s| Frame::new(s, kernel)).collect();
                let (of_few, nodes) = self.resolution(&few, 4, 2.0 * FEW);
                if of_few.is_finer(&best.1) || nodes < best.2 {
                    best = (few, of_few, nodes);
                }
            }
            lattice = best.2 > MANY;
            match lattice {
                true => (vec![Frame::new(&all, kernel)], None),
                false => (best.0, Some(best.1)),
            }
        } else if whole[0].rank() <= 2 || kernel.len() <= 4 {
            (whole, None)
        } else {
            lattice = true;
            (whole, None)
        };
        EFFORTS.map(|effort| {
            let mut known = vec![false; multisets(kernel.len(), 4).len()];
            let mut fourth = Fourth {
                values: vec![0.0; known.len()],
                slopes: Vec::new(),
            };
            let groups: Vec<(Vec<f64>, Vec<Vec<f64>>)> = (frames.par_iter())
                .map(|frame| {
                    let rule = match lattice {
                        true => Rule::lattice(self.activation, frame, effort),
                        false => Rule::new(self.activation, frame, resolution, effort),
                    };
                    products(&rule, frame, 4, with_slopes)
                })
                .collect();
            let numbers = multisets(kernel.len(), 4);
            for (frame, (values, slopes)) in frames.iter().zip(groups) {
                let mut of: Vec<(usize, Vec<f64>)> = Vec::new();
                for (k, local) in multisets(frame.points().len(), 4).iter().enumerate() {
                    let tuple: Vec<usize> = local.iter().map(|&p| frame.points()[p]).collect();
                    let number = numbers
                        .binary_search(&tuple)
                        .expect("all multisets are there");
                    if !std::mem::replace(&mut known[number], true) {
                        fourth.values[number] = values[k];
                        of.push((number, slopes.iter().map(|s| s[k]).collect()));
                    }
                }
                if with_slopes {
                    let rank = frame.rank();
                    of.iter_mut().for_each(|(_, row)| *row = square(row, rank));
                    let frame = frame.clone();
                    fourth.slopes.push(Slopes { frame, of });
                }
            }
            fourth
        })
    }

    /// Moments of all multisets of six points.
    pub fn sixth(&self, kernel: &[Vec<f64>]) -> Both<Vec<f64>> {
        if let Some(homogeneous) = self.homogeneous {
            let of = |tuple: &Vec<usize>| {
                let frame = Frame::new(&distinct(tuple), kernel);
                homogeneous_moment(homogeneous, &frame, &frame.rows, tuple)
            };
            let values: Vec<f64> = multisets(kernel.len(), 6).par_iter().map(of).collect();
            return [values.clone(), values];
        }
        if let Some(values) = self.closed(kernel, 6) {
            return [values.clone(), values];
        }
        let all: Vec<usize> = (0..kernel.len()).collect();
        let frame = Frame::new(&all, kernel);
        let smooth = is_smooth(self.activation)
            .then(|| self.resolution(std::slice::from_ref(&frame), 6, 4.0 * FEW))
            .filter(|(_, nodes)| *nodes <= MANY);
        EFFORTS.map(|effort| {
            let rule = match (smooth, frame.rank()) {
                (Some((resolution, _)), _) => {
                    Rule::new(self.activation, &frame, Some(resolution), effort)
                }
                (None, ..=2) if !is_smooth(self.activation) => {
                    Rule::new(self.activation, &frame, None, effort)
                }
                (None, _) => Rule::lattice(self.activation, &frame, effort),
            };
            products(&rule, &frame, 6, false).0
        })
    }

    /// Moments in closed form, where there is one that does not cancel.
    fn closed(&self, kernel: &[Vec<f64>], order: usize) -> Option<Vec<f64>> {
        let all: Vec<usize> = (0..kernel.len()).collect();
        let rows = Frame::new(&all, kernel).rows;
        let tuples = multisets(kernel.len(), order);
        let moments = self.exponentials.as_ref()?.moments(&rows, &tuples)?;
        let sizes = sizes(kernel.len(), order, &moments);
        let is_good = |(m, size): (&Moment, f64)| m.error <= CANCELLED * size;
        let all_good = moments.iter().zip(sizes).all(is_good);
        all_good.then(|| moments.iter().map(|m| m.value).collect())
    }
}

/// He_0 to He_4.
fn polynomials(g: f64) -> [f64; 5] {
    let square = g * g;
    [
        1.0,
        g,
        square - 1.0,
        g * (square - 3.0),
        square * (square - 6.0) + 3.0,
    ]
}

/// The averages of a pair by a rule.
fn pair(rule: &Rule, frame: Frame) -> PairAverage {
    let rank = frame.rank();
    let (mut second, mut fourth) = ([[0.0; 2]; 2], [0.0; 5]);
    for part in 0..rule.parts() {
        rule.visit(part, &mut |g, weight, h| {
            let product = weight * h[0] * h[h.len() - 1];
            let a = polynomials(g.first().copied().unwrap_or(0.0));
            let b = polynomials(g.get(1).copied().unwrap_or(0.0));
            second[0][0] += product * a[2];
            second[0][1] += product * a[1] * b[1];
            second[1][1] += product * b[2];
            for (m, sum) in fourth.iter_mut().enumerate() {
                *sum += product * a[4 - m] * b[m];
            }
        });
    }
    second[1][0] = second[0][1];
    // Normals that there are not.
    if rank < 2 {
        second = [[second[0][0], 0.0], [0.0; 2]];
        fourth = [fourth[0], 0.0, 0.0, 0.0, 0.0];
    }
    if rank < 1 {
        (second, fourth) = ([[0.0; 2]; 2], [0.0; 5]);
    }
    PairAverage {
        frame,
        second,
        fourth,
    }
}

/// The averages of a pair in closed form.
fn homogeneous_pair(h: Homogeneous, kernel: &[Vec<f64>], frame: Frame) -> PairAverage {
    let (mut second, mut fourth) = ([[0.0; 2]; 2], [0.0; 5]);
    let rows = &frame.rows;
    match frame.rank() {
        0 => {}
        // Of degree 2 to both sides of one normal: E[g^2 He_2] = 2, E[g^2 He_4] = 0.
        1 => second[0][0] = 2.0 * homogeneous_moment(h, &frame, rows, &both(&frame)),
        _ => {
            let (p, q) = match rows[0][1] == 0.0 {
                true => (0, 1),
                false => (1, 0),
            };
            let k = |a: usize, b: usize| kernel[frame.points()[a]][frame.points()[b]];
            let pair = Correlated::new([k(p, p), k(p, q), k(q, q)]);
            let [x, along, across] = [rows[p][0], rows[q][0], rows[q][1]];
            // By parts: d/dg_0 = x d_x + along d_y, d/dg_1 = across d_y.
            let of = |i: usize, j: usize| -> f64 {
                const CHOOSE: [[f64; 5]; 5] = [
                    [1.0, 0.0, 0.0, 0.0, 0.0],
                    [1.0, 1.0, 0.0, 0.0, 0.0],
                    [1.0, 2.0, 1.0, 0.0, 0.0],
                    [1.0, 3.0, 3.0, 1.0, 0.0],
                    [1.0, 4.0, 6.0, 4.0, 1.0],
                ];
                (0..=i)
                    .map(|m| {
                        let factor = CHOOSE[i][m] * x.powi((i - m) as i32) * along.powi(m as i32);
                        factor * across.powi(j as i32) * h.derivative(pair, i - m, m + j)
                    })
                    .sum()
            };
            second = [[of(2, 0), of(1, 1)], [of(1, 1), of(0, 2)]];
            fourth = std::array::from_fn(|m| of(4 - m, m));
        }
    }
    PairAverage {
        frame,
        second,
        fourth,
    }
}

/// The tuple of a frame's one or two points.
fn both(frame: &Frame) -> Vec<usize> {
    let points = frame.points();
    vec![points[0], points[points.len() - 1]]
}

fn distinct(tuple: &[usize]) -> Vec<usize> {
    let mut points = tuple.to_vec();
    points.dedup();
    points
}

/// E of the product over a sorted tuple, a polynomial of the slopes to both sides: at each point one of them is not
/// zero. `rows` are the pre-activations at the frame's points.
fn homogeneous_moment(h: Homogeneous, frame: &Frame, rows: &[Vec<f64>], tuple: &[usize]) -> f64 {
    let points = distinct(tuple);
    let powers: Vec<u8> = (points.iter())
        .map(|p| tuple.iter().filter(|q| *q == p).count() as u8)
        .collect();
    let row = |p: &usize| {
        let at = frame.points().iter().position(|q| q == p);
        &rows[at.expect("a point of the frame")]
    };
    let [right, left] = h.sides();
    (0..1u32 << points.len())
        .map(|sides| {
            let is_left = |k: usize| sides >> k & 1 == 1;
            let factor: f64 = (powers.iter().enumerate())
                .map(|(k, &power)| if is_left(k) { left } else { right }.powi(power.into()))
                .product();
            if factor == 0.0 {
                return 0.0;
            }
            // h(z) is `left` z = -`left` max(-z, 0) there.
            let sign = |k: usize| if is_left(k) { -1.0 } else { 1.0 };
            let odd: u32 = (powers.iter().enumerate())
                .map(|(k, &power)| u32::from(power) * u32::from(is_left(k)))
                .sum();
            let rows = (points.iter().enumerate())
                .map(|(k, p)| row(p).iter().map(|x| sign(k) * x).collect())
                .collect();
            let sign = if odd % 2 == 1 { -1.0 } else { 1.0 };
            sign * factor * relu_moment(rows, &powers).value
        })
        .sum()
}

fn homogeneous_fourth(h: Homogeneous, kernel: &[Vec<f64>], with_slopes: bool) -> Fourth {
    let tuples = multisets(kernel.len(), 4);
    let each = |(number, tuple): (usize, &Vec<usize>)| {
        let frame = Frame::new(&distinct(tuple), kernel);
        let value = homogeneous_moment(h, &frame, &frame.rows, tuple);
        let slopes = with_slopes.then(|| {
            let of = vec![(number, changes(h, &frame, tuple))];
            Slopes { frame, of }
        });
        (value, slopes)
    };
    let all: Vec<(f64, Option<Slopes>)> = tuples.par_iter().enumerate().map(each).collect();
    Fourth {
        values: all.iter().map(|(value, _)| *value).collect(),
        slopes: all.into_iter().filter_map(|(_, slopes)| slopes).collect(),
    }
}

/// E[h h h h (g_i g_j - delta_ij)] is how E[h h h h] changes where rows go to rows (1 + step e_ij): by differences of
/// fourth order, as moments are good to 1e-14.
fn changes(h: Homogeneous, frame: &Frame, tuple: &[usize]) -> Vec<f64> {
    const STEP: f64 = 0.01;
    let rank = frame.rank();
    let mut all = vec![0.0; rank * rank];
    for i in 0..rank {
        for j in 0..=i {
            let at = |step: f64| {
                let moved: Vec<Vec<f64>> = (frame.rows.iter())
                    .map(|row| {
                        let mut moved = row.clone();
                        moved[i] += 0.5 * step * row[j];
                        moved[j] += 0.5 * step * row[i];
                        moved
                    })
                    .collect();
                homogeneous_moment(h, frame, &moved, tuple)
            };
            let [near, far] = [STEP, 2.0 * STEP].map(|step| at(step) - at(-step));
            all[i * rank + j] = (8.0 * near - far) / (12.0 * STEP);
            all[j * rank + i] = all[i * rank + j];
        }
    }
    all
}

/// Moments of a frame's points by a rule; and, `with_slopes`, the same weighted by g_i g_j - delta_ij for
/// j <= i.
fn products(
    rule: &Rule,
    frame: &Frame,
    order: usize,
    with_slopes: bool,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let plan = MomentPlan::new(frame.points().len(), &[order]);
    let rank = if with_slopes { frame.rank() } else { 0 };
    let elements = plan.elements().len();
    let parts: Vec<Vec<f64>> = (0..rule.parts())
        .into_par_iter()
        .map(|part| {
            let mut values = Nodes::new(&plan);
            let mut slopes: Vec<Nodes> = (0..rank * (rank + 1) / 2)
                .map(|_| Nodes::new(&plan))
                .collect();
            rule.visit(part, &mut |g, weight, h| {
                values.push(weight, |p| h[p]);
                let mut slopes = slopes.iter_mut();
                for i in 0..rank {
                    for j in 0..=i {
                        let polynomial = g[i] * g[j] - if i == j { 1.0 } else { 0.0 };
                        let nodes = slopes.next().expect("one for each i and j");
                        nodes.push(weight * polynomial, |p| h[p]);
                    }
                }
            });
            let mut all = values.take();
            slopes
                .into_iter()
                .for_each(|nodes| all.extend(nodes.take()));
            all
        })
        .collect();
    let mut all = add_up(parts, elements * (1 + rank * (rank + 1) / 2));
    let slopes = all.split_off(elements);
    let slopes = slopes.chunks(elements).map(<[f64]>::to_vec).collect();
    (all, slopes)
}

/// A symmetric matrix from its lower triangle.
fn square(lower: &[f64], rank: usize) -> Vec<f64> {
    let mut all = vec![0.0; rank * rank];
    let mut lower = lower.iter();
    for i in 0..rank {
        for j in 0..=i {
            let x = *lower.next().expect("one for each i and j");
            all[i * rank + j] = x;
            all[j * rank + i] = x;
        }
    }
    all
}

/// Subsets of so many points.
fn subsets(points: usize, size: usize) -> Vec<Vec<usize>> {
    let all = |p: &Vec<usize>| p.windows(2).all(|w| w[0] < w[1]);
    match points <= 16 {
        true => multisets(points, size.min(points))
            .into_iter()
            .filter(all)
            .collect(),
        false => Vec::new(),
    }
}
