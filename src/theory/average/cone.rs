//! This module computes E[prod_k z_k^p_k step(z_k)] of jointly normal variables: averages of
//! products of ReLU.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use super::super::cubature::legendre;
use super::{Moment, dot, sign};

/// Sine below which two rows are parallel.
const PARALLEL: f64 = 1e-14;

/// `Powers` holds the powers of at most six variables.
type Powers = [u8; 6];

/// Computes E[prod max(0, row_k . g)^power_k] over independent standard normals g, 1 to 6 rows of
/// any (one) length, powers above zero.
pub fn relu_moment(mut rows: Vec<Vec<f64>>, powers: &[u8]) -> Moment {
    let mut unit = 1.0;
    for (row, &power) in rows.iter_mut().zip(powers) {
        // Lengths may be beyond the roots of f64's range.
        let largest = row.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        if largest == 0.0 {
            return Moment::from(0.0);
        }
        row.iter_mut().for_each(|x| *x /= largest);
        let length = norm(row);
        row.iter_mut().for_each(|x| *x /= length);
        unit *= (largest * length).powi(power.into());
    }
    if rows[0].len() > 6 {
        let count = rows.len();
        rows.resize(6, vec![0.0; rows[0].len()]);
        let few = sign::triangular::<6>(&mut rows);
        rows = few[..count].iter().map(|row| row.to_vec()).collect();
    }
    let mut of = [0; 6];
    of[..powers.len()].copy_from_slice(powers);
    let Some((merger, rows)) = merge(rows) else {
        return Moment::from(0.0);
    };
    let (of, factor) = merger.powers(&of);
    let mut cone = Cone::new(rows);
    let moment = cone.moment(of, true);
    // Another order of the same recursion shows what cancellation costs.
    let other = cone.moment(of, false);
    let by_order = (moment.value - other.value).abs();
    Moment {
        value: moment.value,
        error: moment.error + by_order,
    }
    .times(unit * factor)
}

/// A merger holds, for each row given, its number among the merged ones, and its length.
struct Merger(Vec<(usize, f64)>);

/// Merges rows to rows of length one no two of which are parallel; `None` if two rows are opposite:
/// their variables are never both positive.
fn merge(given: Vec<Vec<f64>>) -> Option<(Merger, Vec<Vec<f64>>)> {
    let (mut rows, mut from) = (Vec::<Vec<f64>>::new(), Vec::new());
    for row in given {
        let length = norm(&row);
        let row: Vec<f64> = row.iter().map(|x| x / length).collect();
        let parallel = rows.iter().position(|r| norm(&apart(&row, r)) < PARALLEL);
        if parallel.is_some_and(|k| dot(&row, &rows[k]) < 0.0) {
            return None;
        }
        from.push((parallel.unwrap_or(rows.len()), length));
        if parallel.is_none() {
            rows.push(row);
        }
    }
    Some((Merger(from), rows))
}

impl Merger {
    /// Returns the powers of the merged variables, and what the lengths contribute.
    fn powers(&self, given: &Powers) -> (Powers, f64) {
        let (mut powers, mut factor) = ([0; 6], 1.0);
        for (&(number, length), &power) in self.0.iter().zip(given) {
            powers[number] += power;
            factor *= length.powi(power.into());
        }
        (powers, factor)
    }
}

/// A cone holds variables of unit variance, no two of which are parallel.
struct Cone {
    rows: Vec<Vec<f64>>,
    /// Moments by powers, and by which variable's power was lowered first.
    known: BTreeMap<(Powers, bool), Moment>,
    /// The face on which variable k is zero; `None` before it is asked for.
    faces: Vec<Option<Face>>,
}

/// A face holds the other variables, given that one is zero; `None` if they are never all positive.
type Face = Option<(Merger, Box<Cone>)>;

impl Cone {
    fn new(rows: Vec<Vec<f64>>) -> Self {
        Self {
            faces: rows.iter().map(|_| None).collect(),
            known: BTreeMap::new(),
            rows,
        }
    }

    /// Computes a moment by integration by parts (Stein's lemma), which lowers powers by two,
    ///
    /// ```text
    /// E[z_k F(z)] = sum_j cov(z_k, z_j) E[dF/dz_j],
    /// ```
    ///
    /// or, where a power is zero, turns its step into the condition that z_j = 0, of density (2
    /// pi)^(-1/2). What is left are probabilities. `first` says which of the variables with a power
    /// is taken.
    fn moment(&mut self, powers: Powers, first: bool) -> Moment {
        let rows = self.rows.len();
        match rows {
            0 => return Moment::from(1.0),
            1 => return Moment::from(0.5 * absolute_normal(powers[0].into())),
            2 => return arc(&self.rows, &powers),
            _ if self.rows[0].len() == 2 => return arc(&self.rows, &powers),
            _ => {}
        }
        if let Some(known) = self.known.get(&(powers, first)) {
            return *known;
        }
        let mut raised = (0..rows).filter(|&k| powers[k] > 0);
        let chosen = if first {
            raised.next()
        } else {
            raised.next_back()
        };
        let value = match chosen {
            None => self.probability(),
            Some(k) => {
                let mut lower = powers;
                lower[k] -= 1;
                let mut sum = Moment::from(0.0);
                for j in 0..rows {
                    let covariance = dot(&self.rows[k], &self.rows[j]);
                    let derivative = match lower[j] {
                        0 => self.on_face(j, &lower, first).times(1.0 / TAU.sqrt()),
                        power => {
                            let mut lowest = lower;
                            lowest[j] -= 1;
                            self.moment(lowest, first).times(f64::from(power))
                        }
                    };
                    sum = sum.plus(derivative.times(covariance));
                }
                sum
            }
        };
        self.known.insert((powers, first), value);
        value
    }

