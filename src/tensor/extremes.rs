use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Number of networks kept in a run's top set, which is enough for a tail index good to 0.1.
pub const MAX_EXTREMES: usize = 256;

/// An extreme is one network that stands out of its block, with the values that entered the sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// Size of the network's largest field, in units of the field's typical size, times the power of
    /// the weight that makes scores comparable.
    pub score: f64,
    /// Experiment that the network belongs to.
    pub experiment: u32,
    /// Number of the network within the experiment.
    pub network: u64,
    /// Statistical weight of the network; 1 without importance sampling.
    pub weight: f64,
    /// Fields of the network, in the order of the measurement.
    pub field: Vec<f64>,
}

impl Extreme {
    /// Tells whether score, weight and fields are all numbers.
    pub fn is_finite(&self) -> bool {
        let scores = [self.score, self.weight];
        scores.iter().chain(&self.field).all(|x| x.is_finite())
    }

    /// Sorts largest first; ties in the order of the networks.
    fn key(&self) -> (std::cmp::Reverse<u64>, u32, u64) {
        // Scores are not negative: their bits sort like the numbers.
        let bits = self.score.to_bits();
        (std::cmp::Reverse(bits), self.experiment, self.network)
    }
}

/// `Extremes` keeps the heaviest network of each block, the largest [`MAX_EXTREMES`] of them. It is
/// a mergeable value: what is kept does not depend on the order of blocks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Extremes(Vec<Extreme>);

impl Extremes {
    /// Tells whether `networks` is in order and no larger than a top set, as a check of what a file
    /// claims.
    pub fn is_sorted(networks: &[Extreme]) -> bool {
        networks.len() <= MAX_EXTREMES && networks.is_sorted_by(|a, b| a.key() < b.key())
    }

    /// Lists the networks, largest score first.
    pub fn networks(&self) -> &[Extreme] {
        &self.0
    }

    /// Adds the heaviest network of a block.
    pub fn add(&mut self, extreme: Extreme) {
        let at = self.0.partition_point(|e| e.key() < extreme.key());
        if at < MAX_EXTREMES {
            self.0.truncate(MAX_EXTREMES - 1);
            self.0.insert(at, extreme);
        }
    }

    /// Forgets some networks of an experiment.
    pub fn forget(&mut self, experiment: u32, networks: Range<u64>) {
        (self.0).retain(|e| e.experiment != experiment || !networks.contains(&e.network));
    }

    /// Adds another top set.
    pub fn merge(&mut self, other: Self) {
        // Most sets add nothing to that of a long run.
        let enters = |extreme: &Extreme| {
            self.0.len() < MAX_EXTREMES || self.0.last().is_some_and(|e| extreme.key() < e.key())
        };
        if other.0.first().is_some_and(enters) {
            self.0.extend(other.0);
            self.0.sort_by_key(Extreme::key);
            self.0.truncate(MAX_EXTREMES);
        }
    }
}

/// Leaves of networks those that a top set keeps.
#[cfg(feature = "gpu")]
pub(crate) fn keep_heaviest(networks: &mut Vec<Extreme>) {
    if networks.len() > MAX_EXTREMES {
        networks.select_nth_unstable_by_key(MAX_EXTREMES, Extreme::key);
        networks.truncate(MAX_EXTREMES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_set_does_not_depend_on_the_order() {
        let network = |n: u64| Extreme {
            score: ((n * 7919) % 1009 / 2) as f64,
            experiment: (n % 3) as u32,
            network: n,
            weight: 1.0,
            field: vec![n as f64],
        };
        let set = |range: &mut dyn Iterator<Item = u64>| {
            let mut all = Extremes::default();
            range.for_each(|n| all.add(network(n)));
            all
        };
        let up = set(&mut (0..1000));
        let mut halves = set(&mut (500..1000).rev());
        halves.merge(set(&mut (0..500)));
        assert_eq!(up, halves);
        assert_eq!(up.networks().len(), MAX_EXTREMES);
        assert!(up.networks().windows(2).all(|w| w[0].score >= w[1].score));
        assert_eq!(up.networks()[0].score, 504.0);
    }
}
