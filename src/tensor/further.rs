//! This module adds to the connected estimator what outputs have that are not Gaussian given the
//! hidden layers: fourth and sixth cumulants.

use std::collections::BTreeMap;
use std::ops::Range;

use super::index::pair_number;
use super::{Tuple, multisets};

/// Lists the points of every field of the connected estimator, for even orders: the pairs of D, and
/// unless outputs less their biases are Gaussian given the hidden layers, the multisets of their
/// cumulants of order 4, and of order 6, up to the highest order.
///
/// ```
/// use nnqft_gpu::tensor::connected_fields;
///
/// assert_eq!(connected_fields(6, &[2, 4, 6], true).len(), 21);
/// assert_eq!(connected_fields(6, &[2, 4, 6], false).len(), 21 + 126 + 462);
/// assert_eq!(connected_fields(1, &[4], false), [vec![0; 2], vec![0; 4]]);
/// ```
pub fn connected_fields(points: usize, orders: &[usize], is_gaussian: bool) -> Vec<Vec<usize>> {
    let highest = orders.iter().copied().max().unwrap_or(0);
    let further = [4, 6].into_iter().filter(|&n| !is_gaussian && n <= highest);
    (std::iter::once(2).chain(further))
        .flat_map(|n| multisets(points, n))
        .collect()
}

/// Returns what the cumulants of order 4 and 6 of a bias, which is one number at all points of an
/// output, add to the function of a tuple; without a kernel, to the connected function of order 6.
pub(super) fn bias_constant(
    tuple: Tuple,
    kernel: Option<&[Vec<f64>]>,
    [fourth, sixth]: [f64; 2],
) -> f64 {
    let n = tuple.order();
    let whole = match (n, has_one_output(tuple, (1 << n) - 1)) {
        (4, true) => fourth,
        (6, true) => sixth,
        _ => 0.0,
    };
    let index = tuple.points();
    let joined = kernel.map(|kernel| {
        let parts = splits(tuple).into_iter();
        parts
            .map(|(a, b)| fourth * kernel[index[a]][index[b]])
            .sum::<f64>()
    });
    whole + joined.unwrap_or(0.0)
}

/// Tells whether the arguments at the positions in `set`, a bit mask, are of one output.
fn has_one_output(tuple: Tuple, set: u32) -> bool {
    let part = tuple.split(set).0;
    let mut outputs = part.tuple().outputs().unwrap_or_default().windows(2);
    outputs.all(|pair| pair[0] == pair[1])
}

/// Lists the ways to split six arguments into two and four of one output each: the positions of
/// the two. There are none of fewer arguments.
fn splits(tuple: Tuple) -> Vec<(usize, usize)> {
    if tuple.order() != 6 {
        return Vec::new();
    }
    let pairs = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b)));
    pairs
        .filter(|&(a, b)| {
            let set = 1 << a | 1 << b;
            has_one_output(tuple, set) && has_one_output(tuple, 63 & !set)
        })
        .collect()
}

/// `Further` knows the cumulants of one output given the hidden layers, c of orders 4 and 6.
#[derive(Debug, Clone)]
pub(super) struct Further {
    points: usize,
    /// Number of fields, D's among them.
    pub fields: usize,
    /// Number of pairs, whose fields come first.
    pairs: usize,
    /// The field of each multiset of 4 and 6 points.
    at: BTreeMap<Vec<usize>, usize>,
    /// A number near the mean of each c of order 4; empty where the mean of D is measured.
    fourth: Vec<f64>,
    /// Whether order 6 is wanted.
    six: bool,
}

impl Further {
    pub fn new(points: usize, orders: &[usize], fourth: &[f64]) -> Self {
        let fields = connected_fields(points, orders, false);
        let pairs = multisets(points, 2).len();
        Self {
            points,
            fields: fields.len(),
            pairs,
            at: (fields.into_iter().enumerate().skip(pairs))
                .map(|(field, index)| (index, field))
                .collect(),
            fourth: fourth.to_vec(),
            six: orders.contains(&6),
        }
    }

