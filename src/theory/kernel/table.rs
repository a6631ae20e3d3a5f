//! Second moments of fixed points with any point of a box, tabulated: Chebyshev's polynomials in cells
//! that are halved until what the last polynomials carry is small. Integrals over the box ask for far
//! more values than the table is made of.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::super::average::laws::Average;
use crate::model::activation::Parity;

/// By dimension: polynomials along each side of a cell, and the precision relative to the modulus's
/// average at which cells are no more halved.
const RULES: [(usize, f64); 3] = [(12, 1e-10), (8, 1e-6), (5, 1e-4)];
/// Values of the activation that a table may take: a minute of one core.
const BUDGET: f64 = 1.5e9;
/// Halvings of a cell.
const MAX_DEPTH: usize = 40;
/// Radii beyond the scale grow by this factor from cell to cell.
const GROWTH: f64 = 8.0;

/// What is tabulated.
pub struct Moments<'a> {
    /// The moments with a point of the box.
    pub with: &'a (dyn Fn(&[f64]) -> Vec<Average> + Sync),
    /// Number of fixed points.
    pub points: usize,
    /// About how many values of the activation those with a point far out take.
    pub cost: f64,
    /// What they do as the box's point changes its sign.
    pub parity: Parity,
    /// The degree p if they go with the p-th power of a factor of the box's point.
    pub homogeneous: Option<f64>,
}

/// The table over a box.
pub struct Table {
    d_in: usize,
    /// The sign of the moments at -y relative to those at y, if it is known: then half of the box is
    /// tabulated.
    mirrored: Option<f64>,
    /// The degree and the only radius, if the moments are homogeneous: then the box's surface is
    /// tabulated.
    homogeneous: Option<(f64, f64)>,
    roots: Vec<Cell>,
}

/// Points y = r e with e = +-1 along `axis`, and a range for r and each other component of e.
#[derive(Debug, Clone)]
struct Place {
    axis: usize,
    sign: f64,
    /// Ranges of the radius, if it has one, then of the other components.
    ranges: Vec<(f64, f64)>,
    radius: Radius,
}

/// What the first range is one of.
#[derive(Debug, Clone, Copy)]
enum Radius {
    Linear,
    Logarithmic,
    /// There is only this one, and no range of it.
    Only(f64),
}

impl Radius {
    /// The coordinate in which the range is given, if there is one.
    fn coordinate(self, r: f64) -> Option<f64> {
        match self {
            Self::Linear => Some(r),
            Self::Logarithmic => Some(r.ln()),
            Self::Only(_) => None,
        }
    }
}

struct Cell {
    place: Place,
    content: Content,
}

enum Content {
    /// Coefficients, `[term][point]`, and each point's error.
    Leaf(Vec<Vec<f64>>, Vec<f64>),
    Halves(Box<[Cell; 2]>, usize),
}

/// What the values in a cell say.
struct Fit {
    coefficients: Vec<Vec<f64>>,
    errors: Vec<f64>,
    /// The side to halve, if one is too long.
    longest: Option<usize>,
}

