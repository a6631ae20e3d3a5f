use crate::model::{Law, Layer, Net};
use crate::stream::InnerLayout;
use crate::theory::kernel;

/// `Inner` is an affine layer above the first, as engines draw it.
///
/// Where the weights are normal, the units of the layer, given the layer below, are independent
/// draws of a normal vector at the P points, with the covariance
///
/// ```text
/// C(p, q) = sigma_b^2 + sigma_w^2 / n sum_j h_j(p) h_j(q),
/// ```
///
/// so that P normals and a factor of C do for the n weights of a unit. A bias of another law is
/// drawn beside them. Where there are more points than weights, or weights of another law, the
/// weights are drawn.
#[derive(Debug, Clone)]
pub struct Inner {
    /// Places of the layer's variates in the random stream.
    pub layout: InnerLayout,
    /// What a unit is made of.
    pub by: By,
    /// Law of the biases.
    pub law_b: Law,
    /// Factor sigma_b of a bias that is drawn by itself, else 0.
    pub bias: f64,
    /// Factor sigma_w / sqrt(n) of the weights, n the width of the layer below.
    pub scale: f64,
    /// Variance at infinite width of the layer's pre-activations at each point, for activations that
    /// take it.
    pub variances: Vec<f64>,
}

/// `By` says what the units of a layer are made of, given the layer below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum By {
    /// Normals with the covariance of the layer: as many as points.
    Covariance {
        /// What normal biases add to the covariance, sigma_b^2, else 0.
        bias: f64,
    },
    /// Weights of a law: as many as units of the layer below.
    Weights(Law),
}

impl By {
    fn of(layer: &Layer, may_be_covariance: bool) -> Self {
        let is_normal = layer.law_w.is_gaussian() || layer.sigma_w == 0.0;
        match is_normal && may_be_covariance {
            false => Self::Weights(layer.law_w),
            true => Self::Covariance {
                bias: match layer.law_b.is_gaussian() {
                    true => layer.sigma_b * layer.sigma_b,
                    false => 0.0,
                },
            },
        }
    }
}

impl Inner {
    /// Describes the affine layers above the first, of a net at `points`; none for a net with one
    /// hidden layer, whose readout has a stream of its own. `ends_in_outputs` tells whether the
    /// readout is drawn, `by_covariance` whether that is a choice.
    pub(super) fn all(
        net: &Net,
        points: &[Vec<f64>],
        ends_in_outputs: bool,
        by_covariance: bool,
    ) -> Vec<Self> {
        let count = match (net.depth(), ends_in_outputs) {
            (1, _) => 0,
            (depth, true) => depth,
            (depth, false) => depth - 1,
        };
        let uses_variance = net.activation().tape().uses_variance();
        (1..=count)
            .map(|l| {
                let (layer, fan_in) = (net.layers()[l], net.layers()[l - 1].width);
                let by = By::of(&layer, by_covariance && points.len() as u64 <= fan_in);
                let (weights, bias) = match by {
                    By::Covariance { .. } => (points.len() as u64, !layer.law_b.is_gaussian()),
                    By::Weights(_) => (fan_in, true),
                };
                let bias = if bias { layer.sigma_b } else { 0.0 };
                Self {
                    layout: InnerLayout {
                        layer: l as u64,
                        units: layer.width,
                        components: weights + u64::from(bias != 0.0),
                    },
                    by,
                    law_b: layer.law_b,
                    bias,
                    scale: layer.sigma_w / (fan_in as f64).sqrt(),
                    variances: match uses_variance {
                        true => variances(&net.up_to(l), points),
                        false => vec![0.0; points.len()],
                    },
                }
            })
            .collect()
    }
}

/// Returns the variance at infinite width of the outputs of a net.
fn variances(net: &Net, points: &[Vec<f64>]) -> Vec<f64> {
    points.iter().map(|x| kernel(net, x, x)).collect()
}
