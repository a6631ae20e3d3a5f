//! This module takes in the sums of batches: elements of blocks, and their heaviest networks. A card hands over 10^6
//! blocks a second, so that a block has a microsecond of one core.

use std::ops::Range;

use rayon::prelude::*;

use super::moments;
use super::setup::Setup;
use crate::engine::{Block, BlockPlan};
use crate::simd::vectorised;
use crate::tensor::{
    Accumulator, Eight, Extreme, Measurement, PLACES, SIDE_BY_SIDE, keep_heaviest,
};
use crate::{Error, Result};

/// Number of blocks that a thread of the host takes in at a time: batches of a card have thousands.
const PIECE: u64 = 256;

/// `Intake` knows what the sums of a block are, `[block][sum]`.
pub struct Intake {
    plan: BlockPlan,
    measurement: Measurement,
    /// The moment of each sum in a block's row, and the product of the scales over the moment's index.
    order: Vec<usize>,
    factors: Vec<f64>,
    /// Typical size of each field.
    scales: Vec<f64>,
}

impl Intake {
    /// Prepares to take in sums in an order.
    pub fn new(setup: &Setup, measurement: Measurement, order: Vec<usize>) -> Self {
        let indices = measurement.moments().indices();
        let product = |&m: &usize| indices[m].iter().map(|&i| setup.scales[i]).product();
        Self {
            plan: setup.plan,
            factors: order.iter().map(product).collect(),
            order,
            scales: setup.scales.clone(),
            measurement,
        }
    }

    /// Returns what is measured.
    #[cfg(feature = "test-hooks")]
    pub fn measurement(&self) -> &Measurement {
        &self.measurement
    }

    /// Counts the bytes of the sums of so many blocks.
    pub fn bytes(&self, blocks: u64) -> u64 {
        blocks * 4 * self.row() as u64
    }

    /// Counts the numbers of a block.
    fn row(&self) -> usize {
        4 * moments::sum_quads(self.measurement.moments())
    }

    /// Forms the elements of a range of blocks.
    ///
    /// # Errors
    /// [`Error::Overflow`] of a sum that is not finite.
    pub fn take(&self, range: &Range<u64>, sums: &[f32]) -> Result<Accumulator> {
        let row = self.row();
        let at = |number: u64| (number - range.start) as usize * row;
        let parts: Vec<(Accumulator, Vec<Extreme>)> = (self.pieces(range).into_par_iter())
            .map_init(
                || Side::new(self.order.len()),
                |side, piece| {
                    let sums = &sums[at(piece.start)..at(piece.end)];
                    Ok((self.piece(side, &piece, sums)?, self.heaviest(&piece, sums)))
                },
            )
            .collect::<Result<_>>()?;
        let (mut all, mut heaviest) = (Accumulator::new(), Vec::new());
        for (part, some) in parts {
            all.merge(part);
            heaviest.extend(some);
        }
        keep_heaviest(&mut heaviest);
        for mut network in heaviest {
            let block = network.network / self.plan.size;
            let number = u64::from(network.experiment) * self.plan.per_experiment + block;
            let fields = &self.tail(&sums[at(number)..])[3..];
            network.field = (fields.iter().zip(&self.scales))
                .map(|(&f, scale)| f64::from(f) * scale)
                .collect();
            all.add_extreme(network);
        }
        Ok(all)
    }

    /// Cuts a range where an experiment ends, and where the index of a block is a multiple of [`PIECE`], so that each
    /// piece is few subtrees.
    fn pieces(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut all = Vec::new();
        let mut next = range.start;
        while next < range.end {
            let index = next % self.plan.per_experiment;
            let whole = (PIECE - index % PIECE).min(self.plan.per_experiment - index);
            let piece = next..range.end.min(next + whole);
            next = piece.end;
            all.push(piece);
        }
        all
    }

    /// Forms the elements of some blocks of one experiment.
    fn piece(&self, side: &mut Side, piece: &Range<u64>, sums: &[f32]) -> Result<Accumulator> {
        let mut all = Accumulator::new();
        let row = self.row();
        let (mut number, mut sums) = (piece.start, sums);
        while number < piece.end {
            let block = self.plan.block(number);
            let is_first = block.index.is_multiple_of(SIDE_BY_SIDE as u64);
            let count = match is_first && piece.end - number >= SIDE_BY_SIDE as u64 {
                true => {
                    self.eight(side, &mut all, number, sums)?;
                    SIDE_BY_SIDE
                }
                false => {
                    let means = self.measurement.elements(self.means(&block, sums)?);
                    all.add_block(block.experiment, block.index, block.networks, means);
                    1
                }
            };
            number += count as u64;
            sums = &sums[count * row..];
        }
        Ok(all)
    }