impl Table {
    /// Tabulates the moments over the box of a cutoff. Within `scale` of the origin they have no finer
    /// structure, but at the `marks`.
    pub fn new(
        moments: &Moments,
        d_in: usize,
        cutoff: f64,
        scale: f64,
        marks: &[Vec<f64>],
    ) -> Self {
        let mirrored = match moments.parity {
            Parity::Even => Some(1.0),
            Parity::Odd => Some(-1.0),
            Parity::Neither => None,
        };
        // On a line nothing is left to tabulate but two numbers.
        let homogeneous = moments
            .homogeneous
            .filter(|_| d_in > 1)
            .map(|p| (p, cutoff));
        let radii = match homogeneous {
            Some((_, only)) => vec![(Radius::Only(only), None)],
            None => radii(cutoff, scale, marks),
        };
        let roots = places(d_in, mirrored.is_some(), &radii, marks);
        let sides = roots[0].ranges.len();
        let each = moments.cost.max(1.0) * (RULES[sides - 1].0 as f64).powi(sides as i32);
        let mut left = (BUDGET / each) as usize;
        left = left.saturating_sub(roots.len());
        // Level by level, so that what is left goes to the largest cells first.
        let mut levels: Vec<Vec<(Place, Fit)>> = Vec::new();
        let mut open = roots;
        while !open.is_empty() {
            let fits: Vec<Fit> = open.par_iter().map(|place| fit(moments, place)).collect();
            let mut next = Vec::new();
            let is_last = levels.len() >= MAX_DEPTH;
            let level = (open.into_iter().zip(fits)).map(|(place, mut fit)| {
                match fit.longest.filter(|_| left >= 2 && !is_last) {
                    Some(side) => {
                        left -= 2;
                        next.extend(place.halves(side));
                    }
                    None => fit.longest = None,
                }
                (place, fit)
            });
            levels.push(level.collect());
            open = next;
        }
        let mut below: Vec<Cell> = Vec::new();
        for level in levels.into_iter().rev() {
            let mut halves = below.into_iter();
            let join = |(place, fit): (Place, Fit)| {
                let content = match fit.longest {
                    Some(side) => {
                        let two = std::array::from_fn(|_| halves.next().expect("two halves"));
                        Content::Halves(Box::new(two), side)
                    }
                    None => Content::Leaf(fit.coefficients, fit.errors),
                };
                Cell { place, content }
            };
            below = level.into_iter().map(join).collect();
        }
        Self {
            d_in,
            mirrored,
            homogeneous,
            roots: below,
        }
    }

    /// The precision at which cells are no more halved, by the dimension of the box.
    pub fn precision(d_in: usize) -> f64 {
        RULES[d_in - 1].1
    }

    /// The moments with a point of the box, and bounds of their errors.
    pub fn at(&self, y: &[f64], values: &mut [f64], errors: &mut [f64]) {
        let axis = (0..self.d_in)
            .max_by(|&a, &b| y[a].abs().total_cmp(&y[b].abs()))
            .expect("a dimension");
        let r = y[axis].abs();
        let (mut sign, mut factor) = (if y[axis] < 0.0 { -1.0 } else { 1.0 }, 1.0);
        let mut turn = 1.0;
        if let Some(mirrored) = self.mirrored
            && sign < 0.0
        {
            (sign, factor, turn) = (1.0, mirrored, -1.0);
        }
        let others = (0..self.d_in).filter(|&c| c != axis);
        let ratio = |c: usize| if r > 0.0 { turn * y[c] / r } else { 0.0 };
        let ratios: Vec<f64> = others.map(ratio).collect();
        let mut cell = self.root(axis, sign, r, &ratios);
        let coordinates: Vec<f64> = (cell.place.radius.coordinate(r).into_iter())
            .chain(ratios)
            .collect();
        while let Content::Halves(halves, side) = &cell.content {
            let (_, middle) = halves[0].place.ranges[*side];
            cell = &halves[usize::from(coordinates[*side] > middle)];
        }
        let Content::Leaf(coefficients, of_cell) = &cell.content else {
            unreachable!("a cell without halves is a leaf");
        };
        let (count, _) = RULES[coordinates.len() - 1];
        let polynomials: Vec<Vec<f64>> = (cell.place.ranges.iter().zip(coordinates))
            .map(|(&(a, b), x)| {
                let t = (2.0 * x - a - b) / (b - a);
                chebyshev(t.clamp(-1.0, 1.0), count)
            })
            .collect();
        let power = (self.homogeneous).map_or(1.0, |(p, only)| (r / only).powf(p));
        factor *= power;
        values.fill(0.0);
        for (term, row) in coefficients.iter().enumerate() {
            let weight = factor * product(&polynomials, term);
            values
                .iter_mut()
                .zip(row)
                .for_each(|(v, c)| *v += weight * c);
        }
        (errors.iter_mut().zip(of_cell)).for_each(|(error, of_cell)| *error = power * of_cell);
    }

