use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma_ur;

/// `ChiSquared` tests that the mean of a random vector vanishes, from independent samples of it.
///
/// chi^2 = sum over components of (sum over samples of x)^2 / (sum of x^2). If the mean
/// vanishes and both signs of a sample are equally likely, turning the signs of samples changes
/// nothing: given the samples' sizes, chi^2 is the quadratic form sum_ij s_i s_j G_ij of random
/// signs s_i, with G_ij = sum over components of x_i x_j / (sum of x^2). Its mean p, variance
/// 2 tr H^2 and third cumulant 8 tr H^3, H being G without its diagonal, are known exactly,
/// whatever correlates the components and however heavy their tails; the gamma distribution
/// with these three cumulants gives the p-value. (Satterthwaite's two cumulants alone call tails
/// too unlikely where a few combinations of components dominate.)
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquared {
    /// chi^2, whose mean is `components`.
    pub chi2: f64,
    /// Number p of components.
    pub components: usize,
    /// 2 p^2 over the variance of chi^2: as many independent components would scatter as much.
    pub degrees_of_freedom: f64,
    /// Probability of a larger chi^2 if the mean vanishes.
    pub p_value: f64,
    /// Largest pull: mean over standard error.
    pub largest_pull: f64,
}

impl ChiSquared {
    /// The smallest p-value that passes: one false alarm in 10^4 tests.
    pub const MIN_P: f64 = 1e-4;
    /// The smallest number of samples. chi^2 of one component is at most that number, and with 20
    /// the p-value goes down to 10^-5.
    pub const MIN_SAMPLES: usize = 20;
    /// The largest number of samples that are not added up in groups: the signs of so many are
    /// enough.
    const MAX_SAMPLES: usize = 256;

    /// Tests samples of shape `[sample][component]`; components that do not fluctuate by more than
    /// rounding, 1e-12 of `sizes`, are left out. `None` if all are, or with fewer than
    /// [`MIN_SAMPLES`](Self::MIN_SAMPLES).
    pub fn new(samples: &[Vec<f64>], sizes: &[f64]) -> Option<Self> {
        if samples.len() < Self::MIN_SAMPLES {
            return None;
        }
        let group = samples.len().div_ceil(Self::MAX_SAMPLES);
        let count = samples.len().div_ceil(group);
        // [component][sample], of unit length.
        let mut scaled: Vec<Vec<f64>> = Vec::new();
        let (mut chi2, mut largest_pull) = (0.0, 0.0f64);
        for (e, size) in sizes.iter().enumerate() {
            let x: Vec<f64> = (samples.chunks(group))
                .map(|group| group.iter().map(|s| s[e]).sum())
                .collect();
            let mean = x.iter().sum::<f64>() / count as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
            let sigma = variance.sqrt();
            if sigma > 1e-12 * size * group as f64 {
                let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                scaled.push(x.iter().map(|x| x / length).collect());
                chi2 += (mean * count as f64 / length).powi(2);
                largest_pull = largest_pull.max((mean / sigma).abs() * (count as f64).sqrt());
            }
        }
        if scaled.is_empty() {
            return None;
        }
        let p = scaled.len() as f64;
        let [second, third] = traces(&scaled);
        let variance = 2.0 * second;
        // A sum of squares of normals has at least this third cumulant (Cauchy and Schwarz):
        // that of equal terms.
        let cumulant = (8.0 * third).max(2.0 * variance * variance / p);
        let shape = 4.0 * variance.powi(3) / cumulant.powi(2);
        let at = shape + (chi2 - p) * 2.0 * variance / cumulant;
        let p_value = match variance > 0.0 {
            true => gamma_ur(shape, at.max(f64::MIN_POSITIVE)),
            // A single sample that is not zero: its sign says nothing.
            false => 1.0,
        };
        Some(Self {
            chi2,
            components: scaled.len(),
            degrees_of_freedom: 2.0 * p * p / variance.max(f64::MIN_POSITIVE),
            p_value,
            largest_pull,
        })
    }

    /// Tells whether the mean is consistent with zero.
    pub fn pass(&self) -> bool {
        self.p_value >= Self::MIN_P
    }
}

