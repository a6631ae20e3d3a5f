//! This module holds the connected estimator: the sums of D = C - K that it is made of, and the
//! connected functions.

use std::collections::BTreeMap;
use std::ops::Range;

use super::further::Further;
use super::index::pair_number;
use super::{MomentPlan, Tuple, Tuples, multisets};

/// `MeanOfD` says what is known of the mean of D = C - K, where C is the covariance of the outputs
/// given the hidden layers, and K its limit at infinite width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeanOfD {
    /// The mean of D is zero exactly, as with one hidden layer: terms with it would only add noise, and are
    /// left out.
    Zero,
    /// The mean of D is not zero, as with several hidden layers, and is measured like everything else.
    Measured,
}

/// `Combination` is a linear combination of numbers: their positions, with coefficients.
pub(super) type Combination = Vec<(usize, f64)>;

/// `ConnectedElements` holds the elements of the connected estimator as combinations of moments of
/// D: those of the orders, then what else the connected functions are made of.
#[derive(Debug, Clone)]
pub(super) struct ConnectedElements {
    pub moments: MomentPlan,
    pub tuples: Tuples,
    pub orders: Vec<(usize, Range<usize>)>,
    pub elements: Vec<Combination>,
    pub cumulants: Cumulants,
}

impl ConnectedElements {
    /// Elements of outputs that are Gaussian given the hidden layers, or else have the cumulants
    /// of [`connected_fields`], those of order 4 with means near `fourth` and those of D zero.
    pub fn new(
        kernel: &[Vec<f64>],
        d_out: usize,
        orders: &[usize],
        mean: MeanOfD,
        fourth: Option<&[f64]>,
    ) -> Self {
        let points = kernel.len();
        let pairs = multisets(points, 2).len();
        let (four, six) = (orders.contains(&4), orders.contains(&6));
        let has_means = mean == MeanOfD::Measured && (four || six);
        let has_first = orders.contains(&2) || has_means || fourth.is_some() && six;
        let needed = [has_first, four || six, six];
        let degrees: Vec<usize> = (1..=3).filter(|d| needed[d - 1]).collect();
        let further = fourth.map(|fourth| match mean {
            MeanOfD::Zero => Further::new(points, orders, fourth),
            MeanOfD::Measured => Further::new(points, orders, &[]),
        });
        let moments = match &further {
            None => MomentPlan::new(pairs, &degrees),
            Some(further) => {
                let mut groups: Vec<_> = degrees.iter().map(|&d| multisets(pairs, d)).collect();
                groups.extend(further.moments());
                MomentPlan::of(further.fields, groups)
            }
        };
        let at: BTreeMap<&[usize], usize> = (moments.indices().iter().enumerate())
            .map(|(m, index)| (&index[..], m))
            .collect();
        let sum = |terms: Vec<(Vec<usize>, f64)>| -> Combination {
            let mut row: BTreeMap<usize, f64> = BTreeMap::new();
            for (mut fields, coefficient) in terms {
                fields.sort_unstable();
                *row.entry(at[&fields[..]]).or_default() += coefficient;
            }
            row.into_iter().collect()
        };

        let (mut tuples, mut ranges) = (Tuples::default(), Vec::new());
        let mut elements = Vec::new();
        for &n in orders {
            let (start, of_order) = (elements.len(), Tuples::paired(points, d_out, n));
            elements.extend(of_order.iter().map(|t| {
                let mut terms = wick_terms(t, kernel, mean);
                if let Some(further) = &further {
                    terms.extend(further.connected_terms(t));
                    terms.extend(further.terms_with_kernel(t, kernel));
                }
                sum(terms)
            }));
            tuples.extend(of_order);
            ranges.push((n, start..elements.len()));
        }
        let mut raw = Vec::new();
        for (n, own) in ranges.iter().filter(|(n, _)| *n >= 4) {
            let range = match (n, mean) {
                (4, MeanOfD::Zero) => own.clone(),
                _ => {
                    let (start, of_order) = (elements.len(), tuples.slice(own.clone()));
                    elements.extend(of_order.iter().map(|t| {
                        let pairings = fields_of(t, points).into_iter();
                        let own = pairings.map(|fields| (fields, 1.0));
                        // Where means are measured, what has other factors is kept apart.
                        let further = (further.iter().filter(|_| mean == MeanOfD::Zero))
                            .flat_map(|further| further.connected_terms(t));
                        sum(own.chain(further).collect())
                    }));
                    start..elements.len()
                }
            };
            raw.push((*n, range));
        }
        let means = has_means.then(|| {
            let mut single = |degree: usize| {
                let start = elements.len();
                let fields = multisets(pairs, degree).into_iter();
                elements.extend(fields.map(|fields| vec![(at[&fields[..]], 1.0)]));
                start..elements.len()
            };
            Means {
                first: single(1),
                second: if six { single(2) } else { 0..0 },
            }
        });
        let beyond = further.filter(|_| has_means).map(|further| {
            let mut add = |rows: Vec<Combination>| {
                let start = elements.len();
                elements.extend(rows);
                start..elements.len()
            };
            let of_order = |n: usize| {
                let range = ranges.iter().find(|(order, _)| *order == n);
                range.map(|(_, range)| tuples.slice(range.clone()))
            };
            let own = |n: usize| -> Vec<Combination> {
                let tuples = of_order(n).unwrap_or_default();
                let own = |t| sum(further.own(t).map(|c| (vec![c], 1.0)).into_iter().collect());
                tuples.iter().map(own).collect()
            };
            let six = of_order(6).unwrap_or_default();
            let joined = |t| {
                let splits = further.joined(t).into_iter();
                sum(splits.map(|(d, c)| (vec![d, c], 1.0)).collect())
            };
            Beyond {
                own: [add(own(4)), add(own(6))],
                joined: add(six.iter().map(joined).collect()),
                fourth: match six.len() {
                    0 => 0..0,
                    _ => add(further.fours().map(|c| vec![(at[&[c][..]], 1.0)]).collect()),
                },
                further,
            }
        });
        Self {
            tuples,
            orders: ranges,
            elements,
            cumulants: Cumulants {
                points,
                raw,
                means,
                beyond,
            },
            moments,
        }
    }
}