    /// Computes the moment of the other variables, given z_j = 0.
    fn on_face(&mut self, j: usize, powers: &Powers, first: bool) -> Moment {
        let rows = &self.rows;
        let face = self.faces[j].get_or_insert_with(|| {
            let others = rows.iter().enumerate().filter(|(k, _)| *k != j);
            let given = others.map(|(_, row)| apart(row, &rows[j])).collect();
            let (merger, rows) = merge(given)?;
            Some((merger, Box::new(Cone::new(rows))))
        });
        let Some((merger, cone)) = face else {
            return Moment::from(0.0);
        };
        let mut others = [0; 6];
        let kept = (0..rows.len()).filter(|k| *k != j).map(|k| powers[k]);
        others.iter_mut().zip(kept).for_each(|(o, p)| *o = p);
        let (merged, factor) = merger.powers(&others);
        cone.moment(merged, first).times(factor)
    }

    /// Computes P(all z > 0): prod (1 + sign z) / 2, odd products having no average.
    fn probability(&self) -> Moment {
        let count = self.rows.len();
        let mut sum = Moment::from(1.0);
        for subset in 1u32..1 << count {
            let inside = (0..count).filter(|k| subset >> k & 1 == 1);
            let mut rows: Vec<Vec<f64>> = inside.map(|k| self.rows[k].clone()).collect();
            sum = sum.plus(match rows.len() {
                2 => {
                    let [a, b] = sign::triangular::<2>(&mut rows);
                    Moment::from(sign::two(&a, &b))
                }
                4 => sign::four(&sign::triangular(&mut rows), 0.0),
                6 => sign::six(&sign::triangular(&mut rows), &[0, 1, 2, 3, 4, 5], 0.0),
                _ => Moment::from(0.0),
            });
        }
        sum.times(0.5f64.powi(count as i32))
    }
}

/// Averages two variables or more that depend on two normals over the angles at which all are
/// positive, with a weight that is positive, so that thin cones keep their digits.
fn arc(rows: &[Vec<f64>], powers: &Powers) -> Moment {
    let origin = &rows[0];
    // The plane's second axis; angles are from the first row to its side.
    let mut axis = apart(&rows[1], origin);
    let length = norm(&axis);
    axis.iter_mut().for_each(|x| *x /= length);
    let angles: Vec<f64> = (rows.iter())
        .map(|row| {
            let beside = apart(row, origin);
            let sine = norm(&beside).copysign(dot(&beside, &axis));
            sine.atan2(dot(row, origin))
        })
        .collect();
    let by = |a: &usize, b: &usize| angles[*a].total_cmp(&angles[*b]);
    let top = (0..rows.len()).max_by(by).expect("two rows");
    let bottom = (0..rows.len()).min_by(by).expect("two rows");
    // Half a turn or more from bottom to top leaves no angle at all.
    let (sin, cos) = angles[bottom].sin_cos();
    let beside = apart(&rows[top], &rows[bottom]);
    if cos * dot(&beside, &axis) <= sin * dot(&beside, origin) {
        return Moment::from(0.0);
    }
    // The angle from the top row to another, and what it lacks to half a turn.
    let from_top = |k: usize| -> [f64; 2] {
        let (sine, cosine) = (
            norm(&apart(&rows[k], &rows[top])),
            dot(&rows[k], &rows[top]),
        );
        [sine.atan2(cosine), sine.atan2(-cosine)]
    };
    let turns: Vec<[f64; 2]> = (0..rows.len()).map(from_top).collect();
    let width = turns[bottom][1];
    let total: u8 = powers[..rows.len()].iter().sum();
    let mut sum = 0.0;
    for (x, w) in legendre(24) {
        let s = 0.5 * width * (1.0 + x);
        let product: f64 = (turns.iter().zip(powers))
            .filter(|(_, power)| **power > 0)
            .map(|([along, lacking], power)| {
                let cosine = match along < lacking {
                    true => (along + s).sin(),
                    false => (lacking - s).sin(),
                };
                cosine.powi((*power).into())
            })
            .product();
        sum += 0.5 * width * w * product;
    }
    // E[R^n] of the length of two normals.
    let n = f64::from(total);
    let value = sum / TAU * 2f64.powf(n / 2.0) * libm::tgamma(1.0 + n / 2.0);
    // Rounding of the rows turns them by f64's precision.
    let error = value * (1e-14 + (1.0 + n) * f64::EPSILON / width);
    Moment { value, error }
}

/// Computes E |g|^n of a standard normal.
fn absolute_normal(n: u32) -> f64 {
    let n = f64::from(n);
    2f64.powf(n / 2.0) * libm::tgamma(0.5 * (n + 1.0)) / PI.sqrt()
}

/// Returns the part of `row` perpendicular to the unit vector `from`, to its own precision: the
/// products are exact, and a second pass removes the rounding of the first factor.
fn apart(row: &[f64], from: &[f64]) -> Vec<f64> {
    let mut rest = row.to_vec();
    for _ in 0..2 {
        let along = -dot(&rest, from) / dot(from, from);
        (rest.iter_mut().zip(from)).for_each(|(x, f)| *x = along.mul_add(*f, *x));
    }
    rest
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}