    fn root(&self, axis: usize, sign: f64, r: f64, ratios: &[f64]) -> &Cell {
        let distance = |(a, b): (f64, f64), x: f64| (a - x).max(x - b).max(0.0);
        let of_face = self
            .roots
            .iter()
            .filter(|cell| cell.place.axis == axis && cell.place.sign == sign);
        let away = |cell: &&Cell| {
            let place = &cell.place;
            let coordinates = place.radius.coordinate(r).into_iter();
            // Points on the outer end are beyond it by rounding.
            (place
                .ranges
                .iter()
                .zip(coordinates.chain(ratios.iter().copied())))
            .map(|(&range, x)| distance(range, x))
            .fold(0.0, f64::max)
        };
        of_face
            .min_by(|a, b| away(a).total_cmp(&away(b)))
            .expect("every face has cells")
    }
}

impl Place {
    fn halves(&self, side: usize) -> [Self; 2] {
        let (a, b) = self.ranges[side];
        let middle = 0.5 * (a + b);
        [(a, middle), (middle, b)].map(|range| {
            let mut half = self.clone();
            half.ranges[side] = range;
            half
        })
    }

    /// The point at coordinates from -1 to 1.
    fn point(&self, t: &[f64]) -> Vec<f64> {
        let mut at = (self.ranges.iter().zip(t)).map(|(&(a, b), t)| 0.5 * (a + b + (b - a) * t));
        let mut next = || at.next().expect("one for each side");
        let (r, d_in) = match self.radius {
            Radius::Linear => (next(), self.ranges.len()),
            Radius::Logarithmic => (next().exp(), self.ranges.len()),
            Radius::Only(r) => (r, self.ranges.len() + 1),
        };
        (0..d_in)
            .map(|c| match c == self.axis {
                true => self.sign * r,
                false => r * next(),
            })
            .collect()
    }
}

/// Ranges of the radius to begin with: they end at the scale, at powers beyond it, and at those of marks.
fn radii(cutoff: f64, scale: f64, marks: &[Vec<f64>]) -> Vec<(Radius, Option<(f64, f64)>)> {
    let largest = |x: &Vec<f64>| x.iter().fold(0.0, |l: f64, c| l.max(c.abs()));
    let mut radii = vec![0.0, cutoff];
    radii.extend(marks.iter().map(largest));
    let mut r = scale;
    while r < cutoff {
        radii.push(r);
        r *= GROWTH;
    }
    radii.retain(|&r| r <= cutoff);
    radii.sort_unstable_by(f64::total_cmp);
    radii.dedup_by(|a, b| (*a - *b).abs() <= 1e-9 * *a);
    (radii.windows(2))
        .map(|pair| match pair[0] >= scale {
            true => (Radius::Logarithmic, Some((pair[0].ln(), pair[1].ln()))),
            false => (Radius::Linear, Some((pair[0], pair[1]))),
        })
        .collect()
}

/// The cells to begin with: faces cut where a component is 0 and where rays of marks cross them.
fn places(
    d_in: usize,
    half: bool,
    radii: &[(Radius, Option<(f64, f64)>)],
    marks: &[Vec<f64>],
) -> Vec<Place> {
    let mut all = Vec::new();
    for axis in 0..d_in {
        for sign in [-1.0, 1.0] {
            if half && sign < 0.0 {
                continue;
            }
            for &(radius, ends) in radii {
                let mut ranges = vec![ends.into_iter().collect()];
                for c in (0..d_in).filter(|&c| c != axis) {
                    let mut cuts = vec![-1.0, 0.0, 1.0];
                    let crossings = (marks.iter())
                        .filter(|x| x[axis] != 0.0)
                        .map(|x| sign * x[c] / x[axis]);
                    cuts.extend(crossings.filter(|u| u.abs() < 1.0));
                    cuts.sort_unstable_by(f64::total_cmp);
                    cuts.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
                    let longer = |range: &Vec<(f64, f64)>| -> Vec<Vec<(f64, f64)>> {
                        let pieces = cuts.windows(2).map(|cut| (cut[0], cut[1]));
                        pieces
                            .map(|piece| [&range[..], &[piece]].concat())
                            .collect()
                    };
                    ranges = ranges.iter().flat_map(longer).collect();
                }
                all.extend(ranges.into_iter().map(|ranges| Place {
                    axis,
                    sign,
                    ranges,
                    radius,
                }));
            }
        }
    }
    all
}