/// Lists the fields D that each pairing of a tuple's positions joins.
fn fields_of(tuple: Tuple, points: usize) -> Vec<Vec<usize>> {
    let index = tuple.points();
    (tuple.pairings().iter())
        .map(|pairing| {
            (pairing.iter())
                .map(|&(a, b)| pair_number(points, index[a], index[b]))
                .collect()
        })
        .collect()
}

/// Expands G - G_GP of one tuple in products of D with coefficients. These are the terms of the
/// Wick sum of K + D, without the product of K alone, and from order 4 on without what is linear in
/// D where the mean of D is zero.
fn wick_terms(tuple: Tuple, kernel: &[Vec<f64>], mean: MeanOfD) -> Vec<(Vec<usize>, f64)> {
    let index = tuple.points();
    let mut terms = Vec::new();
    for (pairing, fields) in (tuple.pairings().iter()).zip(fields_of(tuple, kernel.len())) {
        let factors = pairing.len();
        for set in (1u32..1 << factors).rev() {
            if set.count_ones() == 1 && factors > 1 && mean == MeanOfD::Zero {
                continue;
            }
            let (mut of, mut coefficient) = (Vec::new(), 1.0);
            for (k, &(a, b)) in pairing.iter().enumerate() {
                match set >> k & 1 {
                    1 => of.push(fields[k]),
                    _ => coefficient *= kernel[index[a]][index[b]],
                }
            }
            terms.push((of, coefficient));
        }
    }
    terms
}

