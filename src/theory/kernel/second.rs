//! Second moments E[h(x) h(y)] of any activation, for many pairs of points.

use std::sync::OnceLock;

use super::super::average::Moment;
use super::super::average::exponential::Exponentials;
use super::Gram;
use super::hermite::{Coefficients, Series};
use super::plane::{self, Pair};
use super::step::Stepped;
use crate::model::Activation;

/// Errors above this part of E[h^2] are left to a slower rule.
const PRECISION: f64 = 1e-12;
/// The same of closed forms whose terms cancel.
const CANCELLED: f64 = 1e-13;

/// How second moments of an activation are found: by the closed form of its tape, else by Mehler's
/// series, and where points are so nearly parallel that it does not converge, by quadrature.
pub struct SecondMoments {
    activation: Activation,
    closed: Option<Closed>,
    series: Series,
}

/// A point of many pairs.
pub struct Point {
    form: Vec<f64>,
    /// The standard deviation of its pre-activation.
    length: f64,
    /// Those of the series, once a pair has needed them.
    coefficients: OnceLock<Coefficients>,
}

/// Tapes whose second moments have a closed form.
enum Closed {
    /// sin, cos, exp, polynomials.
    Exponentials(Exponentials),
    /// step, abs, leaky ReLU, GELU.
    Stepped(Stepped),
}

impl SecondMoments {
    /// Those of an activation; coefficients of the series come with the first pair that needs them.
    pub fn new(activation: &Activation) -> Self {
        let tape = activation.tape();
        let exponentials = Exponentials::of(tape).filter(Exponentials::is_short);
        let closed = (exponentials.map(Closed::Exponentials))
            .or_else(|| Stepped::of(tape).map(Closed::Stepped));
        Self {
            closed,
            series: Series::new(activation.clone()),
            activation: activation.clone(),
        }
    }

    /// Whether the activation is one of those with a closed form.
    pub fn has_closed_form(&self) -> bool {
        self.closed.is_some()
    }

    /// A point, known by its pre-activation as a linear form of independent standard normals.
    pub fn point(&self, form: Vec<f64>) -> Point {
        Point {
            length: form.iter().fold(0.0, |h, x| x.hypot(h)),
            coefficients: OnceLock::new(),
            form,
        }
    }

    /// E[h(x) h(y)] of two points.
    pub fn of(&self, x: &Point, y: &Point) -> Moment {
        self.closed(x, y).unwrap_or_else(|| self.numeric(x, y))
    }

    /// E[h(x) h(y)] of two points of which only lengths are known, and how they correlate: `None` where one of
    /// them does not vary.
    pub fn of_pair(&self, x: &Point, y: &Point, pair: Option<Pair>) -> Moment {
        let Some(pair) = pair else {
            return self.numeric(x, y);
        };
        let forms = [
            vec![pair.x, 0.0],
            vec![pair.y * pair.cosine, pair.y * pair.sine],
        ];
        let [a, b] = forms.map(|form| self.point(form));
        (self.closed(&a, &b)).unwrap_or_else(|| self.correlated(x, y, pair))
    }

    /// The same of one pair alone, which a table would not pay for.
    pub fn once(&self, x: &Point, y: &Point) -> Moment {
        let moment = self.closed(x, y);
        moment.unwrap_or_else(|| match x.length > 0.0 && y.length > 0.0 {
            true => plane::moment(&self.activation, pair(x, y)),
            false => self.numeric(x, y),
        })
    }

    fn closed(&self, x: &Point, y: &Point) -> Option<Moment> {
        match self.closed.as_ref()? {
            Closed::Exponentials(sum) => {
                let forms = [&x.form, &y.form];
                let moment = sum.moment(&forms, &[0, 1]);
                let [a, b] = [0, 1].map(|i| sum.moment(&forms, &[i, i]).value.abs().sqrt());
                // Where terms cancel others are better.
                (moment.error <= CANCELLED * a * b).then_some(moment)
            }
            Closed::Stepped(stepped) => stepped.moment(&x.form, &y.form),
        }
    }

    /// Without a closed form.
    pub fn numeric(&self, x: &Point, y: &Point) -> Moment {
        if x.length == 0.0 || y.length == 0.0 {
            return self.coefficients(x).with(self.coefficients(y), 0.0);
        }
        self.correlated(x, y, pair(x, y))
    }

    fn coefficients<'p>(&self, point: &'p Point) -> &'p Coefficients {
        let at = || self.series.at(point.length);
        point.coefficients.get_or_init(at)
    }

    fn correlated(&self, x: &Point, y: &Point, pair: Pair) -> Moment {
        let [of_x, of_y] = [x, y].map(|point| self.coefficients(point));
        let moment = of_x.with(of_y, pair.cosine);
        if moment.error <= PRECISION * of_x.size() * of_y.size() {
            return moment;
        }
        plane::moment(&self.activation, pair)
    }
}

fn pair(x: &Point, y: &Point) -> Pair {
    let unit = (x.form.iter().zip(&y.form)).map(|(a, b)| (a / x.length, b / y.length));
    let gram = Gram::new(unit);
    Pair {
        x: x.length,
        y: y.length,
        cosine: gram.xy,
        sine: gram.determinant.sqrt(),
    }
}
