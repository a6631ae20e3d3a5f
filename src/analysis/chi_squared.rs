use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma_ur;

/// A test that the mean of a random vector vanishes, from independent samples of it.
///
/// chi^2 = sum over components of (mean / standard error)^2, with the errors from the
/// samples themselves. Components are correlated, so that chi^2 is not distributed with
/// their number p of degrees of freedom but, to two moments (Satterthwaite), as p / nu times
/// a chi^2 with nu = p^2 / tr(C^2), C their correlation matrix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquared {
    /// Sum of squared pulls, corrected for errors that are estimated.
    pub chi2: f64,
    /// Components p.
    pub components: usize,
    /// nu.
    pub degrees_of_freedom: f64,
    /// Probability of a larger chi^2 if the mean vanishes.
    pub p_value: f64,
    /// Largest pull.
    pub largest_pull: f64,
}

impl ChiSquared {
    /// Smallest p-value that passes: one false alarm in 10^4 tests.
    pub const MIN_P: f64 = 1e-4;
    /// Fewest samples: nu is good to about sqrt(2) / samples.
    pub const MIN_SAMPLES: usize = 20;

    /// `samples` has shape `[sample][component]`; components that do not fluctuate by more
    /// than rounding, 1e-12 of `sizes`, are left out. `None` if all are, or with fewer than
    /// [`MIN_SAMPLES`](Self::MIN_SAMPLES).
    pub fn new(samples: &[Vec<f64>], sizes: &[f64]) -> Option<Self> {
        let count = samples.len();
        if count < Self::MIN_SAMPLES {
            return None;
        }
        let n = (count - 1) as f64;
        // [component][sample], centred and in units of the standard deviation.
        let mut scaled = Vec::new();
        let (mut sum, mut largest_pull) = (0.0, 0.0f64);
        for (e, size) in sizes.iter().enumerate() {
            let mean = samples.iter().map(|s| s[e]).sum::<f64>() / count as f64;
            let variance = samples.iter().map(|s| (s[e] - mean).powi(2)).sum::<f64>() / n;
            let sigma = variance.sqrt();
            if sigma > 1e-12 * size {
                let pull = mean / (sigma / (count as f64).sqrt());
                sum += pull * pull;
                largest_pull = largest_pull.max(pull.abs());
                scaled.push(samples.iter().map(|s| (s[e] - mean) / sigma).collect());
            }
        }
        if scaled.is_empty() {
            return None;
        }
        let p = scaled.len() as f64;
        // A squared t has mean n / (n - 2).
        let chi2 = sum * (n - 2.0) / n;
        let degrees_of_freedom = p * p / trace_of_square(&scaled, n).max(p);
        let nu = degrees_of_freedom;
        let p_value = gamma_ur(nu / 2.0, (chi2 / p * nu / 2.0).max(f64::MIN_POSITIVE));
        Some(Self {
            chi2,
            components: scaled.len(),
            degrees_of_freedom,
            p_value,
            largest_pull,
        })
    }

    /// Whether the mean is consistent with zero.
    pub fn pass(&self) -> bool {
        self.p_value >= Self::MIN_P
    }
}

/// tr(C^2) without bias from the sample correlations (Bai and Saranadasa, Statistica Sinica
/// 6 (1996) 311): tr(S^2) = sum of squares of the samples' Gram matrix / n^2.
fn trace_of_square(scaled: &[Vec<f64>], n: f64) -> f64 {
    let count = scaled[0].len();
    let squares: f64 = (0..count)
        .into_par_iter()
        .map(|i| -> f64 {
            let gram = |j: usize| scaled.iter().map(|z| z[i] * z[j]).sum::<f64>();
            (0..count).map(|j| gram(j).powi(2)).sum()
        })
        .collect::<Vec<f64>>()
        .iter()
        .sum();
    let trace = scaled.len() as f64;
    (squares / (n * n) - trace * trace / n) * n * n / ((n + 2.0) * (n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::{normals::normals, words::Words};

    /// Samples of `p` components made of `q` normals: component e is normal e mod q.
    fn samples(seed: u64, p: usize, q: usize, shift: f64) -> Vec<Vec<f64>> {
        let mut words = vec![0; 100 * q.next_multiple_of(16)];
        Words::new(seed, 0, 0).fill(&mut words);
        let mut all = vec![0.0; words.len()];
        normals(&words, &mut all);
        (all.chunks(q.next_multiple_of(16)))
            .map(|g| (0..p).map(|e| g[e % q] + shift).collect())
            .collect()
    }

    #[test]
    fn p_values_are_uniform_whatever_the_correlations() {
        for (p, q) in [(48, 48), (300, 30), (40, 1)] {
            let all: Vec<ChiSquared> = (0..400)
                .map(|seed| ChiSquared::new(&samples(seed, p, q, 0.0), &vec![1.0; p]).unwrap())
                .collect();
            let nu = all.iter().map(|c| c.degrees_of_freedom).sum::<f64>() / 400.0;
            assert!((nu / q as f64 - 1.0).abs() < 0.05, "{nu} for {q}");
            for level in [0.05, 0.25, 0.5, 0.9] {
                let below = all.iter().filter(|c| c.p_value < level).count() as f64;
                let error = (400.0 * level * (1.0 - level)).sqrt();
                let pull = (below - 400.0 * level) / error;
                assert!(pull.abs() < 3.5, "{p} {q}: {below} of 400 below {level}");
            }
        }
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