    /// Lists the moments: each c, and with order 6 every D times every c of order 4.
    pub fn moments(&self) -> Vec<Vec<Vec<usize>>> {
        let singles = (self.pairs..self.fields).map(|field| vec![field]);
        let mut groups = vec![singles.collect()];
        if self.six {
            let fours = self.fours();
            let products = (0..self.pairs).flat_map(|d| fours.clone().map(move |c| vec![d, c]));
            groups.push(products.collect());
        }
        groups.retain(|group: &Vec<Vec<usize>>| !group.is_empty());
        groups
    }

    /// Returns the field of the arguments of a tuple at the positions in `set`, a bit mask.
    fn field(&self, tuple: Tuple, set: u32) -> usize {
        let mut points = tuple.split(set).0.points;
        points.sort_unstable();
        match points[..] {
            [p, q] => pair_number(self.points, p, q),
            _ => self.at[&points],
        }
    }

    /// Expands what the connected function of a tuple has of cumulants: products of fields with
    /// coefficients.
    pub fn connected_terms(&self, tuple: Tuple) -> Vec<(Vec<usize>, f64)> {
        let (n, all) = (tuple.order(), (1 << tuple.order()) - 1);
        let mut terms = Vec::new();
        if n >= 4 && has_one_output(tuple, all) {
            terms.push((vec![self.field(tuple, all)], 1.0));
        }
        for (a, b) in splits(tuple) {
            let (d, c) = self.fields_of(tuple, a, b);
            terms.push((vec![d, c], 1.0));
            // The mean of D is zero: this takes off noise alone.
            if let Some(fourth) = self.fourth.get(c - self.pairs) {
                terms.push((vec![d], -fourth));
            }
        }
        terms
    }

    /// Returns the cumulant c of all arguments of a tuple, if they are of one output.
    pub fn own(&self, tuple: Tuple) -> Option<usize> {
        let all = (1 << tuple.order()) - 1;
        has_one_output(tuple, all).then(|| self.field(tuple, all))
    }

    /// Lists D of two and c of the other four of six arguments, for each way to split them that joins one output.
    pub fn joined(&self, tuple: Tuple) -> Vec<(usize, usize)> {
        let splits = splits(tuple).into_iter();
        splits.map(|(a, b)| self.fields_of(tuple, a, b)).collect()
    }

    /// Lists the fields c of order 4.
    pub fn fours(&self) -> Range<usize> {
        self.pairs..self.pairs + multisets(self.points, 4).len()
    }

    /// Expands what the full function of a tuple has of cumulants besides: each joined to the
    /// kernel.
    pub fn terms_with_kernel(&self, tuple: Tuple, kernel: &[Vec<f64>]) -> Vec<(Vec<usize>, f64)> {
        let index = tuple.points();
        (splits(tuple).into_iter())
            .map(|(a, b)| {
                (
                    vec![self.fields_of(tuple, a, b).1],
                    kernel[index[a]][index[b]],
                )
            })
            .collect()
    }

