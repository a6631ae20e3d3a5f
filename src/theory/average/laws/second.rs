//! Second moments E[h(x) h(y)] of a hidden unit, for many pairs of points.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::super::exponential::Exponentials;
use super::{INFINITE, Moment, Unit, closed, diverge, is_good, is_steep, law, moments, numeric};
use crate::model::{Law, Net};
use crate::tensor::multisets;

/// Points with kinks that are averaged over together.
const MAX_POINTS: usize = 6;

/// How second moments of a net's first layer are found.
pub struct SecondMoments {
    net: Net,
    laws: Vec<Law>,
    closed: Option<Exponentials>,
}

/// A point of many pairs.
pub struct Point {
    x: Vec<f64>,
    form: Vec<f64>,
    /// The root of E[h^2] by the closed form, once a pair has needed it.
    size: OnceLock<f64>,
}

impl SecondMoments {
    /// Those of a net.
    pub fn new(net: &Net) -> Self {
        let closed = Exponentials::of(net.activation().tape());
        Self {
            laws: (0..=net.d_in()).map(|v| law(net, v)).collect(),
            closed: closed.filter(Exponentials::is_short),
            net: net.clone(),
        }
    }

    /// Whether they have a closed form, so that many of them take little time.
    pub fn are_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// A point.
    pub fn point(&self, x: &[f64]) -> Point {
        Point {
            form: self.net.linear_form(x),
            size: OnceLock::new(),
            x: x.to_vec(),
        }
    }

    /// Whether E[h^2] exists at a point.
    pub fn exists_at(&self, point: &Point) -> bool {
        !diverge(
            &self.laws,
            &[&point.form],
            self.net.activation().growth(),
            2,
        )
    }

    /// E[h(x) h(y)] of two points.
    pub fn of(&self, x: &Point, y: &Point) -> Moment {
        self.closed(x, y).unwrap_or_else(|| {
            let (unit, activation) = (
                Unit::new(&self.net, [&x.x[..], &y.x]),
                self.net.activation(),
            );
            match unit.diverges(activation.growth(), 2) {
                true => INFINITE,
                false => numeric(activation, &unit, 2)[1],
            }
        })
    }

    /// By the closed form, if there is one and its terms do not cancel.
    fn closed(&self, x: &Point, y: &Point) -> Option<Moment> {
        let sum = self.closed.as_ref()?;
        let of = |pair: [&Point; 2]| {
            closed::moment(sum, &self.laws, &pair.map(|point| &point.form), &[0, 1])
        };
        let size =
            |point: &Point| *(point.size).get_or_init(|| of([point, point]).value.abs().sqrt());
        let moment = of([x, y]);
        let is_good =
            is_good(&moment, size(x) * size(y)) || [x, y].iter().any(|p| is_steep(&p.form));
        // Where E[h^2] does not exist the function above is no moment.
        (is_good && self.exists_at(x) && self.exists_at(y)).then_some(moment)
    }

    /// E[h(x) h(y)] at pairs of several points: all at once where that takes no longer.
    pub fn of_pairs(&self, points: &[Vec<f64>], pairs: &[Vec<usize>]) -> Vec<Moment> {
        let activation = self.net.activation();
        // Kinks of many points would cut space into too many panels.
        let is_cut = !activation.kinks().is_empty() && points.len() > MAX_POINTS;
        if self.closed.is_some() || is_cut {
            let points: Vec<Point> = points.iter().map(|x| self.point(x)).collect();
            let of = |pair: &Vec<usize>| self.of(&points[pair[0]], &points[pair[1]]);
            return pairs.par_iter().map(of).collect();
        }
        let unit = Unit::new(&self.net, points.iter().map(Vec::as_slice));
        let all = multisets(points.len(), 2);
        let moments = moments(activation, &unit, 2);
        (pairs.iter())
            .map(|pair| {
                let sorted = vec![pair[0].min(pair[1]), pair[0].max(pair[1])];
                moments[all.binary_search(&sorted).expect("all pairs are there")]
            })
            .collect()
    }
}
