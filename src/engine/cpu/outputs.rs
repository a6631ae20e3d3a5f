//! This module draws the outputs of networks, where no averages are wanted.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::networks::{Networks, TILE};
use super::{PIECE_TIME, next_size};
use crate::engine::blocks::PIECE_BYTES;
use crate::engine::{Block, BlockPlan, Draws, Work};
use crate::model::MAX_MEMORY;
use crate::plan::SamplePlan;
use crate::{Error, Result};

/// Draws blocks of networks until there are no more, on all cores.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn sample(plan: &SamplePlan, work: &dyn Work<Draws>) -> Result<()> {
    let spec = plan.spec();
    let all_blocks = BlockPlan::of_outputs(spec);
    let block_bytes = 8 * all_blocks.size * plan.outputs().len() as u64;
    let (room, most) = (
        (MAX_MEMORY as f64 / spec.drawing_memory()).max(1.0) as usize,
        (PIECE_BYTES / block_bytes).max(1),
    );
    let failed = Mutex::new(None);
    let has_failed = || failed.lock().unwrap_or_else(|e| e.into_inner()).is_some();
    rayon::broadcast(|worker| {
        if worker.index() >= room {
            return;
        }
        let mut networks = Networks::new(plan.drawn());
        let mut fields = vec![[0.0; TILE]; networks.fields()];
        let mut size = 1;
        while !has_failed() {
            // Small pieces at the end: no core idles while another has much to do.
            let share = work.left() / (2 * worker.num_threads() as u64);
            let Some(range) = work.take(share.clamp(1, size)) else {
                return;
            };
            let start = Instant::now();
            let count = all_blocks.networks(range.clone()) as usize;
            let mut all = Vec::with_capacity(count * plan.outputs().len());
            for block in range.clone().map(|number| all_blocks.block(number)) {
                append(&mut all, plan, &mut networks, &mut fields, &block);
            }
            if !all.iter().all(|f| f.is_finite()) {
                let error = Error::NotFinite("an output, even in f64,".into());
                *failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                return;
            }
            let took: Duration = start.elapsed();
            size = next_size(size, range.end - range.start, took, PIECE_TIME).min(most);
            work.finish(range, Draws::F64(all));
        }
    });
    (failed.into_inner().unwrap_or_else(|e| e.into_inner())).map_or(Ok(()), Err)
}

/// Appends the outputs of the networks of a block.
fn append(
    all: &mut Vec<f64>,
    plan: &SamplePlan,
    networks: &mut Networks,
    fields: &mut [[f64; TILE]],
    block: &Block,
) {
    let (tile_size, last) = (TILE as u64, block.first + block.networks);
    for tile in block.first / tile_size..last.div_ceil(tile_size) {
        networks.draw(block.experiment, tile, fields);
        for (lane, network) in (tile * tile_size..).enumerate().take(TILE) {
            if (block.first..last).contains(&network) {
                let of = |&(field, c): &(usize, f64)| c * fields[field][lane];
                all.extend(plan.outputs().iter().map(of));
            }
        }
    }
}