    /// Returns the D of two of six arguments, and the c of the other four.
    fn fields_of(&self, tuple: Tuple, a: usize, b: usize) -> (usize, usize) {
        let set = 1 << a | 1 << b;
        (self.field(tuple, set), self.field(tuple, 63 & !set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Extreme, MeanOfD, Measurement};

    /// Hidden values of three units at two points, and what the outputs are made of.
    const HIDDEN: [[f64; 2]; 3] = [[0.9, -0.2], [-0.4, 0.7], [0.3, 0.5]];
    const WEIGHT: f64 = 0.7;
    const BIAS: f64 = 0.4;
    const KERNEL: [[f64; 2]; 2] = [[0.8, 0.1], [0.1, 0.6]];

    /// E of a product of outputs over all signs of weights and biases, output by output.
    fn enumerated(points: &[usize], outputs: &[usize]) -> f64 {
        (0..3)
            .map(|a| {
                let own: Vec<usize> = (0..points.len()).filter(|&k| outputs[k] == a).collect();
                let product = |signs: u32| -> f64 {
                    let sign = |j: usize| if signs >> j & 1 == 1 { -1.0 } else { 1.0 };
                    let f = |p: usize| -> f64 {
                        let units = (0..3).map(|j| sign(j) * HIDDEN[j][p]);
                        WEIGHT * units.sum::<f64>() + BIAS * sign(3)
                    };
                    own.iter().map(|&k| f(points[k])).product()
                };
                (0..16).map(product).sum::<f64>() / 16.0
            })
            .product()
    }

    /// The fields of signs as laws: cumulants 1, -2, 16.
    fn fields(orders: &[usize]) -> Vec<f64> {
        (connected_fields(2, orders, false).iter())
            .map(|index| {
                let n = index.len();
                let units = HIDDEN
                    .iter()
                    .map(|h| index.iter().map(|&p| h[p]).product::<f64>());
                let power = |x: f64| x.powi(n as i32);
                let sum = power(WEIGHT) * units.sum::<f64>();
                match n {
                    2 => sum + BIAS * BIAS - KERNEL[index[0]][index[1]],
                    4 => -2.0 * sum,
                    _ => 16.0 * sum,
                }
            })
            .collect()
    }

    #[test]
    fn elements_are_averages_over_all_signs_of_the_readout() {
        let kernel: Vec<Vec<f64>> = KERNEL.iter().map(|row| row.to_vec()).collect();
        let fourth = [0.3, -0.1, 0.2, 0.5, -0.7];
        for (d_out, orders) in [(1, &[4][..]), (1, &[2, 4, 6]), (2, &[6]), (3, &[2, 4, 6])] {
            let of_bias = [-2.0 * BIAS.powi(4), 16.0 * BIAS.powi(6)];
            let plan =
                Measurement::connected_symmetric(&kernel, d_out, orders, MeanOfD::Zero, &fourth)
                    .with_bias(&kernel, of_bias);
            let field = fields(orders);
            assert_eq!(plan.moments().fields(), field.len());
            let d = |a: usize, b: usize| field[a + b];
            let network = Extreme {
                score: 0.0,
                experiment: 0,
                network: 0,
                weight: 1.0,
                field: field.clone(),
            };
            let got = plan.contributions(&network);
            for (e, tuple) in plan.tuples().iter().enumerate() {
                let index = tuple.points();
                let outputs = tuple
                    .outputs()
                    .map_or(vec![0; index.len()], <[usize]>::to_vec);
                // What is zero on average is left out: all that is linear in D, but at order 2.
                let mut linear = 0.0;
                let mut free = 0.0;
                for pairing in tuple.pairings() {
                    let k = |&(a, b): &(usize, usize)| KERNEL[index[a]][index[b]];
                    free += pairing.iter().map(k).product::<f64>();
                    for (at, &(a, b)) in pairing.iter().enumerate().filter(|_| index.len() > 2) {
                        let others = pairing.iter().enumerate().filter(|(o, _)| *o != at);
                        linear +=
                            d(index[a], index[b]) * others.map(|(_, p)| k(p)).product::<f64>();
                    }
                }
                if index.len() == 6 {
                    for (a, b) in (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))) {
                        let rest: Vec<usize> = (0..6).filter(|k| ![a, b].contains(k)).collect();
                        let ones = rest.iter().map(|&k| index[k]).sum::<usize>();
                        let same = rest.iter().all(|&k| outputs[k] == outputs[rest[0]]);
                        if same && outputs[a] == outputs[b] {
                            linear += (fourth[ones] + of_bias[0]) * d(index[a], index[b]);
                        }
                    }
                }
                let want = enumerated(index, &outputs) - free - linear;
                assert!(
                    (got[e] - want).abs() < 1e-12,
                    "{index:?} {outputs:?}: {} {want}",
                    got[e]
                );
            }
        }
    }

