//! This module runs single stages of the reference engine, for cross-checks.

use super::train::descend;
use super::{CpuEngine, draw_networks, networks::Networks};
use crate::Result;
use crate::engine::{BlockPlan, Descended, Network, Stages};
use crate::model::{EnsembleSpec, Law};
use crate::plan::{Drawn, TrainPlan};
use crate::stream::{GROUP, Words, variates};
use crate::tensor::{MomentPlan, MomentSums, ROW, Row};

impl Stages for CpuEngine {
    fn draws(
        &self,
        seed: u64,
        stream: u64,
        first: u32,
        count: u32,
        law: Law,
    ) -> Result<(Vec<u32>, Vec<f64>)> {
        let mut words = vec![0; count as usize * GROUP as usize];
        Words::new(seed, stream, first.into()).fill(&mut words);
        let mut values = vec![0.0; words.len()];
        variates(law, &words, &mut values);
        Ok((words, values))
    }

    fn hidden_values(
        &self,
        spec: &EnsembleSpec,
        block: u64,
        networks: usize,
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let block = BlockPlan::new(spec).block(block);
        let count = block.networks.min(networks as u64);
        let mut drawn = Networks::new(&Drawn::at_all_points(spec)?);
        Ok((block.first..block.first + count)
            .map(|network| drawn.hidden_values(block.experiment, network))
            .collect())
    }

    fn draw_networks(
        &self,
        spec: &EnsembleSpec,
        block: u64,
        networks: usize,
    ) -> Result<Vec<Network>> {
        let block = BlockPlan::new(spec).block(block);
        let count = block.networks.min(networks as u64) as usize;
        Ok(draw_networks(spec, block.experiment, block.first, count))
    }

    fn descend(&self, plan: &TrainPlan, block: u64, networks: usize) -> Result<Vec<Descended>> {
        let block = BlockPlan::new(&plan.spec().ensemble).block(block);
        Ok(descend(plan, &block, networks))
    }

    fn weighted_moments(
        &self,
        plan: &MomentPlan,
        nodes: &[Vec<f64>],
        weights: &[f64],
    ) -> Result<Vec<f64>> {
        let mut sums = MomentSums::new(plan);
        let (mut fields, mut row) = (vec![[0.0; ROW]; plan.fields()], [0.0; ROW]);
        let mut add = |fields: &mut Vec<Row>, row: &mut Row| {
            sums.add_weighted(fields, row);
            row.fill(0.0);
        };
        for (k, (node, weight)) in nodes.iter().zip(weights).enumerate() {
            (fields.iter_mut().zip(node)).for_each(|(field, value)| field[k % ROW] = *value);
            row[k % ROW] = *weight;
            if k % ROW == ROW - 1 {
                add(&mut fields, &mut row);
            }
        }
        add(&mut fields, &mut row);
        Ok(sums.take())
    }
}
