//! SO(d_out) rotates outputs into each other, which is tested here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::chi_squared::ChiSquared;
use super::rotation::{rotation, signed_permutation};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::sentence::sentence;
use crate::tensor::{Accumulator, Measurement, Tuples, multisets};
use crate::theory::{Exact, field_size, gp_correlator};
use crate::{Error, Result};

/// The number of fields of the ensemble that symmetries are tested on: 4012 elements of orders 2
/// and 4.
pub const TEST_FIELDS: usize = 16;
/// The number of random rotations of the rotation test.
pub const ROTATIONS: u64 = 3;

/// `SymmetryCheck` is one symmetry, tested on a measured ensemble.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SymmetryCheck {
    /// Number of outputs of the ensemble.
    pub d_out: usize,
    /// Name of the test.
    pub name: Cow<'static, str>,
    /// chi^2 per component: 1 if the symmetry holds.
    pub value: f64,
    /// Standard deviation of `value` if the symmetry holds.
    pub std_err: f64,
    /// Whether the symmetry holds: a p-value of at least 1e-4. `None` if it seems not to but the
    /// ensemble has not converged: then error bars are too small, and so is the p-value.
    pub pass: Option<bool>,
    /// Why the test is undecided, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The chi^2 test behind the verdict.
    #[serde(flatten)]
    pub test: ChiSquared,
}

/// Returns the points that the symmetry ensemble of `d_out` outputs keeps: as many as
/// [`TEST_FIELDS`] has room for, evenly spread.
pub fn test_points(points: usize, d_out: usize) -> Vec<usize> {
    match (TEST_FIELDS / d_out).clamp(1, points) {
        1 => vec![points - 1],
        n => (0..n).map(|k| k * (points - 1) / (n - 1)).collect(),
    }
}

/// Tests a direct ensemble of orders 2 and 4:
///
/// - `exact`: all elements against their exact values, to within the errors of those;
///
/// and with several outputs
///
/// - `unpaired`: correlators whose outputs do not pair vanish;
/// - `rotation`: R G = G for random rotations R of the outputs;
/// - `placements`: the three placements of iijj add up to iiii.
///
/// Unless outputs are Gaussian given the hidden layer, O(d_out) is broken to the permutations and
/// signs of outputs. Then the last two are
///
/// - `hypercubic`: R G = G for random permutations R with signs;
/// - `placements`: the three placements of iijj add up to iiii less what theory predicts,
///   [`Breaking`](super::Breaking).
///
/// A test that fails is undecided if the ensemble is `unconverged`, for the reason given.
///
/// # Errors
/// [`Error::Invalid`] with too few experiments; [`Error::NotFinite`].
pub fn symmetry_checks(
    plan: &Plan,
    exact: &Exact,
    run: &Accumulator,
    unconverged: Option<&str>,
) -> Result<Vec<SymmetryCheck>> {
    let (spec, kernel) = (plan.spec(), plan.kernel());
    run.total()?;
    check_experiments(spec)?;
    let plan = plan.measurement();
    let tuples = plan.tuples();
    let samples: Vec<Vec<f64>> = (run.experiments().into_iter()).map(|s| s.mean).collect();
    let sizes: Vec<f64> = tuples.iter().map(|t| field_size(kernel, t)).collect();
    let expected: Vec<f64> = (tuples.iter())
        .map(|t| gp_correlator(kernel, t) + exact.deviation(t))
        .collect();
    let mut checks = Vec::new();
    let mut add = |name: &'static str, samples: &[Vec<f64>], sizes: &[f64]| {
        if let Some(test) = ChiSquared::new(samples, sizes) {
            checks.push(SymmetryCheck {
                d_out: spec.net.d_out(),
                name: name.into(),
                value: test.chi2 / test.components as f64,
                std_err: (2.0 / test.degrees_of_freedom).sqrt(),
                pass: match (test.pass(), unconverged) {
                    (false, Some(_)) => None,
                    (pass, _) => Some(pass),
                },
                reason: unconverged.filter(|_| !test.pass()).map(str::to_string),
                test,
            });
        }
    };
    let map = |f: &dyn Fn(&[f64]) -> Vec<f64>| -> Vec<Vec<f64>> {
        samples.iter().map(|s| f(s)).collect()
    };
    let mut deviations = map(&|g| g.iter().zip(&expected).map(|(g, e)| g - e).collect());
    let errors: Vec<f64> = tuples.iter().map(|t| exact.error(t)).collect();
    forgive(&mut deviations, &errors);
    add("exact", &deviations, &sizes);
    if spec.net.d_out() > 1 {
        let unpaired: Vec<usize> = (0..tuples.len())
            .filter(|&e| tuples.get(e).pairings().is_empty())
            .collect();
        let pick = |all: &[f64]| -> Vec<f64> { unpaired.iter().map(|&e| all[e]).collect() };
        add("unpaired", &map(&pick), &pick(&sizes));

        let tensors = Tensors::new(spec, plan);
        let is_gaussian = spec.net.has_gaussian_readout();
        let (name, turn): (_, fn(usize, u64) -> DMatrix<f64>) = match is_gaussian {
            true => ("rotation", rotation),
            false => ("hypercubic", signed_permutation),
        };
        let rotations: Vec<DMatrix<f64>> =
            (0..ROTATIONS).map(|k| turn(spec.net.d_out(), k)).collect();
        let rotated = map(&|g| {
            (rotations.iter())
                .flat_map(|r| tensors.rotated(g, r).into_iter().zip(g).map(|(a, b)| a - b))
                .collect()
        });
        add(name, &rotated, &sizes.repeat(rotations.len()));

        let placements = Placements::new(spec, tuples);
        let mut violations = map(&|g| placements.violations(g));
        if !is_gaussian {
            let predicted = placements.violations(&expected);
            for sample in &mut violations {
                sample.iter_mut().zip(&predicted).for_each(|(v, p)| *v -= p);
            }
            forgive(&mut violations, &placements.errors(&errors));
        }
        add("placements", &violations, &placements.sizes(&sizes));
    }
    Ok(checks)
}

