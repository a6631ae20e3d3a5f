//! Moments of a block of networks (twin of `shaders/moments.wgsl`).

use super::networks::{Networks, TILE, Tile};
use crate::engine::Block;
use crate::tensor::{Extreme, MomentPlan, MomentSums};

/// Mean of every product of fields over the networks of one block, and the network with the
/// largest field, squared and weighted.
pub fn block_means(
    plan: &MomentPlan,
    networks: &mut Networks,
    block: &Block,
) -> (Vec<f64>, Extreme) {
    let mut sums = MomentSums::new(plan);
    let mut fields: Vec<Tile> = vec![[0.0; TILE]; networks.fields()];
    let mut heaviest = Extreme {
        score: -1.0,
        experiment: block.experiment,
        network: block.first,
        weight: 0.0,
        field: vec![0.0; fields.len()],
    };
    let inverse: Vec<f64> = networks.scales().iter().map(|s| 1.0 / s).collect();
    let (first, last) = (block.first, block.first + block.networks);
    let tile_size = TILE as u64;
    for tile in first / tile_size..last.div_ceil(tile_size) {
        let mut weights = networks.draw(block.experiment, tile, &mut fields);
        let number = |lane: usize| tile * tile_size + lane as u64;
        for lane in 0..TILE {
            // Networks of the tile that another block has are zero and weigh nothing here.
            if !(first..last).contains(&number(lane)) {
                weights[lane] = 0.0;
                fields.iter_mut().for_each(|f| f[lane] = 0.0);
            }
        }
        let mut largest = [0.0f64; TILE];
        for (field, inverse) in fields.iter().zip(&inverse) {
            for (largest, f) in largest.iter_mut().zip(field) {
                *largest = largest.max((f * inverse).abs());
            }
        }
        for lane in 0..TILE {
            let score = weights[lane] * largest[lane] * largest[lane];
            if score > heaviest.score {
                heaviest.score = score;
                heaviest.network = number(lane);
                heaviest.weight = weights[lane];
                for (kept, field) in heaviest.field.iter_mut().zip(&fields) {
                    *kept = field[lane];
                }
            }
        }
        if networks.is_weighted() {
            sums.add_weighted(&fields, &weights);
        } else {
            sums.add(&fields);
        }
    }
    let mut means = sums.take();
    for mean in &mut means {
        *mean /= block.networks as f64;
    }
    (means, heaviest)
}
