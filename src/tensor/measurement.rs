use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::connected::{Combination, ConnectedElements, Cumulants, MeanOfD};
#[cfg(feature = "gpu")]
use super::eight::Eight;
use super::further::bias_constant;
use super::{Extreme, MomentPlan, Tuples};
#[cfg(feature = "gpu")]
use crate::simd::vectorised;

/// A measurement says what a run measures: the fields of a network, the moments of those fields
/// that are summed, and the tensor elements that a block's moments are turned into.
#[derive(Debug, Clone)]
pub struct Measurement {
    moments: MomentPlan,
    tuples: Tuples,
    orders: Vec<(usize, Range<usize>)>,
    /// What connected functions are made of, if the elements are deviations from the GP.
    cumulants: Option<Cumulants>,
    /// Each element as a combination of moments; `None` if the elements are the moments
    /// themselves.
    contraction: Option<Vec<Combination>>,
    /// What is added to every element, without fluctuating; empty if nothing is.
    constants: Vec<f64>,
    /// Means over elements, one per order, as combinations of them.
    means: Vec<Combination>,
}

impl Measurement {
    /// Plans the direct estimator.
    ///
    /// Fields: f_a(x_p), output after output, for each of `points` points. Elements: G^(n),
    /// [`Tuples::all`].
    pub fn direct(points: usize, d_out: usize, orders: &[usize]) -> Self {
        let moments = MomentPlan::new(points * d_out, orders);
        let mut tuples = Tuples::default();
        for &n in orders {
            tuples.extend(Tuples::all(points, d_out, n));
        }
        Self {
            tuples,
            orders: moments.orders().to_vec(),
            cumulants: None,
            contraction: None,
            constants: Vec::new(),
            means: Vec::new(),
            moments,
        }
    }

    /// Plans the connected estimator, for even orders: given the hidden layers f is Gaussian, with
    /// covariance C = K + D.
    ///
    /// Fields: D(x_p, x_q) for p <= q. Elements: G^(n) - G_GP^(n),
    ///
    /// ```text
    /// n = 2: E[D_12]
    /// n = 4: sum over 3 pairings of E[D_A D_B] + K_A E[D_B] + K_B E[D_A]
    /// n = 6: sum over 15 pairings of
    ///        E[D_A D_B D_D] + K_A E[D_B D_D] + K_B E[D_A D_D] + K_D E[D_A D_B]
    ///        + K_A K_B E[D_D] + K_A K_D E[D_B] + K_B K_D E[D_A]
    /// ```
    ///
    /// without what is linear in D at n = 4 and 6 where the mean of D is known to be zero. After
    /// the elements of the orders come those that the connected functions are made of,
    /// [`connected_function`](Self::connected_function). With several outputs the sums are over
    /// pairings that join equal outputs, for the elements [`Tuples::paired`]: the fields and their
    /// moments stay the same.
    pub fn connected(kernel: &[Vec<f64>], d_out: usize, orders: &[usize], mean: MeanOfD) -> Self {
        Self::of_connected(ConnectedElements::new(kernel, d_out, orders, mean, None))
    }

    /// Plans the connected estimator, for even orders, where the outputs, given the hidden layers, are independent with
    /// a symmetric law that is not Gaussian.
    ///
    /// Fields: those of [`connected_fields`](super::connected_fields), D(x_p, x_q) and then the
    /// fourth and sixth cumulants c of one output given the hidden layers. Where the mean of D is zero, `fourth` has a
    /// number near the mean of each c of order 4, without the bias: which one has no influence on means, only on their
    /// errors at order 6. Where the mean is measured `fourth` is not used. Elements: those of
    /// [`connected`](Self::connected), and
    ///
    /// ```text
    /// n = 4: E[c_1234]
    /// n = 6: E[c_123456] + sum over 15 pairs of K_ab E[c_cdef] + E[D_ab (c_cdef - fourth_cdef)]
    /// ```
    ///
    /// without what joins different outputs in one D or c.
    pub fn connected_symmetric(
        kernel: &[Vec<f64>],
        d_out: usize,
        orders: &[usize],
        mean: MeanOfD,
        fourth: &[f64],
    ) -> Self {
        Self::of_connected(ConnectedElements::new(
            kernel,
            d_out,
            orders,
            mean,
            Some(fourth),
        ))
    }

