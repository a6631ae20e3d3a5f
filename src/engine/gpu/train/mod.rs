//! Networks are trained on the device, a batch side by side: their parameters stay there from the first step to the
//! last, and what they yield at each stop is averaged in f64 as the reference engine does it.

mod inspect;
mod run;
mod shape;
#[cfg(test)]
mod tests;
mod texts;

use std::ops::Range;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::GpuEngine;
use crate::Result;
use crate::engine::cpu::train::{BlockSums, tiles};
use crate::engine::queue::next_size;
use crate::engine::{AdapterClass, BlockPlan, Work};
use crate::plan::TrainPlan;
use crate::stream::GROUP;
use crate::tensor::Training;
pub use inspect::descend;
use run::{Look, Run};
use shape::Shape;
use texts::{Codes, texts};

/// Time that a batch of networks should take from the first step to the last: long against a wait at every stop,
/// short against a stop of the run.
const BATCH_TIME: Duration = Duration::from_millis(1000);
/// Networks of the first batch, on a GPU and on a software adapter.
const FIRST: u64 = 16384;
const FIRST_ON_SOFTWARE: u64 = 512;
/// Bytes of what a batch yields at all stops, on the host.
const LOOK_BYTES: u64 = 256 << 20;

/// Refuses a training that the shaders or the adapter's buffers have no room for.
///
/// # Errors
/// [`crate::Error::Invalid`], [`crate::Error::Overflow`].
pub fn check(engine: &GpuEngine, plan: &TrainPlan) -> Result<()> {
    let shape = Shape::new(plan, Codes::new(plan).length(), engine.profile.class)?;
    shape.constants()?;
    run::check(engine, &shape)
}

/// Trains blocks of networks until there are no more.
///
/// # Errors
/// Those of [`crate::engine::Engine::train`].
pub fn train(
    engine: &GpuEngine,
    plan: &TrainPlan,
    work: &dyn Work<Training>,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    let stopped = || cancelled() || work.left() == 0;
    if stopped() {
        return Ok(());
    }
    let codes = Codes::new(plan);
    let shape = Shape::new(plan, codes.length(), engine.profile.class)?;
    let texts = texts(&shape, &codes);
    if !engine.device.compile(texts.all(), &stopped)? {
        return Ok(());
    }
    let blocks = BlockPlan::new(&plan.spec().ensemble);
    let mut run = Run::new(engine, &shape, &texts, count_tiles(&blocks))?;
    let block = blocks.size.max(GROUP) * plan.stops().len() as u64 * shape.bytes().outputs / GROUP;
    let most = (LOOK_BYTES / block).max(1);
    let first = match engine.profile.class {
        AdapterClass::Software => FIRST_ON_SOFTWARE,
        AdapterClass::Discrete | AdapterClass::Integrated => FIRST,
    };
    let mut size = (first / blocks.size).clamp(1, most);
    while let Some(range) = work.take(engine.batch_blocks.unwrap_or(size)) {
        let start = Instant::now();
        #[cfg(feature = "test-hooks")]
        if (engine.device.fault.as_ref()).is_some_and(|fault| fault.loses_device(range.start)) {
            engine.device.device.destroy();
        }
        let all = list_tiles(&blocks, range.clone());
        let mut looks: Vec<Vec<Look>> = Vec::new();
        for some in all.chunks(run.capacity as usize) {
            match pollster::block_on(run.train(some, plan.stops(), cancelled))? {
                Some(look) => looks.push(look),
                None => {
                    work.give_back(range);
                    return Ok(());
                }
            }
        }
        let training = average(
            plan,
            &blocks,
            range.clone(),
            (&looks, run.capacity as usize),
        );
        let done = range.end - range.start;
        size = next_size(size, done, start.elapsed(), BATCH_TIME).min(most);
        work.finish(range, training);
    }
    Ok(())
}

/// Counts the tiles of 16 networks of all blocks.
fn count_tiles(blocks: &BlockPlan) -> u64 {
    blocks.blocks() * blocks.size.div_ceil(GROUP)
}

/// Lists experiment and number of the tiles of a range of blocks, one block after the other.
fn list_tiles(blocks: &BlockPlan, range: Range<u64>) -> Vec<[u32; 2]> {
    (range.map(|number| blocks.block(number)))
        .flat_map(|block| tiles(&block).map(move |tile| [block.experiment, tile as u32]))
        .collect()
}

/// Averages what the tiles of a range of blocks yield, so many of which were trained at a time.
fn average(
    plan: &TrainPlan,
    blocks: &BlockPlan,
    range: Range<u64>,
    (looks, at_a_time): (&[Vec<Look>], usize),
) -> Training {
    let mut next = 0;
    let parts: Vec<_> = (range.map(|number| (number, blocks.block(number))))
        .map(|(number, block)| {
            let first = next;
            next += tiles(&block).count();
            (number, block, first)
        })
        .collect();
    let stops = plan.stops().len();
    let done: Vec<Training> = (parts.into_par_iter())
        .map_init(
            || BlockSums::new(plan),
            |sums, (number, block, first)| {
                for (k, tile) in tiles(&block).enumerate() {
                    let at = first + k;
                    let looks = looks[at / at_a_time].iter();
                    let mut has_diverged = [false; GROUP as usize];
                    for (stop, look) in looks.enumerate() {
                        let (outputs, diverged) = look.tile(at % at_a_time);
                        // For good, wherever it was seen.
                        (has_diverged.iter_mut().zip(diverged)).for_each(|(has, now)| *has |= now);
                        sums.add(stop, &block, tile, &outputs, &has_diverged);
                    }
                }
                let mut training = Training::new(stops);
                sums.finish(plan.group(number, blocks.blocks()), &mut training);
                training
            },
        )
        .collect();
    let mut training = Training::new(stops);
    done.into_iter().for_each(|part| training.merge(part));
    training
}