/// Returns tr H^2 and tr H^3, H being the samples' Gram matrix without its diagonal.
fn traces(scaled: &[Vec<f64>]) -> [f64; 2] {
    let count = scaled[0].len();
    let gram: Vec<Vec<f64>> = (0..count)
        .into_par_iter()
        .map(|i| {
            let mut row = vec![0.0; count];
            for z in scaled {
                for (g, z_j) in row.iter_mut().zip(z) {
                    *g += z[i] * z_j;
                }
            }
            row[i] = 0.0;
            row
        })
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let rows: Vec<[f64; 2]> = (gram.par_iter())
        .map(|row| {
            let third = row.iter().zip(&gram).map(|(g, other)| g * dot(row, other));
            [dot(row, row), third.sum()]
        })
        .collect();
    let add = |a: [f64; 2], b: &[f64; 2]| [a[0] + b[0], a[1] + b[1]];
    rows.iter().fold([0.0; 2], add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Words, normals};

    /// Draws samples of `p` components made of `q` normals: component e is normal e mod q.
    fn samples(seed: u64, p: usize, q: usize, shift: f64) -> Vec<Vec<f64>> {
        let mut words = vec![0; 100 * q.next_multiple_of(16)];
        Words::new(seed, 0, 0).fill(&mut words);
        let mut all = vec![0.0; words.len()];
        normals(&words, &mut all);
        (all.chunks(q.next_multiple_of(16)))
            .map(|g| (0..p).map(|e| g[e % q] + shift).collect())
            .collect()
    }

    /// Asserts that the share of p-values below each level is that level, to 3.5 standard errors.
    fn uniform(all: &[ChiSquared], name: &str) {
        let n = all.len() as f64;
        for level in [0.01, 0.05, 0.25, 0.5, 0.9] {
            let below = all.iter().filter(|c| c.p_value < level).count() as f64;
            let pull = (below - n * level) / (n * level * (1.0 - level)).sqrt();
            assert!(pull.abs() < 3.5, "{name}: {below} of {n} below {level}");
        }
    }

    #[test]
    fn p_values_are_uniform_whatever_the_correlations() {
        for (p, q) in [(48, 48), (300, 30), (40, 1)] {
            let all: Vec<ChiSquared> = (0..400)
                .map(|seed| ChiSquared::new(&samples(seed, p, q, 0.0), &vec![1.0; p]).unwrap())
                .collect();
            let nu = all.iter().map(|c| c.degrees_of_freedom).sum::<f64>() / 400.0;
            assert!((nu / q as f64 - 1.0).abs() < 0.05, "{nu} for {q}");
            uniform(&all, &format!("{p} of {q}"));
        }
    }

    #[test]
    fn p_values_are_uniform_whatever_the_sizes_and_the_tails() {
        let all = |components: usize, of: &dyn Fn(&[f64]) -> Vec<f64>| -> Vec<ChiSquared> {
            (0..1000)
                .map(|seed| {
                    let samples: Vec<Vec<f64>> =
                        samples(seed, 16, 16, 0.0).iter().map(|g| of(g)).collect();
                    ChiSquared::new(&samples, &vec![1.0; components]).unwrap()
                })
                .collect()
        };
        // One normal in thirty components, and ten others: a spectrum of one large value.
        uniform(
            &all(40, &|g| {
                (0..40usize).map(|e| g[e.saturating_sub(29)]).collect()
            }),
            "uneven",
        );
        // Cubes of normals: a kurtosis of 46.
        uniform(
            &all(16, &|g| g.iter().map(|g| g.powi(3)).collect()),
            "cubes",
        );
        // Few samples.
        let few: Vec<ChiSquared> = (0..1000)
            .map(|seed| ChiSquared::new(&samples(seed, 6, 3, 0.0)[..20], &[1.0; 6]).unwrap())
            .collect();
        uniform(&few, "few");
    }

    #[test]
    fn many_samples_are_grouped() {
        let many: Vec<Vec<f64>> = (0..7).flat_map(|s| samples(s, 9, 9, 0.0)).collect();
        let test = ChiSquared::new(&many, &[1.0; 9]).unwrap();
        assert!(test.p_value > 1e-3 && test.largest_pull < 4.0, "{test:?}");
        let shifted: Vec<Vec<f64>> = (0..7).flat_map(|s| samples(s, 9, 9, 0.1)).collect();
        assert!(!ChiSquared::new(&shifted, &[1.0; 9]).unwrap().pass());
    }

    #[test]
    fn a_mean_is_seen() {
        let small = ChiSquared::new(&samples(1, 60, 60, 0.3), &[1.0; 60]).unwrap();
        assert!(!small.pass());
        // Nothing that fluctuates, or too few samples: no verdict.
        assert_eq!(ChiSquared::new(&vec![vec![0.0; 3]; 30], &[1.0; 3]), None);
        assert_eq!(
            ChiSquared::new(&samples(1, 9, 9, 0.0)[..10], &[1.0; 9]),
            None
        );
    }
}
