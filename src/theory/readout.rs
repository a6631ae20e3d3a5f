//! This module says what readouts whose weights or biases are not normal add to the cumulants of f.

use crate::model::{Law, Layer, Net};
use crate::tensor::{OwnedTuple, Tuple};

/// `Readout` holds the laws of the last affine layer.
///
/// Outputs are sums over N independent units, so that their cumulants are sums of those of one unit's
/// share. With the moments mu of the law of the weights,
///
/// ```text
/// kappa_4 = sigma_w^4 / N [ mu_4 M(1234) - sum_3 M(12) M(34) ] + kappa_4(bias)
/// kappa_6 = sigma_w^6 / N^2 [ mu_6 M(123456) - mu_4 sum_15 M(abcd) M(ef) + 2 sum_15 M(ab) M(cd) M(ef) ]
///           + kappa_6(bias),
/// ```
///
/// which differ from those of normal weights, mu_4 = 3 and mu_6 = 15, by the differences of mu_4 and
/// mu_6 alone. With several outputs, mu of some positions is the product over outputs of the moments
/// of that many weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readout {
    layer: Layer,
    is_normal: bool,
}

/// A split is four positions of a 6-point function, and the points of the two others, which have one
/// output.
pub(super) struct Split {
    pub four: OwnedTuple,
    pub two: [usize; 2],
}

impl Readout {
    pub fn of(net: &Net) -> Self {
        Self {
            layer: net.readout(),
            is_normal: net.has_gaussian_readout(),
        }
    }

    /// Tells whether there is nothing to add.
    pub fn is_normal(&self) -> bool {
        self.is_normal
    }

    /// Returns E of the product of weights of unit variance at the positions of a tuple, less that of
    /// normal ones.
    pub fn excess(&self, tuple: Tuple) -> f64 {
        let mut counts: Vec<u32> = Vec::new();
        let mut outputs = tuple.outputs().map(<[usize]>::to_vec).unwrap_or_default();
        match outputs.is_empty() {
            true => counts.push(tuple.order() as u32),
            false => {
                outputs.sort_unstable();
                counts.extend(outputs.chunk_by(|a, b| a == b).map(|run| run.len() as u32));
            }
        }
        let product = |law: Law| counts.iter().map(|&n| law.moment(n)).product::<f64>();
        product(self.layer.law_w) - product(Law::Gaussian)
    }

    /// Returns the cumulant of the biases at the positions of a tuple: none of different outputs.
    pub fn of_bias(&self, tuple: Tuple) -> f64 {
        let outputs = tuple.outputs().unwrap_or_default();
        match outputs.windows(2).all(|pair| pair[0] == pair[1]) {
            true => {
                let order = tuple.order();
                self.layer.law_b.cumulant(order as u32) * self.layer.sigma_b.powi(order as i32)
            }
            false => 0.0,
        }
    }

    /// Lists the ways to take two positions of one output off a tuple of six; none where there is
    /// nothing to add.
    pub fn splits(&self, tuple: Tuple) -> Vec<Split> {
        if self.is_normal {
            return Vec::new();
        }
        let pairs = (0..6u32).flat_map(|i| (0..i).map(move |j| 1 << i | 1 << j));
        pairs
            .map(|pair| tuple.split(pair))
            .filter(|(two, _)| !two.tuple().pairings().is_empty())
            .map(|(two, four)| Split {
                four,
                two: [two.points[0], two.points[1]],
            })
            .collect()
    }
}
