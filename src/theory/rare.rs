use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, Normal};

use super::gp_correlator;
use crate::model::{Builtin, EnsembleSpec, Estimator};
use crate::tensor::Tuple;

/// `RareNeurons` says what an ensemble cannot be expected to have drawn of its n-point functions, for nets
/// whose activation grows exponentially and whose pre-activations are normal.
///
/// With h_i = exp(a_i . g - |a_i|^2) of a neuron's standard normals g, a product over the points
/// S has the mean exp(|t|^2 / 2 - sum |a_i|^2), t = sum a_i, and what carries it are neurons whose
/// g is normally distributed about t, not about 0: the part at t . g / |t| > u is Q(u - |t|), Q the
/// normal tail. T networks of N neurons hold one beyond u where T N Q(u) = 1; what lies
/// farther out is missed, by the average and by its error bar alike. Hence |t|^2 / 2 is the logarithm
/// of the number of neurons needed, to an order of |t| (Chatterjee and Diaconis, Annals of
/// Applied Probability 28 (2018) 1099, theorem 1.1 with the relative entropy |t|^2 / 2).
///
/// - The part of G^(n) that one neuron carries at the points S, s = |S| even, is
///   (s - 1)!! sigma_w^s N^(1 - s/2) E[prod h] G_GP(the other points).
/// - Direct estimator: the output weights multiply it by a product of n normals, which
///   leaves one network in (2n - 1)!! / (n - 1)!!^2 to count.
/// - Importance sampling has T p networks with a neuron about each of its shifts t_k: the distance
///   |t - t_k| takes the place of |t|.
#[derive(Debug, Clone)]
pub struct RareNeurons {
    kernel: Vec<Vec<f64>>,
    /// The exponents a_i, shape `[points][d_in + 1]`.
    exponents: Vec<Vec<f64>>,
    sigma_w: f64,
    width: f64,
    is_direct: bool,
    /// The centres about which neurons are drawn.
    centres: Vec<Vec<f64>>,
    /// How far from each centre a neuron is found, by the order of the n-point function.
    reach: BTreeMap<usize, Vec<f64>>,
}

impl RareNeurons {
    /// Describes an ensemble after `networks` networks; `None` if products of the activation's values
    /// have no such tail.
    pub fn new(spec: &EnsembleSpec, kernel: &[Vec<f64>], networks: f64) -> Option<Self> {
        match spec.net.builtin().filter(|_| spec.net.has_gaussian_units()) {
            Some(Builtin::ExpNormalised) => {}
            Some(Builtin::Erf | Builtin::Relu) | None => return None,
        }
        let width = spec.net.width() as f64;
        let is_direct = spec.estimator == Estimator::Direct;
        let mut centres = vec![vec![0.0; spec.net.d_in() + 1]];
        let mut drawn = vec![networks * width];
        if let Some(tilt) = &spec.tilt {
            centres.extend(tilt.shifts.iter().cloned());
            drawn.resize(centres.len(), networks * tilt.probability());
        }
        let reach = (spec.orders.iter().filter(|n| *n % 2 == 0))
            .map(|&n| {
                let rarity = if is_direct { readout(n) } else { 1.0 };
                (
                    n,
                    drawn.iter().map(|drawn| farthest(drawn / rarity)).collect(),
                )
            })
            .collect();
        Some(Self {
            kernel: kernel.to_vec(),
            exponents: (spec.inputs.points().iter())
                .map(|x| spec.net.linear_form(x))
                .collect(),
            sigma_w: spec.net.readout().sigma_w,
            width,
            is_direct,
            centres,
            reach,
        })
    }

    /// Returns the part of |G^(n) - G_GP^(n)| that is missed, in the unit of f^n; 0 for odd n,
    /// where both signs are equally likely.
    ///
    /// # Panics
    /// If n is even and not an order of the spec.
    pub fn missed(&self, tuple: Tuple) -> f64 {
        let n = tuple.order();
        if n % 2 == 1 {
            return 0.0;
        }
        // The connected estimator knows the mean of D.
        let least = if self.is_direct { 2 } else { n.min(4) };
        (1u32..1 << n)
            .filter(|set| set.count_ones() % 2 == 0 && set.count_ones() as usize >= least)
            .map(|set| self.carried_and_missed(tuple, set))
            .sum()
    }