    #[test]
    fn connected_functions_are_cumulants_over_hidden_layers() {
        // Two hidden layers that are as likely: D = ±d and c about its mean.
        let kernel = [vec![1.0]];
        let of_bias = [0.4, -0.3];
        let plan = Measurement::connected_symmetric(&kernel, 1, &[2, 4, 6], MeanOfD::Zero, &[0.25])
            .with_bias(&kernel, of_bias);
        let (d, c4, c6): (f64, _, _) = (0.3, [0.5, 0.2], [0.11, 0.07]);
        let layers = [(d, c4[0], c6[0]), (-d, c4[1], c6[1])];
        let mut mean = vec![0.0; plan.means().end];
        for (d, c4, c6) in layers {
            let network = Extreme {
                score: 0.0,
                experiment: 0,
                network: 0,
                weight: 1.0,
                field: vec![d, c4, c6],
            };
            let added = plan.contributions(&network);
            mean.iter_mut().zip(added).for_each(|(m, x)| *m += x / 2.0);
        }
        // Moments of f given the layer by its cumulants, then cumulants of the average.
        let average = |of: &dyn Fn(f64, f64, f64) -> f64| -> f64 {
            layers
                .iter()
                .map(|&(d, c4, c6)| of(1.0 + d, c4 + of_bias[0], c6 + of_bias[1]))
                .sum::<f64>()
                / 2.0
        };
        let second = average(&|v, _, _| v);
        let fourth = average(&|v, c4, _| 3.0 * v * v + c4);
        let sixth = average(&|v, c4, c6| 15.0 * v.powi(3) + 15.0 * v * c4 + c6);
        let kappa4 = fourth - 3.0 * second.powi(2);
        let kappa6 = sixth - 15.0 * fourth * second + 30.0 * second.powi(3);
        for (n, want) in [(4, kappa4), (6, kappa6)] {
            let got = plan.connected_function(n, &mean, 2.0).unwrap()[0];
            assert!((got - want).abs() < 1e-12, "{n}: {got} {want}");
            assert!(plan.linear_connected(n).is_some());
        }
        for (got, want) in mean.iter().zip([0.0, fourth - 3.0, sixth - 15.0]) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
    }

    #[test]
    fn cumulants_given_the_hidden_layers_add_their_means_and_covariances_with_d() {
        // D, c of order 4 and c of order 6 at one point in five networks.
        const FIELDS: [[f64; 3]; 5] = [
            [0.9, -0.2, 0.4],
            [-0.3, 0.5, 0.1],
            [0.2, 0.7, -0.6],
            [1.3, 0.1, 0.8],
            [0.4, -0.9, 0.3],
        ];
        let average = |of: &dyn Fn(&[f64; 3]) -> f64| FIELDS.iter().map(of).sum::<f64>() / 5.0;
        let [d, c4, c6] = [0, 1, 2].map(|k| average(&|f| f[k]));
        let (kernel, measured) = ([vec![1.3]], MeanOfD::Measured);
        for orders in [&[4][..], &[6], &[2, 4, 6]] {
            let plan = Measurement::connected_symmetric(&kernel, 1, orders, measured, &[]);
            let mut elements = vec![0.0; plan.means().end];
            for field in FIELDS {
                let used = tensor_fields(orders);
                let network = Extreme {
                    score: 0.0,
                    experiment: 0,
                    network: 0,
                    weight: 1.0,
                    field: field[..used].to_vec(),
                };
                let added = plan.contributions(&network);
                (elements.iter_mut().zip(added)).for_each(|(e, x)| *e += x / 5.0);
            }
            let second = 5.0 / 4.0 * average(&|f| (f[0] - d).powi(2));
            let third = 25.0 / 12.0 * average(&|f| (f[0] - d).powi(3));
            let joint = 5.0 / 4.0 * average(&|f| (f[0] - d) * (f[1] - c4));
            let full = |n: usize| match n {
                4 => average(&|f| 3.0 * (1.3 + f[0]).powi(2) + f[1]) - 3.0 * 1.3 * 1.3,
                _ => {
                    let of = |f: &[f64; 3]| {
                        let c = 1.3 + f[0];
                        15.0 * c.powi(3) + 15.0 * c * f[1] + f[2]
                    };
                    average(&of) - 15.0 * 1.3f64.powi(3)
                }
            };
            for (n, connected) in [(4, 3.0 * second + c4), (6, 15.0 * (third + joint) + c6)] {
                let Some((_, range)) = plan.orders().iter().find(|(order, _)| *order == n) else {
                    continue;
                };
                assert!(
                    (elements[range.start] - full(n)).abs() < 1e-12,
                    "{orders:?} {n}"
                );
                assert_eq!(plan.linear_connected(n), None);
                let got = plan.connected_function(n, &elements, 5.0).unwrap()[0];
                assert!((got - connected).abs() < 1e-12, "{orders:?} {n}: {got}");
            }
        }
    }

    fn tensor_fields(orders: &[usize]) -> usize {
        connected_fields(1, orders, false).len()
    }
}
