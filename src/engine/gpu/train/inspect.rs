//! One step of the training of networks, for cross-checks.

use super::*;
use crate::engine::Descended;

/// Draws at most the first `networks` networks of a block (numbered over all experiments), and takes one step of
/// their training.
///
/// # Errors
/// Those of [`train`].
pub fn descend(
    engine: &GpuEngine,
    plan: &TrainPlan,
    number: u64,
    networks: usize,
) -> Result<Vec<Descended>> {
    let codes = Codes::new(plan);
    let shape = Shape::new(plan, codes.length(), engine.profile.class)?;
    let texts = texts(&shape, &codes);
    let blocks = BlockPlan::new(&plan.spec().ensemble);
    let block = blocks.block(number);
    let list = list_tiles(&blocks, number..number + 1);
    let run = Run::new(engine, &shape, &texts, list.len() as u64)?;
    let list = &list[..list.len().min(run.capacity as usize)];
    let count = list.len() as u64;
    let theta = {
        run.begin(list);
        pollster::block_on(run.parameters(count))?
    };
    let before = pollster::block_on(run.look(count))?;
    run.steps(count, 1);
    let after = pollster::block_on(run.look(count))?;
    let (width, all) = (shape.setup.width as usize, GROUP as usize * list.len());
    let first = (block.first % GROUP) as usize;
    let last = all.min(first + networks.min(block.networks as usize));
    let one = |m: usize| {
        let at = |row: usize, unit: usize| f64::from(theta[(row * (width + 1) + unit) * all + m]);
        let outputs = |look: &Look| {
            let (outputs, _) = look.tile(m / GROUP as usize);
            outputs.iter().map(|f| f[m % GROUP as usize]).collect()
        };
        let readout = shape.drawn..shape.drawn + shape.outputs;
        Descended {
            hidden: (0..width)
                .map(|unit| (0..shape.drawn).map(|c| at(c, unit)).collect())
                .collect(),
            readout: (readout.clone())
                .map(|row| (0..width).map(|unit| at(row, unit)).collect())
                .collect(),
            bias: readout.map(|row| at(row, width)).collect(),
            before: outputs(&before),
            after: outputs(&after),
        }
    };
    Ok((first..last).map(one).collect())
}
