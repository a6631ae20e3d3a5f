//! n-point functions of deep nets from the cumulants of the last covariance.

use std::sync::Arc;

use super::super::gp_correlator;
use super::super::readout::Readout;
use super::super::wick::gp_rounding;
use crate::tensor::Tuple;

/// `DeepTheory` gives the n-point functions of a net of several hidden layers at finite width: to first order in
/// 1/n, with the size of what that leaves out, or, where theory has them, at every width.
///
/// Given the hidden layers, f is normal with the covariance C, whose mean over the networks is K + g, and whose
/// covariance and third cumulant between pairs of points are v and u:
///
/// ```text
/// G2 = K + g;   connected 4-pt = sum_3 v;   connected 6-pt = sum_15 u
/// ```
///
/// Other laws of the readout add their fourth and sixth cumulants.
#[derive(Debug, Clone)]
pub struct DeepTheory {
    pub(super) kernel: Arc<Vec<Vec<f64>>>,
    /// Error of the kernel, `[points][points]`.
    pub(super) kernel_error: Vec<Vec<f64>>,
    /// `[points][points]`.
    pub(super) mean: Vec<Vec<f64>>,
    /// `[pair][pair]`; empty below order 4.
    pub(super) second: Vec<Vec<f64>>,
    /// `[(pair pairs + pair) pairs + pair]`; empty below order 6.
    pub(super) third: Vec<f64>,
    /// Relative errors of mean, covariance and third cumulant.
    pub(super) errors: [f64; 3],
    /// v_(aa)(aa) / K_aa^2 and twice |g_aa| / K_aa of each point, which higher orders go with.
    pub(super) strength: Vec<f64>,
    /// Share of the square of the strength that first order leaves out; zero where values are exact.
    pub(super) left_out: f64,
    pub(super) readout: Readout,
    pub(super) beyond: Option<Beyond>,
}

/// What readouts that are not normal need of the last hidden layer.
#[derive(Debug, Clone)]
pub(super) struct Beyond {
    pub vw: f64,
    pub units: f64,
    /// E[h h] by pairs, E[h h h h] by quadruples, E[h h h h h h] by sextuples, of the last hidden layer.
    pub moments: [Vec<f64>; 3],
    /// The covariance of C of a pair with E[h h h h], given the layers before, `[pair][quadruple]`.
    pub with_fourth: Vec<Vec<f64>>,
}

impl DeepTheory {
    /// Tells whether values are exact at every width.
    pub fn is_exact(&self) -> bool {
        self.left_out == 0.0
    }

    /// Returns the kernel at infinite width at the points, shape `[points][points]`.
    pub fn kernel(&self) -> &Arc<Vec<Vec<f64>>> {
        &self.kernel
    }

    /// Returns the mean of C less the kernel, `E[D]`, at a pair of points.
    pub fn mean(&self, [a, b]: [usize; 2]) -> f64 {
        self.mean[a][b]
    }

    /// Returns the covariance of C at two pairs of points.
    ///
    /// # Panics
    /// If the layers were computed below order 4.
    pub fn covariance(&self, a: [usize; 2], b: [usize; 2]) -> f64 {
        self.second[self.number(a)][self.number(b)]
    }

