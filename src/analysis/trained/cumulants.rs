//! Cumulants and full n-point functions of averaged moments, up to order 4.

use std::collections::BTreeMap;

use crate::tensor::MomentPlan;

/// `Cumulants` knows where the moments are that a joint cumulant is made of.
pub struct Cumulants {
    /// For every element of a plan the moments of all subsets of its fields, by the bits of their positions; that of
    /// no field is left out.
    subsets: Vec<Vec<usize>>,
    /// Fields of every element.
    fields: Vec<Vec<usize>>,
    /// Elements that are the fourth power of each field.
    fourth: Vec<usize>,
    /// What was taken off every field.
    centre: Vec<f64>,
}

/// Subsets of four fields.
const MOST: usize = 16;

impl Cumulants {
    /// Finds the moments of a plan of all powers of single fields, of fields less `centre`.
    pub fn new(plan: &MomentPlan, centre: Vec<f64>) -> Self {
        let places: BTreeMap<&[usize], usize> = (plan.indices().iter().enumerate())
            .map(|(e, index)| (&index[..], e))
            .collect();
        let subset = |index: &[usize], set: usize| -> usize {
            let fields = (0..index.len())
                .filter(|k| set >> k & 1 == 1)
                .map(|k| index[k]);
            places[&fields.collect::<Vec<_>>()[..]]
        };
        let of = |index: &Vec<usize>| {
            (1..1 << index.len())
                .map(|set| subset(index, set))
                .collect()
        };
        Self {
            subsets: plan.indices().iter().map(of).collect(),
            fourth: (0..plan.fields()).map(|f| places[&[f; 4][..]]).collect(),
            fields: plan.indices().to_vec(),
            centre,
        }
    }

    /// Computes the cumulants of all subsets of an element's fields.
    fn all(&self, moments: &[f64], element: usize) -> [f64; MOST] {
        let subsets = &self.subsets[element];
        let mut k = [0.0; MOST];
        for set in 1..=subsets.len() {
            let lowest = set & set.wrapping_neg();
            k[set] = moments[subsets[set - 1]];
            // Of all ways to split the set the part that the lowest field is in.
            let mut part = (set - 1) & set;
            while part > 0 {
                if part & lowest != 0 {
                    k[set] -= k[part] * moments[subsets[(set ^ part) - 1]];
                }
                part = (part - 1) & set;
            }
        }
        k
    }

    /// Computes the connected part of an element.
    pub fn connected(&self, moments: &[f64], element: usize) -> f64 {
        let whole = self.subsets[element].len();
        let fields = &self.fields[element];
        let of_one = if fields.len() == 1 {
            self.centre[fields[0]]
        } else {
            0.0
        };
        self.all(moments, element)[whole] + of_one
    }

    /// Computes the moment of an element of the fields themselves.
    pub fn full(&self, moments: &[f64], element: usize) -> f64 {
        let mut k = self.all(moments, element);
        for (position, &field) in self.fields[element].iter().enumerate() {
            k[1 << position] += self.centre[field];
        }
        let mut g = [1.0; MOST];
        for set in 1..=self.subsets[element].len() {
            let lowest = set & set.wrapping_neg();
            g[set] = k[set];
            let mut part = (set - 1) & set;
            while part > 0 {
                if part & lowest != 0 {
                    g[set] += k[part] * g[set ^ part];
                }
                part = (part - 1) & set;
            }
        }
        g[self.subsets[element].len()]
    }

    /// Computes mean, variance and fourth cumulant of every field.
    pub fn of_fields(&self, moments: &[f64]) -> [Vec<f64>; 3] {
        let all: Vec<[f64; MOST]> = self.fourth.iter().map(|&e| self.all(moments, e)).collect();
        let cumulant = |set: usize| all.iter().map(|k| k[set]).collect::<Vec<_>>();
        let mean = cumulant(1)
            .iter()
            .zip(&self.centre)
            .map(|(m, c)| m + c)
            .collect();
        [mean, cumulant(3), cumulant(15)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Averages of products over three samples of two fields.
    const SAMPLES: [[f64; 2]; 3] = [[0.3, -1.0], [2.0, 0.4], [-0.7, 1.9]];

    #[test]
    fn cumulants_and_moments_are_those_of_the_samples() {
        let plan = MomentPlan::with_powers(2, 4, 4);
        let centre = vec![0.4, -2.5];
        let moment = |index: &[usize], centre: &[f64]| -> f64 {
            let product = |s: &[f64; 2]| index.iter().map(|&f| s[f] - centre[f]).product::<f64>();
            SAMPLES.iter().map(product).sum::<f64>() / 3.0
        };
        let moments: Vec<f64> = plan.indices().iter().map(|i| moment(i, &centre)).collect();
        let cumulants = Cumulants::new(&plan, centre);
        let mean = [0, 1].map(|f| moment(&[f], &[0.0; 2]));
        // About the mean cumulants have few terms.
        let m = |index: &[usize]| moment(index, &mean);
        for (e, index) in plan.indices().iter().enumerate() {
            let want = match index[..] {
                [a] => mean[a],
                [a, b, c, d] => {
                    m(index)
                        - m(&[a, b]) * m(&[c, d])
                        - m(&[a, c]) * m(&[b, d])
                        - m(&[a, d]) * m(&[b, c])
                }
                _ => m(index),
            };
            let got = cumulants.connected(&moments, e);
            assert!((got - want).abs() < 1e-12, "{index:?} {got} {want}");
            let (got, want) = (cumulants.full(&moments, e), moment(index, &[0.0; 2]));
            assert!((got - want).abs() < 1e-12, "{index:?} {got} {want}");
        }
        let [means, variances, fourth] = cumulants.of_fields(&moments);
        for f in 0..2 {
            assert!((means[f] - mean[f]).abs() < 1e-14);
            assert!((variances[f] - m(&[f, f])).abs() < 1e-12);
            let want = m(&[f; 4]) - 3.0 * m(&[f, f]).powi(2);
            assert!((fourth[f] - want).abs() < 1e-12);
        }
    }
}
