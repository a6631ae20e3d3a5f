use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

#[cfg(feature = "gpu")]
use super::eight::{self, Eight};
use super::{Extreme, Extremes};
use crate::simd::vectorised;
use crate::{Error, Result};

/// `Statistics` holds the mean and spread of every tensor element over some blocks of networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statistics {
    /// Number of networks.
    pub networks: f64,
    /// Number of blocks of networks.
    pub blocks: u64,
    /// Mean of each element over the networks.
    pub mean: Vec<f64>,
    /// Sum over blocks of networks x (block mean - mean)^2.
    m2: Vec<f64>,
}

impl Statistics {
    /// Joins the mean and M2 of two sets by Chan's update, for the union of two disjoint sets.
    fn join(mut self, other: &Self) -> Self {
        let chan = Chan::new(self.networks, other.networks);
        join(chan, &mut self.mean, &mut self.m2, &other.mean, &other.m2);
        self.networks = chan.networks;
        self.blocks += other.blocks;
        self
    }

    /// Tells whether these numbers can be the statistics of `elements` elements: a check of what a
    /// file claims.
    pub fn is_sound(&self, elements: usize) -> bool {
        self.mean.len() == elements
            && self.m2.len() == elements
            && self.mean.iter().all(|x| x.is_finite())
            && self.m2.iter().all(|x| x.is_finite() && *x >= 0.0)
    }

    /// Tells whether these numbers can be the statistics of `elements` elements that are beyond all bounds, perhaps.
    pub fn has_elements(&self, elements: u64) -> bool {
        self.mean.len() as u64 == elements
            && self.m2.len() as u64 == elements
            && self.m2.iter().all(|x| x.is_nan() || *x >= 0.0)
    }

    /// Computes the standard error of every mean, from the scatter of the block means. Blocks weigh
    /// by their networks, so a short last block is no special case: err^2 = sum_b n_b (x_b -
    /// mean)^2 / ((B - 1) sum_b n_b).
    ///
    /// `None` with fewer than two blocks.
    pub fn std_err(&self) -> Option<Vec<f64>> {
        let degrees = (self.blocks.checked_sub(1).filter(|&d| d > 0)? as f64) * self.networks;
        Some(self.m2.iter().map(|m2| (m2 / degrees).sqrt()).collect())
    }
}

/// Factors of Chan's update, which joins the mean and the scatter of two sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chan {
    pub networks: f64,
    pub to_mean: f64,
    pub to_m2: f64,
}

impl Chan {
    /// Prepares to join two disjoint sets of so many networks.
    pub fn new(low: f64, high: f64) -> Self {
        let networks = low + high;
        let to_mean = high / networks;
        Self {
            networks,
            to_mean,
            to_m2: low * to_mean,
        }
    }

    /// Joins one number's mean and M2 of the lower set with those of the higher.
    #[inline(always)]
    fn join(&self, mean: &mut f64, m2: &mut f64, other_mean: f64, other_m2: f64) {
        let delta = other_mean - *mean;
        *mean += delta * self.to_mean;
        *m2 += other_m2 + delta * delta * self.to_m2;
    }
}

vectorised! {
    /// Joins the means and M2 of a set with those of the one above.
    fn join(chan: Chan, mean: &mut [f64], m2: &mut [f64], other_mean: &[f64], other_m2: &[f64]) {
        let sums = mean.iter_mut().zip(m2);
        for ((mean, m2), (other_mean, other_m2)) in sums.zip(other_mean.iter().zip(other_m2)) {
            chan.join(mean, m2, *other_mean, *other_m2);
        }
    }
}