    fn of_connected(all: ConnectedElements) -> Self {
        Self {
            moments: all.moments,
            tuples: all.tuples,
            orders: all.orders,
            cumulants: Some(all.cumulants),
            contraction: Some(all.elements),
            constants: Vec::new(),
            means: Vec::new(),
        }
    }

    /// Adds what a bias of every output has that is not Gaussian: its cumulants of order 4 and 6, to
    /// the connected estimator with a mean of D that is zero.
    ///
    /// # Panics
    /// If it is another estimator.
    pub fn with_bias(mut self, kernel: &[Vec<f64>], cumulants: [f64; 2]) -> Self {
        let combinations = self.contraction.as_ref().expect("the connected estimator");
        self.constants = vec![0.0; combinations.len()];
        for (n, range) in &self.orders {
            let tuples = || range.clone().map(|e| (e, self.tuples.get(e)));
            for (e, tuple) in tuples() {
                self.constants[e] = bias_constant(tuple, Some(kernel), cumulants);
            }
            let linear = self.cumulants.as_ref().map(|of| of.linear(*n));
            let raw = match n {
                2 => None,
                _ => Some(linear.flatten().expect("a mean of D that is zero")),
            };
            for ((_, tuple), raw) in tuples().zip(raw.into_iter().flatten()) {
                let own = if *n == 4 { Some(kernel) } else { None };
                self.constants[raw] = bias_constant(tuple, own, cumulants);
            }
        }
        self
    }

    /// Follows the mean over each order's elements too, element e being in units of `units[e]`, or
    /// left out without one. The scatter of that mean over blocks is not to be had from those of
    /// the elements, which are correlated. The means come after everything else,
    /// [`means`](Self::means).
    pub fn with_means(mut self, units: &[Option<f64>]) -> Self {
        let mean = |range: &Range<usize>| -> Combination {
            let units = range.clone().filter_map(|e| Some((e, units[e]?)));
            let count = units.clone().count() as f64;
            units.map(|(e, unit)| (e, 1.0 / (count * unit))).collect()
        };
        self.means = self.orders.iter().map(|(_, range)| mean(range)).collect();
        self
    }

    /// Lists the weights of the elements in the mean over the k-th order.
    pub fn mean_weights(&self, k: usize) -> &[(usize, f64)] {
        &self.means[k]
    }

    /// Tells where the means over elements are, one per order.
    pub fn means(&self) -> Range<usize> {
        let combinations = self.contraction.as_ref();
        let start = combinations.map_or(self.tuples.len(), |combinations| combinations.len());
        start..start + self.means.len()
    }

    /// Lists the moments of the fields that are summed.
    pub fn moments(&self) -> &MomentPlan {
        &self.moments
    }

    /// Lists each order with its range of elements.
    pub fn orders(&self) -> &[(usize, Range<usize>)] {
        &self.orders
    }

    /// Returns the points and outputs of every element, in the order of those ranges.
    pub fn tuples(&self) -> &Tuples {
        &self.tuples
    }

    /// Tells whether the elements are deviations from the GP rather than n-point functions.
    pub fn is_connected(&self) -> bool {
        self.cumulants.is_some()
    }

    /// Tells where the connected n-point function is among the elements; `None` if the function was
    /// not measured, or is not linear in the elements because the mean of D is measured too.
    pub fn linear_connected(&self, order: usize) -> Option<Range<usize>> {
        self.cumulants.as_ref()?.linear(order)
    }

