//! Moments of a block of networks (twin of `shaders/moments.wgsl`).

use super::outputs::Outputs;
use crate::engine::Block;
use crate::tensor::{LANES, MomentPlan, MomentSums};

/// Mean of every n-point product over the networks of one block.
pub fn block_means(plan: &MomentPlan, outputs: &mut Outputs, block: &Block) -> Vec<f64> {
    let points = outputs.points();
    let mut sums = MomentSums::new(plan);
    let mut lanes = vec![[0.0; LANES]; points];
    let mut field = vec![0.0; points];
    outputs.seek(block.experiment, block.first);
    for first in (0..block.networks).step_by(LANES) {
        for lane in 0..LANES {
            // A short block's missing networks are zero and add nothing.
            if first + (lane as u64) < block.networks {
                outputs.next_network(&mut field);
            } else {
                field.fill(0.0);
            }
            for (lanes, f) in lanes.iter_mut().zip(&field) {
                lanes[lane] = *f;
            }
        }
        sums.add(&lanes);
    }
    let mut means = sums.take();
    for mean in &mut means {
        *mean /= block.networks as f64;
    }
    means
}