    /// Forms the elements of eight blocks from number `first` on.
    fn eight(
        &self,
        side: &mut Side,
        all: &mut Accumulator,
        first: u64,
        sums: &[f32],
    ) -> Result<()> {
        let row = self.row();
        let blocks = PLACES.map(|place| self.plan.block(first + place as u64));
        let rows = PLACES.map(|place| &sums[place * row..(place + 1) * row]);
        let networks = blocks.map(|block| block.networks as f64);
        let is_finite = match blocks.iter().all(|block| block.networks.is_power_of_two()) {
            // The inverse is exact, and a product takes a fraction of the time of a quotient.
            true => spread_by_inverse(self, &rows, &networks.map(f64::recip), &mut side.moments),
            false => spread_by_quotient(self, &rows, &networks, &mut side.moments),
        };
        if !is_finite {
            for number in first..first + SIDE_BY_SIDE as u64 {
                let at = (number - first) as usize * row;
                self.means(&self.plan.block(number), &sums[at..])?;
            }
        }
        (self.measurement).elements_of_eight(&side.moments, &mut side.elements);
        let Block {
            experiment, index, ..
        } = blocks[0];
        all.add_eight(experiment, index, networks, &side.elements);
        Ok(())
    }

    /// Computes the mean of every moment over a block.
    fn means(&self, block: &Block, sums: &[f32]) -> Result<Vec<f64>> {
        let mut means = vec![0.0; self.order.len()];
        for ((&moment, &factor), &sum) in self.order.iter().zip(&self.factors).zip(sums) {
            means[moment] = f64::from(sum) / block.networks as f64 * factor;
        }
        match means.iter().all(|m| m.is_finite()) {
            true => Ok(means),
            false => Err(Error::Overflow(format!(
                "a sum over block {} of experiment {}",
                block.index, block.experiment
            ))),
        }
    }

    /// Returns what a block's row has of its heaviest network: score, number in the block, weight, fields.
    fn tail<'s>(&self, sums: &'s [f32]) -> &'s [f32] {
        let at = 4 * moments::heaviest_at(self.measurement.moments());
        &sums[at..self.row()]
    }

    /// Lists the heaviest network of each block, without its fields: most are not kept.
    fn heaviest(&self, piece: &Range<u64>, sums: &[f32]) -> Vec<Extreme> {
        (piece.clone().zip(sums.chunks(self.row())))
            .map(|(number, row)| {
                let (block, tail) = (self.plan.block(number), self.tail(row));
                Extreme {
                    score: tail[0].into(),
                    experiment: block.experiment,
                    network: block.first + tail[1] as u64,
                    weight: tail[2].into(),
                    field: Vec::new(),
                }
            })
            .collect()
    }
}

/// `Side` is room for eight blocks side by side.
struct Side {
    moments: Vec<Eight>,
    elements: Vec<Eight>,
}

impl Side {
    fn new(moments: usize) -> Self {
        Self {
            moments: vec![[0.0; SIDE_BY_SIDE]; moments],
            elements: Vec::new(),
        }
    }
}

/// Rows of eight blocks, in the order of their lanes.
type Rows<'a> = [&'a [f32]; SIDE_BY_SIDE];

vectorised! {
    fn spread_by_inverse(intake: &Intake, rows: &Rows, inverse: &Eight, moments: &mut [Eight]) -> bool {
        spread::<true>(intake, rows, inverse, moments)
    }
}

vectorised! {
    fn spread_by_quotient(intake: &Intake, rows: &Rows, networks: &Eight, moments: &mut [Eight]) -> bool {
        spread::<false>(intake, rows, networks, moments)
    }
}

