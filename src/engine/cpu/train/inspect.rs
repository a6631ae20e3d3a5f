//! One step of the training of networks, for cross-checks.

use super::*;
use crate::engine::Descended;

/// Draws at most the first `networks` networks of a block, and takes one step of their training.
pub fn descend(plan: &TrainPlan, block: &Block, networks: usize) -> Vec<Descended> {
    let mut trainer = Trainer::new(plan);
    let width = plan.untrained().net.width() as usize;
    let last = block.first + block.networks.min(networks as u64);
    let mut all = Vec::new();
    for tile in tiles(block) {
        let mut outputs = Vec::new();
        let keep = |_: usize, state: &State| outputs.push(state.outputs.clone());
        trainer.train((block.experiment, tile), &[0, 1], keep, &|| false);
        let p = &trainer.parameters;
        for lane in 0..TILE {
            if !(block.first..last).contains(&(tile * TILE as u64 + lane as u64)) {
                continue;
            }
            let row = |row: &[f64]| (0..width).map(|unit| row[unit * TILE + lane]).collect();
            let components: Vec<Vec<f64>> = p.hidden.chunks_exact(width * TILE).map(row).collect();
            let outputs = |k: usize| outputs[k].iter().map(|f| f[lane]).collect();
            all.push(Descended {
                hidden: (0..width)
                    .map(|unit| components.iter().map(|row| row[unit]).collect())
                    .collect(),
                readout: p.readout.chunks_exact(width * TILE).map(row).collect(),
                bias: p.bias.iter().map(|b1| b1[lane]).collect(),
                before: outputs(0),
                after: outputs(1),
            });
        }
    }
    all
}
