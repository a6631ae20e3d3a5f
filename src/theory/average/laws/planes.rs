//! Where planes meet along a variate: those of the kinks of two points, and those where densities bend.

use super::axis::Axis;
use super::dot;
use crate::model::Activation;

/// Most variates that are no signs.
pub const MAX_AXES: usize = 3;
/// Places within a density make panels end where they are closer than this part of their distances.
const CROWDED: f64 = 0.5;
/// Parts below this are those of parallel planes.
const PARALLEL: f64 = 1e-12;

/// Coefficients of the variates, what their sum with the variates comes to on the plane, and by how much
/// that moves with the place of each variate, where the plane is one within its density.
pub type Plane = [f64; 2 * MAX_AXES + 1];
pub const AT: usize = MAX_AXES;
const MOVES: usize = AT + 1;
pub const NOWHERE: Plane = [0.0; 2 * MAX_AXES + 1];

/// The planes of two points.
pub struct Planes {
    /// Of unit length: the kinks first, then those of densities.
    all: Vec<Plane>,
    kinks: usize,
    axes: usize,
}

/// What is asked for: a variate, how far it goes at most, and how far each one does.
#[derive(Clone, Copy)]
pub struct Along<'a> {
    pub level: usize,
    pub reach: f64,
    pub reaches: &'a [f64; MAX_AXES],
}

impl Planes {
    /// Those of an activation's pre-activations: coefficients, and what the signs add.
    pub fn new(activation: &Activation, forms: &[Plane; 2], axes: &[Axis]) -> Self {
        let mut all = Vec::new();
        for form in forms {
            let length = form[..AT].iter().map(|x| x * x).sum::<f64>().sqrt();
            if length > 0.0 {
                all.extend(activation.kinks().iter().map(|kink| {
                    let mut plane = form.map(|x| x / length);
                    plane[AT] = (kink - form[AT]) / length;
                    plane
                }));
            }
        }
        let kinks = all.len();
        for (k, axis) in axes.iter().enumerate() {
            let at = |place: f64, moves: f64| {
                let mut plane = NOWHERE;
                (plane[k], plane[AT], plane[MOVES + k]) = (1.0, place, moves);
                plane
            };
            all.extend(axis.bends().into_iter().map(|bend| at(bend, 0.0)));
            all.extend(axis.within().iter().map(|&place| at(place, 1.0)));
        }
        Self {
            all,
            kinks,
            axes: axes.len(),
        }
    }

    /// Adds the places along a variate at which planes meet, those before it being where they are. What is
    /// left of the planes there is kept in `left`.
    pub fn meets(
        &self,
        along: Along,
        place: &[f64; MAX_AXES],
        left: &mut Vec<Plane>,
        ends: &mut Vec<f64>,
    ) {
        let level = along.level;
        left.clear();
        let mut kinks = 0;
        for (k, plane) in self.all.iter().enumerate() {
            // The variate's own places are ends already, and those before it are behind.
            let is_behind = plane[level..AT].iter().all(|&x| x == 0.0);
            if is_behind || (k >= self.kinks && plane[level] != 0.0) {
                continue;
            }
            let mut plane = *plane;
            plane[AT] -= dot(&plane[..level], &place[..level]);
            kinks += usize::from(k < self.kinks);
            left.push(plane);
        }
        let mut chosen = Vec::with_capacity(MAX_AXES);
        for first in 0..kinks {
            chosen.push(left[first]);
            self.choose(along, &left[first + 1..], &mut chosen, ends);
            chosen.pop();
        }
    }

    /// Adds where the chosen planes meet, and where they do with more of the others.
    fn choose(&self, along: Along, others: &[Plane], chosen: &mut Vec<Plane>, ends: &mut Vec<f64>) {
        ends.extend(
            self.meeting(along, chosen)
                .filter(|x| x.abs() < along.reach),
        );
        if chosen.len() == self.axes - along.level {
            return;
        }
        for (k, other) in others.iter().enumerate() {
            chosen.push(*other);
            self.choose(along, &others[k + 1..], chosen, ends);
            chosen.pop();
        }
    }

    /// The place along a variate at which the parts of planes along the later ones depend on each other,
    /// but those of fewer of them do not: by elimination of the later ones. Where the planes have one
    /// point in common it must be within reach.
    fn meeting(&self, along: Along, chosen: &[Plane]) -> Option<f64> {
        let (level, axes, count) = (along.level, self.axes, chosen.len());
        let mut rows = [NOWHERE; MAX_AXES];
        rows[..count].copy_from_slice(chosen);
        let mut columns = [0; MAX_AXES];
        for pivot in 0..count - 1 {
            let (mut best, mut row, mut column) = (0.0, 0, 0);
            for (r, candidate) in rows[..count].iter().enumerate().skip(pivot) {
                for (c, x) in candidate[..axes].iter().enumerate().skip(level + 1) {
                    if x.abs() > best {
                        (best, row, column) = (x.abs(), r, c);
                    }
                }
            }
            if best < PARALLEL {
                return None;
            }
            rows.swap(pivot, row);
            columns[pivot] = column;
            let (until, rest) = rows.split_at_mut(pivot + 1);
            let of_pivot = until[pivot];
            for row in &mut rest[..count - 1 - pivot] {
                let factor = row[column] / of_pivot[column];
                (row.iter_mut().zip(&of_pivot)).for_each(|(x, p)| *x -= factor * p);
                row[column] = 0.0;
            }
        }
        let last = &rows[count - 1];
        let slope = last[level].abs();
        // Where a density's places lie far apart there is no structure on a shorter scale.
        let is_smooth = last[MOVES..].iter().any(|x| x.abs() > CROWDED * slope);
        let depends = last[level + 1..axes].iter().all(|x| x.abs() <= PARALLEL);
        if slope < PARALLEL || is_smooth || !depends {
            return None;
        }
        let x = last[AT] / last[level];
        if count == axes - level {
            let mut place = [0.0; MAX_AXES];
            place[level] = x;
            for pivot in (0..count - 1).rev() {
                let (row, column) = (&rows[pivot], columns[pivot]);
                let others = (level..axes).filter(|&c| c != column);
                let sum: f64 = others.map(|c| row[c] * place[c]).sum();
                place[column] = (row[AT] - sum) / row[column];
                if place[column].abs() > along.reaches[column] * (1.0 + 1e-9) {
                    return None;
                }
            }
        }
        Some(x)
    }
}