    /// Computes the connected n-point function, n = 4 or 6, of each tuple of that order, from the
    /// means of all elements over `networks` networks: sums over pairings of covariances, or of
    /// third cumulants, of D. Where the mean of D is measured these are unbiased k-statistics of
    /// networks that weigh the same, n / (n - 1) and n^2 / ((n - 1) (n - 2)) times the cumulants of
    /// the sample. `None` if it was not measured, or with fewer networks than factors.
    pub fn connected_function(
        &self,
        order: usize,
        elements: &[f64],
        networks: f64,
    ) -> Option<Vec<f64>> {
        let (_, range) = self.orders.iter().find(|(n, _)| *n == order)?;
        let tuples = self.tuples.slice(range.clone());
        (self.cumulants.as_ref()?).connected(order, &tuples, elements, networks)
    }

    /// Makes the same elements of fewer fields: field i is `multiples[i].1` times the one with
    /// number `multiples[i].0`.
    pub fn of_multiples(mut self, multiples: &[(usize, f64)]) -> Self {
        let fields = multiples.iter().map(|m| m.0 + 1).max().unwrap_or(0);
        let fewer = |index: &Vec<usize>| -> Vec<usize> {
            let mut fields: Vec<usize> = index.iter().map(|&i| multiples[i].0).collect();
            fields.sort_unstable();
            fields
        };
        let groups = self.moments.orders().iter().map(|(_, range)| {
            let all: BTreeSet<Vec<usize>> = self.moments.indices()[range.clone()]
                .iter()
                .map(fewer)
                .collect();
            all.into_iter().collect()
        });
        let moments = MomentPlan::of(fields, groups.collect());
        let at: BTreeMap<&[usize], usize> = (moments.indices().iter().enumerate())
            .map(|(m, index)| (&index[..], m))
            .collect();
        let reduced: Vec<(usize, f64)> = (self.moments.indices().iter())
            .map(|index| {
                let factor = index.iter().map(|&i| multiples[i].1).product();
                (at[&fewer(index)[..]], factor)
            })
            .collect();
        let same = || (0..reduced.len()).map(|m| vec![(m, 1.0)]).collect();
        let combinations = self.contraction.take().unwrap_or_else(same);
        let contract = |combination: Combination| {
            let mut sum: BTreeMap<usize, f64> = BTreeMap::new();
            for (m, c) in combination {
                *sum.entry(reduced[m].0).or_default() += c * reduced[m].1;
            }
            sum.into_iter().collect()
        };
        self.contraction = Some(combinations.into_iter().map(contract).collect());
        self.moments = moments;
        self
    }

    /// Forms the elements of a block from its moments, then the means over them.
    pub fn elements(&self, moments: Vec<f64>) -> Vec<f64> {
        let mut elements = Vec::with_capacity(self.means().end);
        self.form(moments.as_chunks::<1>().0, &mut elements);
        elements.into_flattened()
    }

    /// Forms the elements of eight blocks, each with the bits that [`elements`](Self::elements) gives it.
    #[cfg(feature = "gpu")]
    pub(crate) fn elements_of_eight(&self, moments: &[Eight], elements: &mut Vec<Eight>) {
        form_eight(self, moments, elements);
    }

    /// Forms the elements of some blocks side by side, `[element][block]`, each block's in one order.
    #[inline(always)]
    fn form<const B: usize>(&self, moments: &[[f64; B]], elements: &mut Vec<[f64; B]>) {
        elements.clear();
        // What a sum of no numbers is, of either sign.
        let nothing = std::iter::empty::<f64>().sum();
        match &self.contraction {
            None => elements.extend_from_slice(moments),
            Some(combinations) => {
                for combination in combinations {
                    elements.push(combine(nothing, combination, moments));
                }
            }
        }
        for (element, constant) in elements.iter_mut().zip(&self.constants) {
            element.iter_mut().for_each(|e| *e += constant);
        }
        let count = elements.len();
        for combination in &self.means {
            let mean = combine(nothing, combination, &elements[..count]);
            elements.push(mean);
        }
    }

    /// Returns what one network adds to the sum of each element, and of the means over elements.
    pub fn contributions(&self, network: &Extreme) -> Vec<f64> {
        let network = self.drawn(network);
        (0..self.means().end)
            .map(|e| self.contribution(e, &network))
            .collect()
    }

