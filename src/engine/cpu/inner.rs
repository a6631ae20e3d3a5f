//! This module draws the layers above the first, given the hidden values below them (twin of
//! `shaders/deep/layer.wgsl` and `shaders/deep/factorise.wgsl`).

use std::ops::Range;

use super::activation::{Activation, Erf, Exp, Relu};
use super::drawing::ROWS;
use super::networks::{At, TILE, UNITS, Work, add_cumulants};
use super::rows::{Tile, add_products};
use super::{Code, Setup};
use crate::model::Builtin;
use crate::plan::{By, Inner};
use crate::simd::{Aligned, has_fma, madd, vectorised};

/// Pivots below this part of the variance are zero: what is left of points that depend on others is
/// rounding.
const SMALLEST_PIVOT: f64 = 8.0 * f64::EPSILON;

/// `Rooms` holds what the layers above the first need beside the rows of a group.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Factor R of the covariance C = R R^T, the lower triangle row by row.
    factor: Vec<Tile>,
    /// Inverse roots of the pivots, zero where a pivot is, `[point]`.
    inverse: Vec<Tile>,
    /// Hidden values of the layer below and of the layer that is drawn, `[unit][point][lane]`,
    /// where weights take them.
    below: Aligned,
    kept: Aligned,
}

impl Rooms {
    pub fn new(setup: &Setup) -> Self {
        let points = setup.linear.len();
        let widest = (setup.inner.iter())
            .filter(|inner| matches!(inner.by, By::Weights(_)))
            .map(|inner| setup.width_below(inner))
            .max();
        let values = widest.unwrap_or(0) as usize * points * TILE;
        let pairs = match setup.inner.is_empty() {
            true => 0,
            false => points * (points + 1) / 2,
        };
        Self {
            factor: vec![[0.0; TILE]; pairs],
            inverse: vec![[0.0; TILE]; points],
            below: Aligned::new(0.0, values),
            kept: Aligned::new(0.0, values),
        }
    }

    /// Keeps the values of some units, from number `first` on, for a layer that takes them one by
    /// one.
    #[inline(always)]
    pub fn keep(&mut self, values: &[f64], first: usize, units: usize) {
        let points = values.len() / ROWS;
        for (p, values) in values.chunks_exact(ROWS).enumerate() {
            let rows = values.chunks_exact(TILE).take(units);
            for (unit, row) in rows.enumerate() {
                let at = ((first + unit) * points + p) * TILE;
                self.kept[at..at + TILE].copy_from_slice(row);
            }
        }
    }
}

/// Draws the layers above the first of 16 networks whose sums over the first layer's units are
/// there; outputs go to `fields`.
pub(super) fn draw(setup: &Setup, work: &mut Work, at: At, fields: &mut [Tile]) {
    for (k, inner) in setup.inner.iter().enumerate() {
        if let By::Covariance { bias } = inner.by {
            factorise(setup, work, inner, bias);
        }
        let rooms = &mut work.rooms;
        std::mem::swap(&mut rooms.below, &mut rooms.kept);
        work.sums.fill([0.0; TILE]);
        let end = match setup.is_output(k) {
            true => End::Outputs,
            false => End::Hidden {
                next_takes_values: setup.takes_values(k + 1),
                is_last: k + 1 == setup.inner.len(),
            },
        };
        let units = inner.layout.units as usize;
        for unit in (0..units).step_by(UNITS) {
            let part = Part {
                inner,
                end,
                at: At { unit, ..at },
                units: UNITS.min(units - unit),
            };
            add_units(setup, work, &part, fields);
        }
    }
}

/// `End` says what becomes of a layer's pre-activations.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// They are the outputs.
    Outputs,
    /// They are activated, and summed for the covariance of the next layer, or kept for its
    /// weights. Those of the last layer that is drawn make the fields.
    Hidden {
        next_takes_values: bool,
        is_last: bool,
    },
}