/// `Cumulants` tells where the elements are that the connected functions are made of.
#[derive(Debug, Clone)]
pub(super) struct Cumulants {
    points: usize,
    /// Orders from 4 on, each with its sums over pairings of E[D D] or E[D D D].
    raw: Vec<(usize, Range<usize>)>,
    /// Lower moments, if the mean of D is measured.
    means: Option<Means>,
    /// What outputs that are not Gaussian given the hidden layers have besides, if the mean of D is measured.
    beyond: Option<Beyond>,
}

/// `Beyond` tells where the elements are that cumulants c of outputs given the hidden layers add to connected functions.
#[derive(Debug, Clone)]
struct Beyond {
    further: Further,
    /// Positions of E[c] of all arguments, of each tuple of order 4, and of order 6.
    own: [Range<usize>; 2],
    /// Positions of E[D c] summed over the splits of six arguments, of each tuple.
    joined: Range<usize>,
    /// Positions of E[c] of every field of order 4, if order 6 needs them.
    fourth: Range<usize>,
}

impl Beyond {
    /// Computes what is added to the connected function of tuple number `k` of an order: E[c], and at order 6 the
    /// covariances of D and c.
    fn of(
        &self,
        order: usize,
        k: usize,
        tuple: Tuple,
        elements: &[f64],
        first: &[f64],
        networks: f64,
    ) -> f64 {
        let [four, six] = &self.own;
        match order {
            4 => elements[four.start + k],
            _ => {
                let fours = self.further.fours();
                let means = (self.further.joined(tuple).into_iter())
                    .map(|(d, c)| first[d] * elements[self.fourth.start + c - fours.start]);
                let covariance = elements[self.joined.start + k] - means.sum::<f64>();
                elements[six.start + k] + networks / (networks - 1.0) * covariance
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Means {
    /// Positions of E[D] of every field.
    first: Range<usize>,
    /// Positions of E[D D] of every two fields, if order 6 needs them.
    second: Range<usize>,
}

impl Cumulants {
    /// Finds the elements that are the connected functions of an order themselves: `None` if the
    /// functions are not linear in the elements, or not measured.
    pub fn linear(&self, order: usize) -> Option<Range<usize>> {
        let raw = self.raw.iter().find(|(n, _)| *n == order);
        raw.filter(|_| self.means.is_none()).map(|r| r.1.clone())
    }

    /// Computes the connected functions of the tuples of an order from the means of all elements
    /// over `networks` networks, by unbiased k-statistics.
    pub fn connected(
        &self,
        order: usize,
        tuples: &Tuples,
        elements: &[f64],
        networks: f64,
    ) -> Option<Vec<f64>> {
        let (_, raw) = self.raw.iter().find(|(n, _)| *n == order)?;
        let raw = &elements[raw.clone()];
        let Some(means) = &self.means else {
            return Some(raw.to_vec());
        };
        let (first, second) = (
            &elements[means.first.clone()],
            &elements[means.second.clone()],
        );
        let two = |a: usize, b: usize| second[pair_number(first.len(), a, b)];
        // What one pairing has of lower moments.
        let lower = |fields: &[usize]| match *fields {
            [a, b] => first[a] * first[b],
            [a, b, d] => {
                two(a, b) * first[d] + two(a, d) * first[b] + two(b, d) * first[a]
                    - 2.0 * first[a] * first[b] * first[d]
            }
            _ => unreachable!("two or three factors at orders 4 and 6"),
        };
        let unbiased = match order {
            4 => networks / (networks - 1.0),
            _ => networks.powi(2) / ((networks - 1.0) * (networks - 2.0)),
        };
        let connected = raw
            .iter()
            .zip(tuples.iter())
            .enumerate()
            .map(|(k, (raw, tuple))| {
                let pairings = fields_of(tuple, self.points);
                let of_d = unbiased * (raw - pairings.iter().map(|f| lower(f)).sum::<f64>());
                let beyond = (self.beyond.as_ref())
                    .map(|beyond| beyond.of(order, k, tuple, elements, first, networks));
                of_d + beyond.unwrap_or(0.0)
            });
        unbiased.is_finite().then(|| connected.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Extreme, Measurement};

    /// D at two points in five networks, and averages over them.
    const NETWORKS: [[f64; 3]; 5] = [
        [0.9, -0.2, 0.4],
        [-0.3, 0.5, 0.1],
        [0.2, 0.7, -0.6],
        [1.3, 0.1, 0.8],
        [0.4, -0.9, 0.3],
    ];

    fn average(of: impl Fn(&[f64; 3]) -> f64) -> f64 {
        NETWORKS.iter().map(of).sum::<f64>() / 5.0
    }

    fn elements(plan: &Measurement) -> Vec<f64> {
        let mut sum = vec![0.0; plan.means().end];
        for d in NETWORKS {
            let network = Extreme {
                score: 0.0,
                experiment: 0,
                network: 0,
                weight: 1.0,
                field: d.to_vec(),
            };
            let added = plan.contributions(&network);
            sum.iter_mut().zip(added).for_each(|(s, x)| *s += x / 5.0);
        }
        sum
    }

    #[test]
    fn connected_functions_are_the_unbiased_cumulants_of_a_sample() {
        let kernel = [vec![1.0, 0.4], vec![0.4, 0.7]];
        let means = [0, 1, 2].map(|k| average(|d| d[k]));
        for (d_out, orders) in [(1, &[4][..]), (1, &[4, 6]), (1, &[2, 6]), (3, &[2, 4, 6])] {
            let plan = Measurement::connected(&kernel, d_out, orders, MeanOfD::Measured);
            let elements = elements(&plan);
            for n in [4, 6] {
                assert_eq!(plan.linear_connected(n), None);
                let got = plan.connected_function(n, &elements, 5.0);
                assert_eq!(got.is_some(), orders.contains(&n));
                let tuples = Tuples::paired(2, d_out, n);
                for (got, tuple) in got.unwrap_or_default().iter().zip(tuples.iter()) {
                    let index = tuple.points();
                    let want: f64 = (tuple.pairings().iter())
                        .map(|pairing| {
                            let centred = |d: &[f64; 3], &(a, b): &(usize, usize)| {
                                d[index[a] + index[b]] - means[index[a] + index[b]]
                            };
                            let moment =
                                average(|d| pairing.iter().map(|pair| centred(d, pair)).product());
                            // Sums over five, divided by 4, and by 4 x 3 / 5.
                            moment * 5.0 * if n == 4 { 1.0 / 4.0 } else { 5.0 / 12.0 }
                        })
                        .sum();
                    assert!((got - want).abs() < 1e-12, "{d_out} {orders:?} {index:?}");
                }
            }
        }
    }

    #[test]
    fn a_mean_that_is_known_leaves_them_linear() {
        let plan = Measurement::connected(&[vec![1.0]], 1, &[4, 6], MeanOfD::Zero);
        let [four, six] = [4, 6].map(|n| plan.linear_connected(n).unwrap());
        assert_eq!((four, six), (0..1, 2..3));
        let all = [0.3, 0.2, 0.1];
        assert_eq!(plan.connected_function(4, &all, 1.0), Some(vec![0.3]));
        assert_eq!(plan.connected_function(6, &all, 1.0), Some(vec![0.1]));
    }

    #[test]
    fn too_few_networks_have_no_cumulants() {
        let plan = Measurement::connected(&[vec![1.0]], 1, &[4, 6], MeanOfD::Measured);
        let all = vec![0.1; plan.means().end];
        assert_eq!(plan.connected_function(4, &all, 1.0), None);
        assert!(plan.connected_function(4, &all, 2.0).is_some());
        assert_eq!(plan.connected_function(6, &all, 2.0), None);
    }
}