/// Computes the means of every moment over eight blocks, side by side, by a product with the inverse of their networks
/// or a quotient; returns whether all are finite.
#[inline(always)]
fn spread<const INVERSE: bool>(
    intake: &Intake,
    rows: &Rows,
    by: &Eight,
    moments: &mut [Eight],
) -> bool {
    // A product with zero is zero, but of what is no finite number.
    let mut zeros = [0.0; SIDE_BY_SIDE];
    let sums = intake.order.len();
    let (factors, by) = (&intake.factors[..sums], *by);
    // By name: an array of rows is not seen to be eight loads side by side.
    let [a, b, c, d, e, f, g, h] = *rows;
    let (a, b, c, d) = (&a[..sums], &b[..sums], &c[..sums], &d[..sums]);
    let (e, f, g, h) = (&e[..sums], &f[..sums], &g[..sums], &h[..sums]);
    for k in 0..sums {
        let sum = [a[k], b[k], c[k], d[k], e[k], f[k], g[k], h[k]];
        let moment = &mut moments[intake.order[k]];
        for l in 0..SIDE_BY_SIDE {
            let sum = f64::from(sum[l]);
            let mean = if INVERSE { sum * by[l] } else { sum / by[l] };
            moment[l] = mean * factors[k];
            zeros[l] += moment[l] * 0.0;
        }
    }
    zeros == [0.0; SIDE_BY_SIDE]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EnsembleSpec, Estimator};
    use crate::plan::Plan;

    /// Outputs, those of a net with two points on rays, covariances; an experiment of whole blocks and one whose last is short.
    fn plans() -> Vec<Plan> {
        let mut all = Vec::new();
        for arch in ["erf", "relu", "gauss"] {
            for estimator in [Estimator::Direct, Estimator::Connected] {
                for nets in [37 * 1024, 50_000] {
                    let spec = EnsembleSpec {
                        nets,
                        estimator,
                        experiments: 3,
                        orders: vec![2, 4],
                        ..EnsembleSpec::preset(arch, 1).unwrap()
                    };
                    all.push(Plan::new(spec).unwrap());
                }
            }
        }
        all
    }

    fn intake(plan: &Plan) -> Intake {
        let measurement = plan.measurement().clone();
        let order = moments::order(measurement.moments());
        Intake::new(&Setup::new(plan.drawn()), measurement, order)
    }

    /// Makes sums of every size and sign, and networks of every score.
    fn sums(intake: &Intake, blocks: u64) -> Vec<f32> {
        let mut word = 1u32;
        (0..blocks as usize * intake.row())
            .map(|_| {
                word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let size = f32::from_bits(word & 0x007f_ffff | 0x3f80_0000) * 300.0;
                if word >> 31 == 0 { size } else { 450.0 - size }
            })
            .map(|x: f32| x.max(-300.0))
            .collect()
    }

    /// Takes in block after block.
    fn one_by_one(intake: &Intake, range: Range<u64>, sums: &[f32]) -> Accumulator {
        let mut all = Accumulator::new();
        for (number, row) in range.zip(sums.chunks(intake.row())) {
            let block = intake.plan.block(number);
            let mut means = vec![0.0; intake.order.len()];
            for (k, &m) in intake.order.iter().enumerate() {
                means[m] = f64::from(row[k]) / block.networks as f64 * intake.factors[k];
            }
            let means = intake.measurement.elements(means);
            all.add_block(block.experiment, block.index, block.networks, means);
            let tail = intake.tail(row);
            let field = tail[3..].iter().zip(&intake.scales);
            all.add_extreme(Extreme {
                score: tail[0].into(),
                experiment: block.experiment,
                network: block.first + tail[1] as u64,
                weight: tail[2].into(),
                field: field.map(|(&f, scale)| f64::from(f) * scale).collect(),
            });
        }
        all
    }

    #[test]
    fn eight_blocks_at_a_time_have_the_bits_of_one() {
        for plan in plans() {
            let intake = intake(&plan);
            let blocks = intake.plan.blocks();
            let mut sums = sums(&intake, blocks);
            let row = intake.row();
            let at = row - intake.tail(&sums[..row]).len();
            // Scores are not negative, and numbers are those of a network of the block.
            for row in sums.chunks_mut(row) {
                row[at] = row[at].abs();
                row[at + 1] = row[at + 1].abs() % 512.0;
            }
            let want = one_by_one(&intake, 0..blocks, &sums);
            for cuts in [vec![0, blocks], vec![0, 3, 40, 41, 90, blocks]] {
                let mut all = Accumulator::new();
                for cut in cuts.windows(2) {
                    let range = cut[0]..cut[1];
                    let sums = &sums[range.start as usize * row..range.end as usize * row];
                    all.merge(intake.take(&range, sums).unwrap());
                }
                assert_eq!(all, want);
            }
        }
    }

    #[test]
    fn a_sum_that_is_no_number_is_told_with_its_block() {
        let plan = &plans()[1];
        let intake = intake(plan);
        let (blocks, row) = (intake.plan.blocks(), intake.row());
        // In eight blocks of an experiment, and in those that are left over at its end.
        for number in [13, 48] {
            for bad in [f32::NAN, f32::INFINITY] {
                let mut sums = vec![1f32; blocks as usize * row];
                sums[number * row + intake.order.len() - 1] = bad;
                let error = intake.take(&(0..blocks), &sums).unwrap_err();
                let block = format!("a sum over block {number} of experiment 0");
                assert!(error.to_string().starts_with(&block), "{error}");
            }
        }
    }
}