/// Chebyshev's polynomials at t.
fn chebyshev(t: f64, count: usize) -> Vec<f64> {
    let mut all = vec![1.0, t];
    for k in 2..count {
        all.push(2.0 * t * all[k - 1] - all[k - 2]);
    }
    all
}

/// The product of the polynomials of a term, whose digits are their numbers, the last side's first.
fn product(polynomials: &[Vec<f64>], mut term: usize) -> f64 {
    let digit = |all: &Vec<f64>| {
        let number = term % all.len();
        term /= all.len();
        all[number]
    };
    polynomials.iter().rev().map(digit).product()
}

fn fit(moments: &Moments, place: &Place) -> Fit {
    let sides = place.ranges.len();
    let (count, precision) = RULES[sides - 1];
    let root = |k: usize| (PI * (k as f64 + 0.5) / count as f64).cos();
    let terms = count.pow(sides as u32);
    let digits = |mut term: usize| -> Vec<usize> {
        let mut all = vec![0; sides];
        for digit in all.iter_mut().rev() {
            *digit = term % count;
            term /= count;
        }
        all
    };
    let known: Vec<Vec<Average>> = (0..terms)
        .into_par_iter()
        .map(|node| {
            let t: Vec<f64> = digits(node).into_iter().map(root).collect();
            (moments.with)(&place.point(&t))
        })
        .collect();
    // Values become coefficients side by side.
    let mut rows: Vec<Vec<f64>> = (known.iter())
        .map(|all| all.iter().map(|average| average.moment.value).collect())
        .collect();
    for side in 0..sides {
        let stride = count.pow((sides - 1 - side) as u32);
        let mut next = vec![vec![0.0; moments.points]; terms];
        for (term, row) in next.iter_mut().enumerate() {
            let number = term / stride % count;
            let first = term - number * stride;
            let unit = if number == 0 { 1.0 } else { 2.0 } / count as f64;
            for k in 0..count {
                let angle = PI * number as f64 * (k as f64 + 0.5) / count as f64;
                let weight = unit * angle.cos();
                let value = &rows[first + k * stride];
                row.iter_mut()
                    .zip(value)
                    .for_each(|(c, v)| *c += weight * v);
            }
        }
        rows = next;
    }
    // What the polynomials that are left out carry is no more than the last two of each side do.
    let mut tails = vec![vec![0.0; moments.points]; sides];
    for (term, row) in rows.iter().enumerate() {
        for (tail, digit) in tails.iter_mut().zip(digits(term)) {
            if digit + 2 >= count {
                tail.iter_mut()
                    .zip(row)
                    .for_each(|(t, c): (&mut f64, &f64)| *t += c.abs());
            }
        }
    }
    let most = |p: usize, of: &dyn Fn(&Average) -> f64| {
        known.iter().map(|all| of(&all[p])).fold(0.0, f64::max)
    };
    let (mut errors, mut longest) = (Vec::new(), (1.0, None));
    for p in 0..moments.points {
        let (error, size) = (most(p, &|a| a.moment.error), most(p, &|a| a.size));
        let bound = (precision * size).max(3.0 * error);
        for (side, tail) in tails.iter().enumerate() {
            let excess = tail[p] / bound;
            if excess > longest.0 {
                longest = (excess, Some(side));
            }
        }
        // The sum of the polynomials' weights in a value is 2 or 3 along each side.
        let of_nodes = 2.5f64.powi(sides as i32).min(8.0) * error;
        errors.push(tails.iter().map(|tail| tail[p]).sum::<f64>() + of_nodes);
    }
    Fit {
        coefficients: rows,
        errors,
        longest: longest.1,
    }
}
