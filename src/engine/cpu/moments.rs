//! This module sums the moments of a block of networks (twin of `shaders/moments.wgsl`).

use super::networks::{Networks, TILE, Tile};
use crate::engine::Block;
use crate::simd::vectorised;
use crate::tensor::{Extreme, MomentPlan, MomentSums, ROW, Row};

/// `Blocks` draws blocks of networks and averages the products of their fields; it keeps its
/// buffers from block to block.
#[derive(Debug)]
pub struct Blocks<'a> {
    networks: Networks,
    sums: MomentSums<'a>,
    batch: Vec<Row>,
    fields: Vec<Tile>,
    /// Inverse of the typical size of each field by which networks are heavy.
    inverse: Vec<f64>,
}

impl<'a> Blocks<'a> {
    /// Prepares to draw `networks`, whose fields are the points of the plan.
    pub fn new(plan: &'a MomentPlan, networks: Networks) -> Self {
        Self {
            sums: MomentSums::new(plan),
            batch: vec![[0.0; ROW]; networks.fields()],
            fields: vec![[0.0; TILE]; networks.fields()],
            inverse: (networks.scales()[..networks.scored_fields()].iter())
                .map(|s| 1.0 / s)
                .collect(),
            networks,
        }
    }

    /// Computes the mean of every product of fields over the networks of one block, and the network
    /// with the largest field, squared and weighted.
    // scripts/cost-test finds it by its name.
    #[inline(never)]
    pub fn means(&mut self, block: &Block) -> (Vec<f64>, Extreme) {
        let Self {
            networks,
            sums,
            batch,
            fields,
            inverse,
        } = self;
        let mut batch_weights = [0.0; ROW];
        let mut heaviest = Extreme {
            score: -1.0,
            experiment: block.experiment,
            network: block.first,
            weight: 0.0,
            field: vec![0.0; fields.len()],
        };
        let (first, last) = (block.first, block.first + block.networks);
        let tile_size = TILE as u64;
        let tiles = first / tile_size..last.div_ceil(tile_size);
        let end = tiles.end;
        for (turn, tile) in tiles.enumerate() {
            let mut weights = networks.draw(block.experiment, tile, fields);
            let number = |lane: usize| tile * tile_size + lane as u64;
            if number(0) < first || last < number(TILE) {
                for lane in 0..TILE {
                    // Networks of the tile that another block has are zero and weigh nothing
                    // here.
                    if !(first..last).contains(&number(lane)) {
                        weights[lane] = 0.0;
                        fields.iter_mut().for_each(|f| f[lane] = 0.0);
                    }
                }
            }
            let (scores, largest) = scores(fields, inverse, &weights);
            if largest > heaviest.score {
                for (lane, score) in scores.into_iter().enumerate() {
                    if score > heaviest.score {
                        heaviest.score = score;
                        heaviest.network = number(lane);
                        heaviest.weight = weights[lane];
                        for (kept, field) in heaviest.field.iter_mut().zip(fields.iter()) {
                            *kept = field[lane];
                        }
                    }
                }
            }
            let at = turn * TILE % ROW;
            for (batch, field) in batch.iter_mut().zip(fields.iter()) {
                batch[at..at + TILE].copy_from_slice(field);
            }
            batch_weights[at..at + TILE].copy_from_slice(&weights);
            if tile + 1 == end {
                batch.iter_mut().for_each(|b| b[at + TILE..].fill(0.0));
                batch_weights[at + TILE..].fill(0.0);
            }
            if at + TILE == ROW || tile + 1 == end {
                match networks.is_weighted() {
                    true => sums.add_weighted(batch, &batch_weights),
                    false => sums.add(batch),
                }
            }
        }
        let mut means = sums.take();
        for mean in &mut means {
            *mean /= block.networks as f64;
        }
        (means, heaviest)
    }
}

vectorised! {
    fn scores(fields: &[Tile], inverse: &[f64], weights: &Tile) -> (Tile, f64) {
        weigh(fields, inverse, weights)
    }
}

/// Computes weight times the largest field squared, in units of `1 / inverse`, of each network, and
/// the largest of them.
#[inline(always)]
fn weigh(fields: &[Tile], inverse: &[f64], weights: &Tile) -> (Tile, f64) {
    let mut largest = [0.0f64; TILE];
    for (field, inverse) in fields.iter().zip(inverse) {
        for l in 0..TILE {
            let size = (field[l] * inverse).abs();
            // Not `max`, which looks for NaN on both sides.
            largest[l] = if size > largest[l] { size } else { largest[l] };
        }
    }
    let mut scores = [0.0; TILE];
    for l in 0..TILE {
        scores[l] = weights[l] * largest[l] * largest[l];
    }
    let mut half = scores;
    for width in [8, 4, 2, 1] {
        for l in 0..width {
            let other = half[l + width];
            half[l] = if other > half[l] { other } else { half[l] };
        }
    }
    (scores, half[0])
}