    /// Prepares a network whose contributions are wanted one at a time, of few networks to many
    /// elements.
    pub fn drawn(&self, network: &Extreme) -> Drawn {
        Drawn {
            table: self.moments.table_of(&network.field),
            weight: network.weight,
        }
    }

    /// Returns what a network adds to the sum of element `e`, or of a mean over elements.
    pub fn contribution(&self, e: usize, network: &Drawn) -> f64 {
        if let Some(k) = e.checked_sub(self.means().start) {
            let weights = self.means[k].iter();
            return weights
                .map(|&(e, w)| w * self.contribution(e, network))
                .sum();
        }
        let addend = |m| self.moments.addend(&network.table, network.weight, m);
        let constant = self.constants.get(e).map_or(0.0, |c| network.weight * c);
        match &self.contraction {
            None => addend(e),
            Some(combinations) => {
                let terms = combinations[e].iter().map(|&(m, c)| c * addend(m));
                constant + terms.sum::<f64>()
            }
        }
    }
}

#[cfg(feature = "gpu")]
vectorised! {
    fn form_eight(measurement: &Measurement, moments: &[Eight], elements: &mut Vec<Eight>) {
        measurement.form(moments, elements);
    }
}

/// Combines numbers of some blocks side by side.
#[inline(always)]
fn combine<const B: usize>(
    nothing: f64,
    combination: &[(usize, f64)],
    of: &[[f64; B]],
) -> [f64; B] {
    let mut sum = [nothing; B];
    for &(m, c) in combination {
        let numbers = &of[m];
        for b in 0..B {
            sum[b] += c * numbers[b];
        }
    }
    sum
}

/// `Drawn` holds one network's products of fields.
#[derive(Debug, Clone)]
pub struct Drawn {
    table: Vec<f64>,
    weight: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::pairings;

    fn network(field: Vec<f64>) -> Extreme {
        Extreme {
            score: 0.0,
            experiment: 0,
            network: 0,
            weight: 1.0,
            field,
        }
    }

    #[test]
    fn one_point_counts_the_pairings() {
        let plan = Measurement::connected(&[vec![2.0]], 1, &[2, 4, 6], MeanOfD::Zero);
        let d: f64 = 0.3;
        let want = [
            d,
            3.0 * d.powi(2),
            15.0 * (3.0 * 2.0 * d.powi(2) + d.powi(3)),
            15.0 * d.powi(3),
        ];
        for (got, want) in plan.contributions(&network(vec![d])).iter().zip(want) {
            assert!((got - want).abs() < 1e-12);
        }
    }

    #[test]
    fn shifted_covariance_gives_the_shifted_gaussian() {
        // With one network, K + D is the covariance: Wick's theorem for it, minus that for K, and
        // minus the terms linear in D where these are known to average to zero.
        let kernel = [vec![1.0, 0.4], vec![0.4, 0.7]];
        let d = [0.05, -0.02, 0.03];
        let entry = |a: usize, b: usize, t: f64| kernel[a][b] + t * d[a + b];
        for mean in [MeanOfD::Zero, MeanOfD::Measured] {
            let plan = Measurement::connected(&kernel, 1, &[2, 4, 6], mean);
            let got = plan.contributions(&network(d.to_vec()));
            for (e, index) in plan.tuples().points.iter().enumerate() {
                let wick = |t: f64| -> f64 {
                    (pairings(index.len()).iter())
                        .map(|p| {
                            p.iter()
                                .map(|&(a, b)| entry(index[a], index[b], t))
                                .product::<f64>()
                        })
                        .sum()
                };
                // The linear term by the symmetric difference of a cubic polynomial.
                let (up, down) = (wick(1.0), wick(-1.0));
                let (up2, down2) = (wick(2.0), wick(-2.0));
                let linear = match (mean, index.len()) {
                    (MeanOfD::Measured, _) | (_, 2) => 0.0,
                    _ => (8.0 * (up - down) - (up2 - down2)) / 12.0,
                };
                let want = up - wick(0.0) - linear;
                assert!((got[e] - want).abs() < 1e-12, "{mean:?} {index:?}");
            }
        }
    }
}
