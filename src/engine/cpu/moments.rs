//! Moments of a block of networks (twin of `shaders/moments.wgsl`).

use super::networks::Networks;
use crate::engine::Block;
use crate::tensor::{Extreme, LANES, MomentPlan, MomentSums};

/// Mean of every product of fields over the networks of one block, and the network with the
/// largest field, squared and weighted.
pub fn block_means(
    plan: &MomentPlan,
    networks: &mut Networks,
    block: &Block,
) -> (Vec<f64>, Extreme) {
    let fields = networks.fields();
    let mut sums = MomentSums::new(plan);
    let mut lanes = vec![[0.0; LANES]; fields];
    let mut weights = [0.0; LANES];
    let mut field = vec![0.0; fields];
    let mut heaviest = Extreme {
        score: -1.0,
        experiment: block.experiment,
        network: block.first,
        weight: 0.0,
        field: vec![0.0; fields],
    };
    networks.seek(block.experiment, block.first);
    for first in (0..block.networks).step_by(LANES) {
        for lane in 0..LANES {
            let number = first + lane as u64;
            // A short block's missing networks are zero and weigh nothing.
            weights[lane] = 0.0;
            if number < block.networks {
                weights[lane] = networks.next_network(&mut field);
                let largest = (field.iter().zip(networks.scales()))
                    .map(|(f, s)| (f / s) * (f / s))
                    .fold(0.0, f64::max);
                let score = weights[lane] * largest;
                if score > heaviest.score {
                    heaviest.score = score;
                    heaviest.network = block.first + number;
                    heaviest.weight = weights[lane];
                    heaviest.field.copy_from_slice(&field);
                }
            } else {
                field.fill(0.0);
            }
            for (lanes, f) in lanes.iter_mut().zip(&field) {
                lanes[lane] = *f;
            }
        }
        if networks.is_weighted() {
            sums.add_weighted(&lanes, &weights);
        } else {
            sums.add(&lanes);
        }
    }
    let mut means = sums.take();
    for mean in &mut means {
        *mean /= block.networks as f64;
    }
    (means, heaviest)
}
