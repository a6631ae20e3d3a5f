//! Second moments by the series of Mehler: E[h(x) h(y)] = sum_k rho^k c_k(x) c_k(y), where rho is the
//! correlation of the pre-activations and c_k(x) = E[h(s g) He_k(g)] / sqrt(k!) at the standard
//! deviation s. Coefficients depend on s alone: they are tabulated, so that a value costs two
//! interpolations and one sum.

use std::f64::consts::{PI, TAU};
use std::sync::OnceLock;

use super::super::average::Moment;
use super::super::average::line::{Panels, graded};
use super::super::average::rule::{radius, settled};
use crate::model::Activation;
use crate::simd::{has_fma, madd, vectorised};

/// Most terms of a series.
const TERMS: usize = 256;
/// Chebyshev's points of s in a cell of the table.
const POINTS: usize = 24;
/// Cells for each factor of two in s. In log s coefficients are analytic, and do not grow much, within
/// pi / 4 of the real line: from half the length of a cell, 0.35, the 24th polynomial's is some 1e-16.
const CELLS: f64 = 1.0;
/// Factors of two above and below s = 1 that the table covers.
const OCTAVES: f64 = 360.0;
/// e^(-r^2 / 4), the size of a term's integrand, is 1e-17 beyond.
const REACH: f64 = 12.6;

/// The coefficients at one standard deviation.
#[derive(Debug, Clone)]
pub struct Coefficients {
    values: Vec<f64>,
    /// E[h^2].
    second: f64,
    /// Bound of the sum of squares of those that are left out.
    rest: f64,
    /// Root of the sum of squares of their errors.
    error: f64,
}

/// The table of an activation, filled where it is asked for.
pub struct Series {
    activation: Activation,
    cells: Vec<OnceLock<Cell>>,
}

/// Coefficients of Chebyshev's polynomials in log s, `[polynomial][term]`, the last term being E[h^2].
struct Cell {
    rows: Vec<Vec<f64>>,
    error: f64,
}