/// An accumulator holds the elements measured on any set of blocks of one run, with their spread:
/// a value that can be merged.
///
/// Blocks are the leaves of a fixed binary tree (block b and its neighbour b^1 join, then
/// pairs of pairs, and so on); an accumulator holds the largest complete subtrees of what
/// it has seen. Every sum is therefore formed in the same order whichever way the blocks
/// arrive, and merging is associative and commutative bit for bit.
///
/// ```
/// use nnqft_gpu::tensor::Accumulator;
///
/// let [mut early, mut late] = [Accumulator::new(), Accumulator::new()];
/// early.add_block(0, 0, 16, vec![1.0]); // experiment, block, networks, means
/// late.add_block(0, 1, 16, vec![3.0]);
/// late.merge(early);
/// assert_eq!(late.total()?.mean, [2.0]);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Accumulator {
    /// Subtrees by (experiment, first block); a subtree's size in blocks is `span`.
    nodes: BTreeMap<(u32, u64), Node>,
    extremes: Extremes,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Node {
    span: u64,
    statistics: Statistics,
}

impl Accumulator {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one block of `networks` networks with the mean of each element over them.
    ///
    /// # Panics
    /// If the block has been added before.
    pub fn add_block(&mut self, experiment: u32, block: u64, networks: u64, mean: Vec<f64>) {
        let statistics = Statistics {
            networks: networks as f64,
            blocks: 1,
            m2: vec![0.0; mean.len()],
            mean,
        };
        self.insert(
            experiment,
            block,
            Node {
                span: 1,
                statistics,
            },
        );
    }

    /// Adds eight blocks in a row, the first a multiple of eight, of so many networks each, from their elements side
    /// by side.
    ///
    /// # Panics
    /// If a block has been added before.
    #[cfg(feature = "gpu")]
    pub(crate) fn add_eight(
        &mut self,
        experiment: u32,
        first: u64,
        networks: Eight,
        elements: &[Eight],
    ) {
        let span = eight::SIDE_BY_SIDE as u64;
        debug_assert!(first.is_multiple_of(span));
        let (mut mean, mut m2) = (vec![0.0; elements.len()], vec![0.0; elements.len()]);
        let statistics = Statistics {
            networks: eight::join_eight(elements, networks, &mut mean, &mut m2),
            blocks: span,
            mean,
            m2,
        };
        self.insert(experiment, first, Node { span, statistics });
    }

    /// Adds the heaviest network of a block.
    pub fn add_extreme(&mut self, extreme: Extreme) {
        self.extremes.add(extreme);
    }

    /// Lists the heaviest networks seen, largest first.
    pub fn extremes(&self) -> &[Extreme] {
        self.extremes.networks()
    }

    /// Adds everything that another accumulator of the same run has seen.
    ///
    /// # Panics
    /// If a block is in both.
    pub fn merge(&mut self, other: Self) {
        self.extremes.merge(other.extremes);
        for ((experiment, first), node) in other.nodes {
            self.insert(experiment, first, node);
        }
    }

    /// Forgets the subtree of an experiment that holds `block`, and the heaviest networks of
    /// its blocks; `networks` tells which networks some blocks have. Whoever forgets blocks must
    /// add them again, with these networks or more: the top set has lost others to them.
    pub fn forget(
        &mut self,
        experiment: u32,
        block: u64,
        networks: impl FnOnce(Range<u64>) -> Range<u64>,
    ) {
        let holds = (self.nodes.range(..=(experiment, block)).next_back())
            .filter(|&(&(e, first), node)| e == experiment && block < first + node.span)
            .map(|(&key, node)| (key, key.1..key.1 + node.span));
        if let Some((key, blocks)) = holds {
            self.nodes.remove(&key);
            self.extremes.forget(experiment, networks(blocks));
        }
    }

    fn insert(&mut self, experiment: u32, mut first: u64, mut node: Node) {
        let before = self.nodes.range(..=(experiment, first)).next_back();
        let overlaps = before.is_some_and(|(&(e, f), n)| e == experiment && f + n.span > first)
            || self
                .nodes
                .range((experiment, first)..(experiment, first + node.span))
                .next()
                .is_some();
        assert!(
            !overlaps,
            "block {first} of experiment {experiment} counted twice"
        );
        loop {
            let sibling = (experiment, first ^ node.span);
            if self.nodes.get(&sibling).is_none_or(|s| s.span != node.span) {
                break;
            }
            let other = self.nodes.remove(&sibling).expect("looked up above");
            let (low, high) = if sibling.1 < first {
                (other, node)
            } else {
                (node, other)
            };
            first = first.min(sibling.1);
            node = Node {
                span: low.span * 2,
                statistics: low.statistics.join(&high.statistics),
            };
        }
        self.nodes.insert((experiment, first), node);
    }

