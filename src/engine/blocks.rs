use std::ops::Range;

use crate::model::{EnsembleSpec, MAX_NETS};
use crate::stream::GROUP;
use crate::tensor::Accumulator;

/// Bytes of outputs, in f64, of a block and of what a thread hands over at a time, so that memory
/// stays flat; more only where 16 networks have more.
pub(super) const PIECE_BYTES: u64 = 8 << 20;

/// A block plan cuts the networks of an experiment into blocks of fixed size.
///
/// The block is the unit of everything: a thread sums whole blocks, a dispatch, a shard and
/// a checkpoint are whole numbers of blocks. Its size depends on the spec alone, never on
/// the device, so that every split of a run adds the same numbers in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockPlan {
    /// Number of networks in a full block.
    pub size: u64,
    /// Number of blocks per experiment; the last block may be short.
    pub per_experiment: u64,
    experiments: u64,
    nets: u64,
}

/// A block is consecutive networks of one experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Experiment that the block belongs to.
    pub experiment: u32,
    /// Number of the block within the experiment.
    pub index: u64,
    /// First network of the block, numbered within the experiment.
    pub first: u64,
    /// Number of networks in the block.
    pub networks: u64,
}

impl BlockPlan {
    /// Chooses the size of blocks for a spec. f32 sums of 1024 terms keep their rounding (about
    /// 1e-6) far below the block's own statistical error (3%); 32 blocks give an experiment an
    /// error bar good to 13%; and 2^26 hidden units are a second on a slow device. Networks are
    /// drawn 16 at a time: a smaller block wastes work, and is for experiments that would have a
    /// single block.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let size = Self::size_for(spec.net.width(), spec.nets);
        Self {
            size,
            per_experiment: spec.nets.div_ceil(size),
            experiments: spec.experiments.into(),
            nets: spec.nets,
        }
    }

    /// Chooses the size of blocks of which the outputs are wanted rather than their averages: that of
    /// [`new`](Self::new), but no smaller than what is drawn together, and no larger than
    /// 8 MiB hold.
    pub fn of_outputs(spec: &EnsembleSpec) -> Self {
        let row = 8 * (spec.inputs.len() * spec.net.d_out()) as u64;
        let fits = (PIECE_BYTES / row).max(GROUP).ilog2();
        let size = Self::size_for(spec.net.width(), spec.nets).clamp(GROUP, 1 << fits);
        Self {
            size,
            per_experiment: spec.nets.div_ceil(size),
            ..Self::new(spec)
        }
    }

    fn size_for(width: u64, nets: u64) -> u64 {
        let largest = ((1u64 << 26) / width).clamp(GROUP, 1024);
        let size = (nets / 32).max(GROUP.min(nets / 2)).clamp(1, largest);
        // A power of two, so that shaders divide by shifting.
        1u64 << size.ilog2()
    }

    /// Returns the largest number of networks that an experiment of this spec can have in blocks of
    /// this size: up to it a run is extended without drawing again what it has.
    pub fn most_nets(spec: &EnsembleSpec) -> u64 {
        let size = Self::size_for(spec.net.width(), spec.nets);
        // Sizes do not fall as networks grow.
        let (mut fits, mut above) = (spec.nets, MAX_NETS + 1);
        while above - fits > 1 {
            let middle = fits + (above - fits) / 2;
            match Self::size_for(spec.net.width(), middle) == size {
                true => fits = middle,
                false => above = middle,
            }
        }
        fits
    }

    /// Returns the block at the end of every experiment that has fewer networks than the others.
    pub fn short_block(&self) -> Option<u64> {
        (!self.nets.is_multiple_of(self.size)).then(|| self.per_experiment - 1)
    }

    /// Counts the blocks over all experiments.
    pub fn blocks(&self) -> u64 {
        self.per_experiment * self.experiments
    }

    /// Returns block number `number` over all experiments.
    pub fn block(&self, number: u64) -> Block {
        let index = number % self.per_experiment;
        let first = index * self.size;
        Block {
            experiment: (number / self.per_experiment) as u32,
            index,
            first,
            networks: self.size.min(self.nets - first),
        }
    }

    /// Counts the networks in a range of blocks.
    pub fn networks(&self, blocks: Range<u64>) -> u64 {
        // All but the last of an experiment are full.
        let before = |block: u64| {
            let (experiment, index) = (block / self.per_experiment, block % self.per_experiment);
            experiment * self.nets + index * self.size
        };
        before(blocks.end) - before(blocks.start)
    }

    /// Describes the networks of a range of blocks in words.
    pub fn describe(&self, blocks: Range<u64>) -> Vec<String> {
        let (mut next, end) = (blocks.start, blocks.end);
        let mut all = Vec::new();
        while next < end {
            let (experiment, after) = (next / self.per_experiment, end / self.per_experiment);
            if next.is_multiple_of(self.per_experiment) && after > experiment {
                all.push(match after - experiment {
                    1 => format!("experiment {experiment}"),
                    _ => format!("experiments {experiment} to {}", after - 1),
                });
                next = after * self.per_experiment;
            } else {
                let stop = end.min((experiment + 1) * self.per_experiment);
                let (first, last) = (self.block(next), self.block(stop - 1));
                all.push(format!(
                    "experiment {experiment}, networks {} to {}",
                    first.first,
                    last.first + last.networks - 1
                ));
                next = stop;
            }
        }
        all
    }

    /// Lists the blocks that are in `elements`, as ascending ranges over all experiments.
    pub fn covered(&self, elements: &Accumulator) -> Vec<Range<u64>> {
        let mut all: Vec<Range<u64>> = Vec::new();
        for (experiment, blocks, _) in elements.subtrees() {
            let first = u64::from(experiment) * self.per_experiment;
            let range = first + blocks.start..first + blocks.end;
            match all.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => all.push(range),
            }
        }
        all
    }

    /// Lists the blocks of `wanted` that are not in `elements`, as ascending ranges.
    pub fn missing(&self, elements: &Accumulator, wanted: Range<u64>) -> Vec<Range<u64>> {
        gaps(&self.covered(elements), wanted)
    }
}