impl Series {
    pub fn new(activation: Activation) -> Self {
        let cells = (2.0 * OCTAVES * CELLS) as usize;
        Self {
            activation,
            cells: (0..cells).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The coefficients at the standard deviation s.
    pub fn at(&self, s: f64) -> Coefficients {
        if s == 0.0 {
            let value = self.activation.evaluate(0.0, 0.0);
            return Coefficients::new(vec![value], value * value, 0.0);
        }
        let place = (s.log2() + OCTAVES) * CELLS;
        let Some(cell) = self.cells.get(place as usize).filter(|_| place >= 0.0) else {
            return direct(&self.activation, s);
        };
        let low = place.floor() / CELLS - OCTAVES;
        let cell = cell.get_or_init(|| Cell::new(&self.activation, low));
        // The place itself has lost digits.
        cell.at(2.0 * CELLS * (s / low.exp2()).log2() - 1.0)
    }
}

impl Cell {
    /// From s = 2^low on.
    fn new(activation: &Activation, low: f64) -> Self {
        let angles = (0..POINTS).map(|k| PI * (k as f64 + 0.5) / POINTS as f64);
        let known: Vec<Coefficients> = (angles.clone())
            .map(|angle| direct(activation, (low + 0.5 * (1.0 + angle.cos()) / CELLS).exp2()))
            .collect();
        let terms = known.iter().map(|c| c.values.len()).max().unwrap_or(0);
        let mut rows: Vec<Vec<f64>> = (0..POINTS)
            .map(|row| {
                let mut sums = vec![0.0; terms + 1];
                for (angle, c) in angles.clone().zip(&known) {
                    let weight = 2.0 / POINTS as f64 * (row as f64 * angle).cos();
                    for (sum, value) in sums.iter_mut().zip(&c.values) {
                        *sum += weight * value;
                    }
                    sums[terms] += weight * c.second;
                }
                sums
            })
            .collect();
        rows[0].iter_mut().for_each(|x| *x *= 0.5);
        // What follows the last polynomials is smaller than they are.
        let last = |row: &Vec<f64>| row[..terms].iter().map(|x| x * x).sum::<f64>();
        let of_series = (last(&rows[POINTS - 1]) + last(&rows[POINTS - 2])).sqrt();
        let of_rules = known.iter().map(|c| c.error).fold(0.0, f64::max);
        Self {
            rows,
            error: of_series + of_rules,
        }
    }

    /// At t from -1 to 1 across the cell.
    fn at(&self, t: f64) -> Coefficients {
        let mut values = self.rows[0].clone();
        let (mut before, mut now) = (1.0, t);
        for row in &self.rows[1..] {
            for (value, x) in values.iter_mut().zip(row) {
                *value += now * x;
            }
            (before, now) = (now, 2.0 * t * now - before);
        }
        let second = values.pop().expect("E[h^2] comes last");
        Coefficients::new(values, second, self.error)
    }
}

impl Coefficients {
    fn new(values: Vec<f64>, second: f64, error: f64) -> Self {
        let left = second - values.iter().map(|c| c * c).sum::<f64>();
        let rest = match left > 1e-11 * second {
            true => left,
            // The difference is rounding; coefficients that fall go on to fall.
            false => values.iter().rev().take(16).map(|c| 4.0 * c * c).sum(),
        };
        Self {
            rest: rest + 1e-32 * second,
            values,
            second,
            error,
        }
    }

    /// The root of E[h^2].
    pub fn size(&self) -> f64 {
        self.second.max(0.0).sqrt()
    }

    /// The sum at the correlation rho with the coefficients of another point. What is left out is
    /// bounded by Cauchy and Schwarz.
    pub fn with(&self, other: &Self, rho: f64) -> Moment {
        let rho = rho.clamp(-1.0, 1.0);
        let terms = self.values.len().min(other.values.len());
        // Every fourth term is a series of its own: a processor adds several at a time.
        let fours = (self.values[..terms].chunks(4)).zip(other.values[..terms].chunks(4));
        let mut sums = [0.0; 4];
        for (a, b) in fours.rev() {
            sums = sums.map(|sum| rho.powi(4) * sum);
            (sums.iter_mut().zip(a.iter().zip(b))).for_each(|(sum, (a, b))| *sum += a * b);
        }
        let value = sums.iter().rev().fold(0.0, |value, sum| rho * value + sum);
        let (a, b) = (self.size(), other.size());
        let left_out = rho.abs().powi(terms as i32) * (self.rest * other.rest).sqrt();
        Moment {
            value,
            // Interpolation rounds by some units of 24 polynomials.
            error: left_out + self.error * b + other.error * a + 3e-14 * a * b,
        }
    }
}

/// Coefficients by quadrature, refined until two rules agree.
fn direct(activation: &Activation, s: f64) -> Coefficients {
    let mut coarse = by_rule(activation, s, 1.0);
    let mut parts = 2.0;
    loop {
        let fine = by_rule(activation, s, parts);
        let squares = fine.0.iter().zip(&coarse.0).map(|(a, b)| (a - b).powi(2));
        let distance = squares.sum::<f64>().sqrt();
        let size = fine.1.max(0.0).sqrt();
        let error = settled(distance, size);
        let is_good = error <= 1e-14 * size && (fine.1 - coarse.1).abs() <= 1e-13 * fine.1;
        if is_good || parts >= 8.0 || error.is_nan() {
            return Coefficients::new(fine.0, fine.1, error);
        }
        coarse = fine;
        parts *= 2.0;
    }
}

/// Coefficients and E[h^2] by panels, each cut into `parts`.
fn by_rule(activation: &Activation, s: f64, parts: f64) -> (Vec<f64>, f64) {
    let reach = radius(activation.growth(), 2, s, 1) + REACH - 8.0;
    let mut ends = graded(activation.kinks(), s, 0.0, reach, parts);
    let (mut g, mut weighted, mut second) = (Vec::new(), Vec::new(), 0.0);
    Panels::new(0.75 / parts, 16).across(&mut ends, &mut |x, w| {
        let h = activation.evaluate(s * x, s * s);
        // Half of the density is with each factor: neither leaves the range of f64.
        let half = (-0.25 * x * x).exp();
        let density = w / TAU.sqrt();
        second += density * (half * h).powi(2);
        g.push(x);
        weighted.push(density * (half * h));
    });
    // He_k / sqrt(k!), with the other half.
    let mut now: Vec<f64> = g.iter().map(|x| (-0.25 * x * x).exp()).collect();
    let mut before = vec![0.0; g.len()];
    let mut values = Vec::with_capacity(TERMS);
    for k in 0..TERMS {
        let (back, scale) = ((k as f64).sqrt(), 1.0 / (k as f64 + 1.0).sqrt());
        values.push(term(&mut before, &now, &g, &weighted, back, scale));
        let recent: f64 = values.iter().rev().take(8).map(|c| c * c).sum();
        if k >= 32 && recent < 1e-33 * second {
            break;
        }
        std::mem::swap(&mut before, &mut now);
    }
    (values, second)
}

vectorised! {
    fn term(
        before: &mut [f64],
        now: &[f64],
        g: &[f64],
        weighted: &[f64],
        back: f64,
        scale: f64
    ) -> f64 {
        sum_and_next::<{ has_fma!() }>(before, now, g, weighted, [back, scale])
    }
}

/// Adds up the products of a polynomial with the weights, in several sums, which a processor adds up
/// at a time; the polynomial before becomes the next one.
#[inline(always)]
fn sum_and_next<const FMA: bool>(
    before: &mut [f64],
    now: &[f64],
    g: &[f64],
    weighted: &[f64],
    [back, scale]: [f64; 2],
) -> f64 {
    const LANES: usize = 8;
    let next = |before: &mut f64, now: f64, x: f64| {
        *before = scale * madd::<FMA>(x, now, -back * *before);
    };
    let mut sums = [0.0; LANES];
    let whole = now.len() / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        let lanes = first..first + LANES;
        let before = &mut before[lanes.clone()];
        let (now, g, weighted) = (&now[lanes.clone()], &g[lanes.clone()], &weighted[lanes]);
        for k in 0..LANES {
            sums[k] = madd::<FMA>(now[k], weighted[k], sums[k]);
            next(&mut before[k], now[k], g[k]);
        }
    }
    let mut rest = 0.0;
    for k in whole..now.len() {
        rest += now[k] * weighted[k];
        next(&mut before[k], now[k], g[k]);
    }
    rest + sums.iter().sum::<f64>()
}
