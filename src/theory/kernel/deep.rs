//! Kernels of deep nets: the map that takes the covariance of one layer's pre-activations to that of the next.

use std::f64::consts::{FRAC_2_PI, SQRT_2};

use super::super::average::{Moment, laws};
use super::homogeneous::{Correlated, Homogeneous};
use super::plane::Pair;
use super::second::{self, SecondMoments};
use crate::model::{Activation, Builtin, Layer, Net};

/// The layers that follow the first hidden one.
pub struct Deeper {
    map: Map,
    /// The affine maps between hidden layers, with their second moments where biases are not normal.
    layers: Vec<(Layer, Option<laws::SecondMoments>)>,
}

/// E[h h] as a function of the covariance of normal pre-activations.
enum Map {
    Homogeneous(Homogeneous),
    Erf,
    Any(SecondMoments),
}

/// A point's pre-activation in one layer.
pub struct Place {
    variance: f64,
    of_map: Option<second::Point>,
}

impl Deeper {
    /// Those of a net; `None` if it has one hidden layer.
    pub fn of(net: &Net) -> Option<Self> {
        let hidden = &net.layers()[1..net.depth()];
        let biased = |layer: &Layer| {
            let is_normal = layer.law_b.is_gaussian() || layer.sigma_b == 0.0;
            (!is_normal).then(|| laws::SecondMoments::new(&with_bias(net.activation(), layer)))
        };
        (!hidden.is_empty()).then(|| Self {
            map: Map::new(net),
            layers: hidden.iter().map(|layer| (*layer, biased(layer))).collect(),
        })
    }

    /// Whether a value takes no quadrature.
    pub fn is_closed(&self) -> bool {
        let map = match &self.map {
            Map::Homogeneous(_) | Map::Erf => true,
            Map::Any(second) => second.has_closed_form(),
        };
        map && (self.layers.iter())
            .all(|(_, biased)| biased.as_ref().is_none_or(|b| b.are_closed()))
    }

    /// A point layer by layer, from its E[h^2] in the first one.
    pub fn places(&self, first: Moment) -> Vec<Place> {
        let mut second = first.value;
        let mut places = Vec::with_capacity(self.layers.len());
        for (layer, _) in &self.layers {
            let variance = next(layer, second);
            places.push(Place {
                variance,
                of_map: self.map.point(variance),
            });
            let place = &places[places.len() - 1];
            second = self.step(places.len() - 1, variance, place, place).value;
        }
        places
    }

    /// E[h(x) h(y)] in the last hidden layer, from that in the first.
    pub fn last(&self, first: Moment, x: &[Place], y: &[Place]) -> Moment {
        self.each(first, x, y).last().unwrap_or(first)
    }

    /// E[h(x) h(y)] in every hidden layer but the first, from that in the first.
    pub fn each<'a>(
        &'a self,
        first: Moment,
        x: &'a [Place],
        y: &'a [Place],
    ) -> impl Iterator<Item = Moment> + 'a {
        (0..self.layers.len()).scan(first, move |second, l| {
            let layer = &self.layers[l].0;
            let (x, y) = (&x[l], &y[l]);
            let covariance = next(layer, second.value);
            let after = self.step(l, covariance, x, y);
            // Errors stay what they are, relative to the sizes: a covariance is contracted, or is about to be.
            let size = (x.variance * y.variance).sqrt();
            let passed = match size > 0.0 {
                true => layer.sigma_w.powi(2) * second.error / size,
                false => 0.0,
            };
            *second = Moment {
                error: after.error + passed * self.size(l, x) * self.size(l, y),
                ..after
            };
            Some(*second)
        })
    }

    fn size(&self, l: usize, at: &Place) -> f64 {
        self.step(l, at.variance, at, at).value.abs().sqrt()
    }

    fn step(&self, l: usize, covariance: f64, x: &Place, y: &Place) -> Moment {
        match &self.layers[l] {
            (_, None) => self.map.of(covariance, x, y),
            (layer, Some(second)) => {
                // The bias has a law of its own: pre-activations less it are normal.
                let bias = layer.sigma_b.powi(2);
                let [xx, yy] = [x.variance, y.variance].map(|v| (v - bias).max(0.0));
                let [x, y] = forms([xx, covariance - bias, yy]).map(|form| second.point(&form));
                second.of(&x, &y)
            }
        }
    }
}

/// The covariance of a layer's pre-activations.
fn next(layer: &Layer, second: f64) -> f64 {
    layer.sigma_b.powi(2) + layer.sigma_w.powi(2) * second
}

/// A net of one hidden layer whose pre-activations are sums of two coordinates times normals, and a bias.
fn with_bias(activation: &Activation, layer: &Layer) -> Net {
    let net =
        Net::new(activation.clone(), 2).with_law_b(vec![layer.law_b, crate::model::Law::Gaussian]);
    (net.expect("one law for each affine layer")
        .with_sigma_w(SQRT_2))
    .with_sigma_b(layer.sigma_b)
}

/// Pre-activations as linear forms of two normals.
fn forms([xx, xy, yy]: [f64; 3]) -> [Vec<f64>; 2] {
    let [x, y] = [xx.sqrt(), yy.sqrt()];
    if x == 0.0 || y == 0.0 {
        return [vec![x, 0.0], vec![y, 0.0]];
    }
    let pair = Correlated::new([xx, xy, yy]);
    [vec![x, 0.0], vec![y * pair.cosine, y * pair.sine]]
}

impl Map {
    fn new(net: &Net) -> Self {
        let activation = net.activation();
        if let Some(homogeneous) = Homogeneous::of(activation) {
            return Self::Homogeneous(homogeneous);
        }
        match net.builtin() {
            Some(Builtin::Erf) => Self::Erf,
            Some(Builtin::Relu | Builtin::ExpNormalised) | None => {
                Self::Any(SecondMoments::new(activation))
            }
        }
    }

    fn point(&self, variance: f64) -> Option<second::Point> {
        match self {
            Self::Homogeneous(_) | Self::Erf => None,
            Self::Any(second) => Some(second.point(vec![variance.sqrt()])),
        }
    }

    fn of(&self, xy: f64, x: &Place, y: &Place) -> Moment {
        let (xx, yy) = (x.variance, y.variance);
        let varies = xx > 0.0 && yy > 0.0;
        match (self, &x.of_map, &y.of_map) {
            (Self::Homogeneous(_), ..) if !varies => Moment::ZERO,
            (Self::Homogeneous(h), ..) => h.moment(Correlated::new([xx, xy, yy])).into(),
            (Self::Erf, ..) => {
                // The angle between pre-activations with noise, by atan2 as in one hidden layer.
                let [a, b] = [xx, yy].map(|k| 1.0 + 2.0 * k);
                let rest = (a * b - 4.0 * xy * xy).max(0.0).sqrt();
                (FRAC_2_PI * (2.0 * xy).atan2(rest)).into()
            }
            (Self::Any(second), Some(x), Some(y)) => {
                let pair = varies.then(|| Correlated::new([xx, xy, yy]));
                let pair =
                    pair.map(|Correlated { x, y, cosine, sine }| Pair { x, y, cosine, sine });
                second.of_pair(x, y, pair)
            }
            (Self::Any(_), ..) => unreachable!("places of another map"),
        }
    }
}