/// `Part` is up to 16 units of a layer.
struct Part<'a> {
    inner: &'a Inner,
    end: End,
    at: At,
    units: usize,
}

vectorised! {
    fn factorise(setup: &Setup, work: &mut Work, inner: &Inner, bias: f64) {
        factors::<{ has_fma!() }>(setup.linear.len(), work, inner.scale * inner.scale, bias);
    }
}

vectorised! {
    fn add_units(setup: &Setup, work: &mut Work, part: &Part, fields: &mut [Tile]) {
        units::<{ has_fma!() }>(setup, work, part, fields);
    }
}

/// Factors the covariance that the sums over units give, by Cholesky's method. Zero pivots are
/// legitimate: points on one ray of a homogeneous net, repeated points.
#[inline(always)]
fn factors<const FMA: bool>(points: usize, work: &mut Work, scale: f64, bias: f64) {
    let sums = &work.sums;
    let Rooms {
        factor, inverse, ..
    } = &mut work.rooms;
    for p in 0..points {
        let (above, row) = factor.split_at_mut(start(p));
        for c in 0..=p {
            let sum = &sums[pair(points, c, p)];
            let mut rest: Tile = sum.map(|s| madd::<FMA>(s, scale, bias));
            let variance = rest;
            let other = match c == p {
                true => None,
                false => Some(&above[start(c)..][..c]),
            };
            for k in 0..c {
                let a = row[k];
                let b = other.map_or(a, |other| other[k]);
                for l in 0..TILE {
                    rest[l] = madd::<FMA>(-a[l], b[l], rest[l]);
                }
            }
            for l in 0..TILE {
                if c == p {
                    let is_zero = rest[l] <= SMALLEST_PIVOT * variance[l];
                    inverse[c][l] = if is_zero { 0.0 } else { 1.0 / rest[l].sqrt() };
                }
                row[c][l] = rest[l] * inverse[c][l];
            }
        }
    }
}

/// Tells where row p of a lower triangle starts.
fn start(p: usize) -> usize {
    p * (p + 1) / 2
}

/// Tells where the pair p <= q is among all pairs of points.
fn pair(points: usize, p: usize, q: usize) -> usize {
    p * points - p * (p + 1) / 2 + q
}

/// Draws some units of a layer.
#[inline(always)]
fn units<const FMA: bool>(setup: &Setup, work: &mut Work, part: &Part, fields: &mut [Tile]) {
    let rows = part.units * TILE;
    fill_values::<FMA>(setup, work, part);
    let points = setup.linear.len();
    let End::Hidden {
        next_takes_values,
        is_last,
    } = part.end
    else {
        for (unit, outputs) in (fields[part.at.unit * points..].chunks_exact_mut(points))
            .take(part.units)
            .enumerate()
        {
            for (field, values) in outputs.iter_mut().zip(work.values.chunks_exact(ROWS)) {
                field.copy_from_slice(&values[unit * TILE..][..TILE]);
            }
        }
        return;
    };
    for (values, v) in (work.values.chunks_exact_mut(ROWS)).zip(&part.inner.variances) {
        let values = &mut values[..rows];
        match &setup.code {
            Code::Builtin(Builtin::Erf) => activate::<FMA, Erf>(values, 0.0),
            Code::Builtin(Builtin::Relu) => activate::<FMA, Relu>(values, 0.0),
            Code::Builtin(Builtin::ExpNormalised) => activate::<FMA, Exp>(values, *v),
            Code::Tape { evaluator, .. } => evaluator.apply(values, *v, &mut work.scratch),
        }
    }
    match next_takes_values {
        true => (work.rooms).keep(&work.values, part.at.unit, part.units),
        false => add_pairs::<FMA>(&work.values, &mut work.sums, points, rows),
    }
    if is_last {
        add_cumulants::<FMA>(setup, work, rows);
    }
    work.record(points, part.units);
}