/// Shifts samples, `[sample][element]`, towards a mean of zero by no more than `errors`.
pub(super) fn forgive(samples: &mut [Vec<f64>], errors: &[f64]) {
    for (e, error) in errors.iter().enumerate() {
        let mean = samples.iter().map(|s| s[e]).sum::<f64>() / samples.len() as f64;
        let shift = mean.clamp(-error, *error);
        samples.iter_mut().for_each(|s| s[e] -= shift);
    }
}

/// Checks whether [`symmetry_checks`] can judge a spec, before it is drawn.
///
/// # Errors
/// [`Error::Invalid`] with too few experiments.
pub fn check_experiments(spec: &EnsembleSpec) -> Result<()> {
    if (spec.experiments as usize) < ChiSquared::MIN_SAMPLES {
        return Err(Error::invalid(
            "experiments",
            spec.experiments,
            sentence!(
                "correlations between elements are measured on at least {} experiments; draw more of them with fewer `nets`",
                ChiSquared::MIN_SAMPLES.to_string()
            ),
        ));
    }
    Ok(())
}

/// `Tensors` says where the elements of a direct measurement sit in full tensors.
struct Tensors {
    points: usize,
    d_out: usize,
    /// For each order, n, its fields in each element, and the element of each entry of the full
    /// tensor.
    orders: Vec<(usize, Vec<Vec<usize>>, Vec<usize>)>,
}

impl Tensors {
    fn new(spec: &EnsembleSpec, plan: &Measurement) -> Self {
        let (points, d_out) = (spec.inputs.len(), spec.net.d_out());
        let fields = points * d_out;
        let all = plan.tuples().fields(points);
        let orders = (plan.orders().iter())
            .map(|(n, range)| {
                let of_order = &all[range.clone()];
                let entries = (0..fields.pow(*n as u32))
                    .map(|entry| {
                        let digit = |k: usize| entry / fields.pow(k as u32) % fields;
                        let mut index: Vec<usize> = (0..*n).map(digit).collect();
                        index.sort_unstable();
                        range.start + of_order.binary_search(&index).expect("all multisets")
                    })
                    .collect();
                (*n, of_order.to_vec(), entries)
            })
            .collect();
        Self {
            points,
            d_out,
            orders,
        }
    }