    /// Returns G^(n) - G_GP^(n) in the unit of f^n; zero for n odd.
    ///
    /// # Panics
    /// If n is above 6 or above the order that the layers were computed for.
    pub fn deviation<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let kernel = |p: [usize; 2]| self.kernel[p[0]][p[1]];
        let mean = |p: [usize; 2]| self.mean(p);
        match tuple.order() {
            2 => self.over_pairings(tuple, |p| mean(p[0])),
            4 => {
                // The square of the mean is beyond first order, unless values are exact.
                let normal = self.over_pairings(tuple, |p| {
                    let [a, b] = [p[0], p[1]];
                    kernel(a) * mean(b) + mean(a) * kernel(b) + self.covariance(a, b)
                });
                normal + self.beyond_normal_four(tuple)
            }
            6 => {
                let normal = self.over_pairings(tuple, |p| {
                    let [a, b, d] = [p[0], p[1], p[2]];
                    let of = |a, b, d| kernel(d) * (self.covariance(a, b) + kernel(a) * mean(b));
                    of(a, b, d) + of(b, d, a) + of(d, a, b) + self.third(a, b, d)
                });
                let splits = self.readout.splits(tuple);
                let split: f64 = (splits.iter())
                    .map(|split| kernel(split.two) * self.beyond_normal_four(split.four.tuple()))
                    .sum();
                normal + split + self.beyond_normal_six(tuple)
            }
            n => {
                assert!(n % 2 == 1, "no deep theory of order {n}");
                0.0
            }
        }
    }

    /// Returns G^(n).
    pub fn correlator<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        gp_correlator(&self.kernel, tuple) + self.deviation(tuple)
    }

    /// Returns the connected n-point function of order 4 or 6.
    ///
    /// # Panics
    /// If n is another, or above the order that the layers were computed for.
    pub fn connected<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        match tuple.order() {
            4 => {
                let normal = self.over_pairings(tuple, |p| self.covariance(p[0], p[1]));
                normal + self.beyond_normal_four(tuple)
            }
            6 => {
                let normal = self.over_pairings(tuple, |p| self.third(p[0], p[1], p[2]));
                normal + self.beyond_normal_six(tuple)
            }
            n => panic!("no connected function of order {n}"),
        }
    }

    /// Returns an estimate of the numerical error of [`deviation`](Self::deviation), in the unit of f^n.
    pub fn error<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let [mean, second, third] = self.errors;
        let size = |p: [usize; 2]| (self.kernel[p[0]][p[0]] * self.kernel[p[1]][p[1]]).sqrt();
        let strength = self.strength_of(tuple);
        let of_pair = |p: [usize; 2]| {
            (self.kernel_error[p[0]][p[1]] / size(p).max(f64::MIN_POSITIVE)) + mean * strength
        };
        let pairs = |p: &[[usize; 2]]| p.iter().map(|p| of_pair(*p)).sum::<f64>();
        let unit = |p: &[[usize; 2]]| p.iter().map(|p| size(*p)).product::<f64>();
        let rounding = gp_rounding(&self.kernel, tuple);
        let cumulants = match tuple.order() {
            4 => second * strength,
            6 => 3.0 * second * strength + 3.0 * third * strength.powi(2),
            _ => 0.0,
        };
        match tuple.order() % 2 {
            0 => rounding + self.over_pairings(tuple, |p| unit(p) * (pairs(p) + cumulants)),
            _ => 0.0,
        }
    }

    /// Returns the size of what first order leaves out of [`deviation`](Self::deviation), in the unit of f^n: zero
    /// where values are exact.
    ///
    /// Where deviations compound layer by layer, (1 + c/n)^L - 1, the second order is half the square of
    /// the first. The strength of a net is c L / n, so that this holds for ReLU and linear nets, and is an estimate
    /// for others.
    pub fn neglected<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let factor = match tuple.order() {
            2 | 4 => 0.5,
            6 => 1.5,
            _ => 0.0,
        };
        self.left_out * factor * self.strength_of(tuple).powi(2) * self.unit(tuple)
    }

    /// Returns the size of what the leading order leaves out of [`connected`](Self::connected).
    pub fn connected_neglected<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let strength = self.strength_of(tuple);
        let size = match tuple.order() {
            4 => 0.5 * strength.powi(2),
            6 => 4.5 * strength.powi(3),
            _ => 0.0,
        };
        self.left_out * size * self.unit(tuple)
    }

    /// The largest strength of a tuple's points.
    fn strength_of(&self, tuple: Tuple) -> f64 {
        let of = |&p: &usize| self.strength[p];
        tuple.points().iter().map(of).fold(0.0, f64::max)
    }

    /// The sum over pairings of the sizes of the fields.
    fn unit(&self, tuple: Tuple) -> f64 {
        let field = |&p: &usize| self.kernel[p][p].sqrt();
        let size: f64 = tuple.points().iter().map(field).product();
        size * tuple.pairings().len() as f64
    }

    fn third(&self, a: [usize; 2], b: [usize; 2], d: [usize; 2]) -> f64 {
        let [a, b, d] = [a, b, d].map(|p| self.number(p));
        let count = self.second.len();
        self.third[(a * count + b) * count + d]
    }

    fn number(&self, [a, b]: [usize; 2]) -> usize {
        let (low, high) = (a.min(b), a.max(b));
        low * self.kernel.len() - low * low.saturating_sub(1) / 2 - low + high
    }

    fn over_pairings(&self, tuple: Tuple, of: impl Fn(&[[usize; 2]]) -> f64) -> f64 {
        let points = tuple.points();
        (tuple.pairings().iter())
            .map(|pairing| {
                let pairs: Vec<[usize; 2]> = pairing
                    .iter()
                    .map(|&(a, b)| [points[a], points[b]])
                    .collect();
                of(&pairs)
            })
            .fold(0.0, |sum, x| sum + x)
    }

    /// What the readout's laws add to the connected 4-point function.
    fn beyond_normal_four(&self, tuple: Tuple) -> f64 {
        let Some(beyond) = &self.beyond else {
            return 0.0;
        };
        let weights = self.readout.excess(tuple) * beyond.vw.powi(2) / beyond.units;
        weights * self.moment(&beyond.moments[1], tuple) + self.readout.of_bias(tuple)
    }

    /// What they add to the connected 6-point function: weights of other units, and how the covariance goes with the
    /// fourth moments, from the layers before.
    fn beyond_normal_six(&self, tuple: Tuple) -> f64 {
        let Some(beyond) = &self.beyond else {
            return 0.0;
        };
        let [second, fourth, sixth] = &beyond.moments;
        let (vw, units) = (beyond.vw, beyond.units);
        let mut sum =
            vw.powi(3) / units.powi(2) * self.readout.excess(tuple) * self.moment(sixth, tuple);
        for split in self.readout.splits(tuple) {
            let four = split.four.tuple();
            let excess = self.readout.excess(four);
            let pair = self.number(split.two);
            sum -= vw.powi(3) / units.powi(2) * excess * self.moment(fourth, four) * second[pair];
            if let Some(with) = beyond.with_fourth.get(pair) {
                sum += vw.powi(2) / units * excess * self.moment(with, four);
            }
        }
        sum + self.readout.of_bias(tuple)
    }

    /// A moment of a hidden unit at a tuple's points.
    fn moment(&self, of: &[f64], tuple: Tuple) -> f64 {
        let mut points = tuple.points().to_vec();
        points.sort_unstable();
        of[multiset_number(self.kernel.len(), &points)]
    }
}

/// The position of a sorted tuple among the multisets of its size.
fn multiset_number(points: usize, tuple: &[usize]) -> usize {
    // As many as there are below it at each index: combinations with repetition.
    let choose = |points: usize, size: usize| (0..size).fold(1, |c, k| c * (points + k) / (k + 1));
    let mut least = 0;
    let mut number = 0;
    for (k, &p) in tuple.iter().enumerate() {
        number += (least..p)
            .map(|q| choose(points - q, tuple.len() - k - 1))
            .sum::<usize>();
        least = p;
    }
    number
}