/// Replaces pre-activations by the activation of z - offset.
#[inline(always)]
fn activate<const FMA: bool, A: Activation>(values: &mut [f64], offset: f64) {
    for z in values {
        *z = A::of::<FMA>(*z - offset);
    }
}

/// Adds products of hidden values at two points to their sums.
#[inline(always)]
pub(super) fn add_pairs<const FMA: bool>(
    values: &[f64],
    sums: &mut [Tile],
    points: usize,
    rows: usize,
) {
    let of = |p: usize| &values[p * ROWS..][..rows];
    let mut sums = sums.iter_mut();
    for p in 0..points {
        for (q, sum) in (p..points).zip(&mut sums) {
            add_products::<FMA>(sum, of(p), of(q));
        }
    }
}

/// Computes the pre-activations of some units at all points.
#[inline(always)]
fn fill_values<const FMA: bool>(setup: &Setup, work: &mut Work, part: &Part) {
    let (inner, rows) = (part.inner, part.units * TILE);
    let points = setup.linear.len();
    let bias_at = match inner.by {
        By::Covariance { .. } => {
            draw_components::<FMA>(setup, work, part, 0..points);
            for p in 0..points {
                let factor = &work.rooms.factor[start(p)..][..=p];
                let values = &mut work.values[p * ROWS..][..rows];
                combine::<FMA>(factor, &work.hidden, rows, values);
            }
            points
        }
        By::Weights(_) => {
            work.values.fill(0.0);
            let below = setup.width_below(inner) as usize;
            for j in 0..below {
                draw_components::<FMA>(setup, work, part, j..j + 1);
                let weights = &mut work.hidden[..rows];
                weights.iter_mut().for_each(|w| *w *= inner.scale);
                let values = work.values.chunks_exact_mut(ROWS);
                let hidden = work.rooms.below[j * points * TILE..].chunks_exact(TILE);
                for (values, hidden) in values.zip(hidden) {
                    for (z, w) in
                        (values[..rows].chunks_exact_mut(TILE)).zip(weights.chunks_exact(TILE))
                    {
                        for l in 0..TILE {
                            z[l] = madd::<FMA>(w[l], hidden[l], z[l]);
                        }
                    }
                }
            }
            below
        }
    };
    if inner.bias != 0.0 {
        draw_components::<FMA>(setup, work, part, bias_at..bias_at + 1);
        for values in work.values.chunks_exact_mut(ROWS) {
            for (z, b) in values[..rows].iter_mut().zip(work.hidden.iter()) {
                *z = madd::<FMA>(*b, inner.bias, *z);
            }
        }
    }
}

/// Draws some components of some units to the front of the buffer for variates.
#[inline(always)]
fn draw_components<const FMA: bool>(
    setup: &Setup,
    work: &mut Work,
    part: &Part,
    components: Range<usize>,
) {
    let inner = part.inner;
    let law = match inner.by {
        _ if components.start as u64 + 1 == inner.layout.components && inner.bias != 0.0 => {
            inner.law_b
        }
        By::Covariance { .. } => crate::model::Law::Gaussian,
        By::Weights(law) => law,
    };
    (work.source).inner::<FMA>(
        setup.seed,
        &inner.layout,
        part.at,
        components,
        law,
        &mut work.hidden,
    );
}

/// Computes a row of R g for some units, each with its normals g.
#[inline(always)]
fn combine<const FMA: bool>(factor: &[Tile], normals: &[f64], rows: usize, values: &mut [f64]) {
    let (values, _) = values.as_chunks_mut::<TILE>();
    for (unit, z) in values.iter_mut().enumerate() {
        let mut total = [0.0; TILE];
        for (c, factor) in factor.iter().enumerate() {
            let normals = &normals[c * rows + unit * TILE..][..TILE];
            for l in 0..TILE {
                total[l] = madd::<FMA>(factor[l], normals[l], total[l]);
            }
        }
        *z = total;
    }
}

#[cfg(test)]
mod tests;