    /// Rotates the outputs of all elements, f_a -> sum_b R_ab f_b.
    fn rotated(&self, elements: &[f64], r: &DMatrix<f64>) -> Vec<f64> {
        let fields = self.points * self.d_out;
        let mut result = Vec::with_capacity(elements.len());
        for (n, indices, entries) in &self.orders {
            let mut tensor: Vec<f64> = entries.iter().map(|&e| elements[e]).collect();
            for k in 0..*n {
                let stride = fields.pow(k as u32);
                let mut next = vec![0.0; tensor.len()];
                for (entry, x) in next.iter_mut().enumerate() {
                    let f = entry / stride % fields;
                    let (a, p) = (f / self.points, f % self.points);
                    let base = entry - f * stride;
                    *x = (0..self.d_out)
                        .map(|b| r[(a, b)] * tensor[base + (b * self.points + p) * stride])
                        .sum();
                }
                tensor = next;
            }
            result.extend(indices.iter().map(|index| {
                let digits = index.iter().enumerate();
                tensor[digits.map(|(k, f)| f * fields.pow(k as u32)).sum::<usize>()]
            }));
        }
        result
    }
}

/// `Placements` says which elements add up to which: iijj over the three placements, both ways
/// round, give twice iiii.
pub(super) struct Placements {
    /// Rules of element iiii and the six elements iijj.
    rules: Vec<(usize, [usize; 6])>,
}

impl Placements {
    pub fn new(spec: &EnsembleSpec, tuples: &Tuples) -> Self {
        let numbers: BTreeMap<(&[usize], &[usize]), usize> = (0..tuples.len())
            .map(|e| ((&tuples.points[e][..], &tuples.outputs[e][..]), e))
            .collect();
        let find = |points: [usize; 4], outputs: [usize; 4]| -> usize {
            let mut fields: Vec<(usize, usize)> = outputs.into_iter().zip(points).collect();
            fields.sort_unstable();
            let (o, p): (Vec<usize>, Vec<usize>) = fields.into_iter().unzip();
            numbers[&(&p[..], &o[..])]
        };
        let mut rules = Vec::new();
        for index in multisets(spec.inputs.len(), 4) {
            let points: [usize; 4] = index.try_into().expect("four points");
            for i in 0..spec.net.d_out() {
                for j in (0..spec.net.d_out()).filter(|&j| j != i) {
                    let placed = [
                        [i, i, j, j],
                        [i, j, i, j],
                        [i, j, j, i],
                        [j, j, i, i],
                        [j, i, j, i],
                        [j, i, i, j],
                    ];
                    let all = placed.map(|outputs| find(points, outputs));
                    rules.push((find(points, [i; 4]), all));
                }
            }
        }
        Self { rules }
    }

    /// Computes what the placements add up to beyond the whole.
    pub fn violations(&self, g: &[f64]) -> Vec<f64> {
        (self.rules.iter())
            .map(|(whole, parts)| parts.iter().map(|&e| g[e]).sum::<f64>() / 2.0 - g[*whole])
            .collect()
    }

    /// Bounds the errors of [`violations`](Self::violations) by those of the elements.
    pub fn errors(&self, errors: &[f64]) -> Vec<f64> {
        (self.rules.iter())
            .map(|(whole, parts)| {
                parts.iter().map(|&e| errors[e]).sum::<f64>() / 2.0 + errors[*whole]
            })
            .collect()
    }

    /// Picks the sizes of the wholes.
    pub fn sizes(&self, sizes: &[f64]) -> Vec<f64> {
        self.rules.iter().map(|(whole, _)| sizes[*whole]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotating_a_product_rotates_its_factors() {
        let spec = EnsembleSpec {
            orders: vec![2, 4],
            inputs: crate::model::Inputs::new(vec![vec![0.1], vec![0.2]]).unwrap(),
            ..EnsembleSpec::preset("erf", 1).unwrap().with_d_out(3)
        };
        let f = [0.3, -0.7, 1.1, 0.4, -0.2, 0.9];
        let plan = Plan::new(spec.clone()).unwrap();
        let plan = plan.measurement();
        let products = |f: &[f64]| -> Vec<f64> {
            (plan.moments().indices().iter())
                .map(|i| i.iter().map(|&k| f[k]).product())
                .collect()
        };
        let r = rotation(3, 1);
        let turned: Vec<f64> = (0..6)
            .map(|k| (0..3).map(|b| r[(k / 2, b)] * f[2 * b + k % 2]).sum())
            .collect();
        let got = Tensors::new(&spec, plan).rotated(&products(&f), &r);
        for (a, b) in got.iter().zip(products(&turned)) {
            assert!((a - b).abs() < 1e-13);
        }
    }
}