    /// Returns the missed part of what one neuron carries at the positions in `set`.
    fn carried_and_missed(&self, tuple: Tuple, set: u32) -> f64 {
        let (inside, outside) = tuple.split(set);
        let ways = inside.tuple().pairings().len() as f64;
        let rest = match outside.points.is_empty() {
            true => 1.0,
            false => gp_correlator(&self.kernel, outside.tuple()).abs(),
        };
        if ways * rest == 0.0 {
            return 0.0;
        }
        let mut t = vec![0.0; self.exponents[0].len()];
        let mut norm = 0.0;
        for &i in &inside.points {
            for (t, a) in t.iter_mut().zip(&self.exponents[i]) {
                *t += a;
                norm += a * a;
            }
        }
        let square = |a: &[f64]| a.iter().map(|a| a * a).sum::<f64>();
        let s = inside.points.len() as i32;
        let moment = (square(&t) / 2.0 - norm).exp();
        let carried = self.sigma_w.powi(s) * self.width.powf(1.0 - f64::from(s) / 2.0) * moment;
        let beyond = (self.centres.iter().zip(&self.reach[&tuple.order()]))
            .map(|(centre, reach)| {
                let away: Vec<f64> = t.iter().zip(centre).map(|(t, c)| t - c).collect();
                reach - square(&away).sqrt()
            })
            .fold(f64::NEG_INFINITY, f64::max);
        carried * ways * rest * Normal::standard().sf(beyond)
    }
}

/// Returns (2n - 1)!! / (n - 1)!!^2: mean square over squared mean of a product of n equal normals.
fn readout(n: usize) -> f64 {
    let odd = |last: usize| (1..=last).step_by(2).map(|k| k as f64).product::<f64>();
    odd(2 * n - 1) / odd(n - 1).powi(2)
}

/// Returns what one of `drawn` standard normals exceeds.
fn farthest(drawn: f64) -> f64 {
    -Normal::standard().inverse_cdf((1.0 / drawn).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::kernel_matrix;
    use crate::theory::tilt;

    #[test]
    fn the_four_point_function_of_gauss_net_by_hand() {
        let spec = EnsembleSpec::preset("gauss", 1).unwrap().with_width(10);
        // At x near 0: |t| = 4, E h^4 = e^4, and G_GP = 3 x 4. 10^6 / 11.7 neurons reach 4.23.
        let rare = RareNeurons::new(&spec, &kernel_matrix(&spec), 1e5).unwrap();
        let four = rare.missed((&[2, 2, 3, 3]).into());
        let pairs = 6.0 * 2.0 * Normal::standard().sf(farthest(1e6 * 9.0 / 105.0) - 2.0);
        let want = 3.0 / 10.0 * 4f64.exp() * (1.0 - 0.591) + pairs;
        assert!((four / want - 1.0).abs() < 0.02, "{four} {want}");
        assert_eq!(rare.missed((&[0, 0, 1]).into()), 0.0);
        // More networks, and importance sampling above all, miss less.
        let more = RareNeurons::new(&spec, &kernel_matrix(&spec), 1e8).unwrap();
        assert!(more.missed((&[2, 2, 3, 3]).into()) < 0.2 * four);
        let tilted = EnsembleSpec {
            estimator: Estimator::Connected,
            tilt: tilt(&spec),
            ..spec.clone()
        };
        let tilted = RareNeurons::new(&tilted, &kernel_matrix(&tilted), 1e5).unwrap();
        assert!(tilted.missed((&[2, 2, 3, 3]).into()) < 1e-3 * four);
    }

    #[test]
    fn nets_without_the_tail_miss_nothing() {
        for arch in ["erf", "relu"] {
            let spec = EnsembleSpec::preset(arch, 1).unwrap();
            assert!(RareNeurons::new(&spec, &kernel_matrix(&spec), 1e5).is_none());
        }
    }
}