    /// Lists what has been seen: experiment, blocks and statistics of each subtree, ascending.
    pub fn subtrees(&self) -> impl Iterator<Item = (u32, Range<u64>, &Statistics)> {
        (self.nodes.iter()).map(|(&(experiment, first), node)| {
            let blocks = first..first.saturating_add(node.span);
            (experiment, blocks, &node.statistics)
        })
    }

    /// Counts the networks seen.
    pub fn networks(&self) -> u64 {
        // Counts stay far below 2^53, where f64 is exact.
        self.nodes
            .values()
            .map(|n| n.statistics.networks as u64)
            .sum()
    }

    /// Joins the statistics of each experiment, in the order of their numbers.
    pub fn experiments(&self) -> Vec<Statistics> {
        let mut all: BTreeMap<u32, Statistics> = BTreeMap::new();
        for (&(experiment, _), node) in &self.nodes {
            let joined = match all.remove(&experiment) {
                Some(s) => s.join(&node.statistics),
                None => node.statistics.clone(),
            };
            all.insert(experiment, joined);
        }
        all.into_values().collect()
    }

    /// Joins the statistics over all experiments.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if nothing was accumulated or a mean is NaN or infinite.
    pub fn total(&self) -> Result<Statistics> {
        let total = self
            .experiments()
            .into_iter()
            .reduce(|a, b| a.join(&b))
            .ok_or_else(|| Error::NotFinite("an average over no networks".into()))?;
        if total.mean.iter().chain(&total.m2).any(|x| !x.is_finite()) {
            return Err(Error::NotFinite("an n-point function".into()));
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(block: u64) -> Vec<f64> {
        vec![(block as f64 * 0.7).sin(), 1e6 + (block as f64 * 1.3).cos()]
    }

    fn range(blocks: std::ops::Range<u64>) -> Accumulator {
        let mut acc = Accumulator::new();
        for block in blocks {
            acc.add_block(0, block, if block == 36 { 3 } else { 8 }, leaf(block));
        }
        acc
    }

    #[test]
    fn any_split_gives_the_same_bits() {
        let whole = range(0..37);
        for cut in 1..37 {
            let (mut a, mut b) = (range(cut..37), range(0..cut));
            let late = a.clone();
            a.merge(b.clone());
            b.merge(late);
            assert_eq!(a, whole);
            assert_eq!(b, whole);
        }
        assert!(whole.nodes.len() < 7);
    }

    #[test]
    fn agrees_with_the_two_pass_formula() {
        let total = range(0..37).total().unwrap();
        let n = |b: u64| if b == 36 { 3.0 } else { 8.0 };
        let weight: f64 = (0..37).map(n).sum();
        for (e, (mean, err)) in total.mean.iter().zip(total.std_err().unwrap()).enumerate() {
            let want = (0..37).map(|b| n(b) * leaf(b)[e]).sum::<f64>() / weight;
            let var: f64 = (0..37).map(|b| n(b) * (leaf(b)[e] - want).powi(2)).sum();
            assert!((mean - want).abs() < 1e-12 * want.abs().max(1.0));
            assert!((err / (var / (36.0 * weight)).sqrt() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    #[should_panic(expected = "counted twice")]
    fn a_block_counts_once() {
        let mut acc = range(0..8);
        acc.add_block(0, 5, 8, leaf(5));
    }

    #[test]
    fn nan_and_nothing_are_errors() {
        let mut acc = Accumulator::new();
        assert!(acc.total().is_err());
        acc.add_block(0, 0, 8, vec![f64::NAN]);
        assert!(acc.total().is_err());
    }
}