/// Lists the blocks of `wanted` that are in none of some ascending ranges.
pub(crate) fn gaps(covered: &[Range<u64>], wanted: Range<u64>) -> Vec<Range<u64>> {
    let mut all = Vec::new();
    let mut next = wanted.start;
    for range in covered {
        if next < range.start.min(wanted.end) {
            all.push(next..range.start.min(wanted.end));
        }
        next = next.max(range.end);
    }
    if next < wanted.end {
        all.push(next..wanted.end);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_network_once() {
        for (nets, width) in [
            (1, 3),
            (7, 3),
            (1000, 100),
            (1_000_000, 100),
            (1000, 1_000_000),
        ] {
            let mut spec = EnsembleSpec::preset("erf", 1).unwrap();
            spec = spec.with_width(width);
            (spec.nets, spec.experiments) = (nets, 2);
            let plan = BlockPlan::new(&spec);
            assert_eq!(plan.networks(0..plan.blocks()), 2 * nets);
            let mut next = (0, 0);
            for b in 0..plan.blocks() {
                let block = plan.block(b);
                if block.index == 0 {
                    next = (block.experiment, 0);
                }
                assert_eq!((block.experiment, block.first), next);
                assert!(block.networks > 0);
                assert_eq!(plan.networks(b..b + 1), block.networks);
                next.1 += block.networks;
                if block.index + 1 == plan.per_experiment {
                    assert_eq!(next.1, nets);
                }
            }
        }
    }

    #[test]
    fn blocks_of_outputs_are_those_of_averages_where_these_fit() {
        let spec = |points: usize, nets| EnsembleSpec {
            inputs: crate::model::Inputs::new(vec![vec![1.0]; points]).unwrap(),
            nets,
            ..EnsembleSpec::preset("erf", 1).unwrap()
        };
        for (points, nets, size) in [
            (6, 1_000_000, 1024),
            (6, 7, 16),
            (1024, 1_000_000, 1024),
            (1025, 1_000_000, 512),
            (1_000_000, 1_000_000, 16),
        ] {
            let spec = spec(points, nets);
            let plan = BlockPlan::of_outputs(&spec);
            assert_eq!(plan.size, size, "{points} {nets}");
            assert_eq!(plan.networks(0..plan.blocks()), spec.networks());
            if points == 6 && nets > 1000 {
                assert_eq!(plan, BlockPlan::new(&spec));
            }
        }
    }

    #[test]
    fn blocks_keep_their_size_up_to_a_number_of_networks() {
        let mut spec = EnsembleSpec::preset("erf", 1).unwrap();
        for (nets, most) in [
            (2, 3),
            (100, 1023),
            (1000, 1023),
            (1024, 2047),
            (32_767, 32_767),
            (32_768, MAX_NETS),
            (MAX_NETS, MAX_NETS),
        ] {
            spec.nets = nets;
            assert_eq!(BlockPlan::most_nets(&spec), most, "{nets}");
        }
        // 64 hidden units of a million are the most in a block.
        spec = spec.with_width(1_000_000);
        spec.nets = 3000;
        assert_eq!(BlockPlan::most_nets(&spec), MAX_NETS);
        assert_eq!(BlockPlan::new(&spec).short_block(), Some(46));
        spec.nets = 64 * 50;
        assert_eq!(BlockPlan::new(&spec).short_block(), None);
    }

    #[test]
    fn ranges_are_told_in_networks() {
        let mut spec = EnsembleSpec::preset("erf", 1).unwrap();
        (spec.nets, spec.experiments) = (1000, 4);
        let plan = BlockPlan::new(&spec);
        assert_eq!((plan.size, plan.per_experiment), (16, 63));
        let n = plan.per_experiment;
        assert_eq!(plan.describe(0..4 * n), ["experiments 0 to 3"]);
        assert_eq!(
            plan.describe(n - 1..3 * n + 1),
            [
                "experiment 0, networks 992 to 999",
                "experiments 1 to 2",
                "experiment 3, networks 0 to 15"
            ]
        );
        assert_eq!(plan.describe(n..2 * n), ["experiment 1"]);
        assert_eq!(plan.describe(1..3), ["experiment 0, networks 16 to 47"]);
        assert!(plan.describe(5..5).is_empty());
    }
}
