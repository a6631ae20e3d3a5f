//! This module runs single stages of the pipeline, for cross-checks: what each shader alone
//! computes.

use super::pipelines::{Pipelines, Straight, Texts, compile_samplers};
use super::run::Run;
use super::setup::Setup;
use super::{
    Batch, GpuEngine, IN_FLIGHT, SAMPLE_THREADS, dispatch, moments, networks, train, words,
};
use crate::Result;
use crate::engine::{Descended, Form, Network, Stages};
use crate::model::{EnsembleSpec, Law};
use crate::plan::{Drawn, TrainPlan};
use crate::stream::GROUP;
use crate::tensor::{Measurement, MomentPlan};

/// Number of nodes of a quadrature that one thread sums.
const NODES: usize = 256;

impl GpuEngine {
    /// Draws the words of `count` ChaCha blocks of one stream, from block `first` on, and the variates
    /// of a law that they are turned into.
    ///
    /// # Errors
    /// [`crate::Error::Device`].
    pub fn draws(
        &self,
        seed: u64,
        stream: u64,
        first: u32,
        count: u32,
        law: Law,
    ) -> Result<(Vec<u32>, Vec<f32>)> {
        let d = &self.device;
        let pipeline = d.pipeline(&networks::draws(law))?;
        let bytes = u64::from(count) * GROUP * 4;
        let uniform = d.batch();
        let batch = Batch {
            seed: words(seed),
            first,
            blocks: count,
            per_experiment: stream as u32,
            nets: (stream >> 32) as u32,
            pad: [0; 2],
        };
        d.queue
            .write_buffer(&uniform, 0, bytemuck::bytes_of(&batch));
        let outs = [d.storage("words", bytes), d.storage("variates", bytes)];
        let staging = d.staging(2 * bytes);
        let group = d.bind(&pipeline, &[&uniform, &outs[0], &outs[1]]);
        let mut encoder = d.device.create_command_encoder(&Default::default());
        dispatch(
            &mut encoder,
            &pipeline,
            &group,
            [count.div_ceil(SAMPLE_THREADS as u32), 1, 1],
        );
        for (out, at) in outs.iter().zip([0, bytes]) {
            encoder.copy_buffer_to_buffer(out, 0, &staging, at, bytes);
        }
        let submission = d.submit(encoder.finish());
        let all: Vec<u32> = pollster::block_on(d.read(submission, &staging, 2 * bytes))?;
        let (words, variates) = all.split_at(all.len() / 2);
        Ok((
            words.to_vec(),
            variates.iter().map(|&b| f32::from_bits(b)).collect(),
        ))
    }

    /// Computes h_j(x_p) of the networks of one block (numbered over all experiments),
    /// `[network][unit][point]`.
    ///
    /// # Errors
    /// Those of [`crate::engine::Engine::accumulate`].
    pub fn hidden_values(&self, spec: &EnsembleSpec, number: u64) -> Result<Vec<Vec<Vec<f64>>>> {
        self.hidden_values_of(&Setup::new(&Drawn::at_all_points(spec)?), number)
    }

    /// The same of a setup.
    pub(super) fn hidden_values_of(
        &self,
        setup: &Setup,
        number: u64,
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let run = match setup.is_deep() {
            false => Run::of_fields(self, setup)?,
            // One text records hidden values, whatever the form.
            true => {
                let measurement = Measurement::direct(setup.fields, 1, &[]);
                let texts = Texts::Staged(Vec::new(), Vec::new());
                Run::new(self, setup, measurement, &texts)?
            }
        };
        let mut all = match &run.pipelines {
            Pipelines::Straight(straight) => self.straight_hidden(setup, &run, straight, number)?,
            Pipelines::Looped(looped) => looped.hidden_values(&self.device, number)?,
        };
        all.truncate(setup.plan.block(number).networks as usize);
        Ok(all)
    }

    fn straight_hidden(
        &self,
        setup: &Setup,
        run: &Run,
        straight: &Straight,
        number: u64,
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let d = &self.device;
        let samplers = compile_samplers(d, &networks::texts(setup, &self.profile, true))?;
        let (width, points) = (setup.units() as usize, setup.points);
        let values = setup.block() as usize * width * points;
        let bytes = 4 * values as u64;
        let hidden = d.storage("hidden", bytes);
        let staging = d.staging(bytes);
        let batch = &straight.slots[number as usize % IN_FLIGHT].batch;
        let buffers = [batch, &straight.parameters, &straight.fields, &hidden];
        let groups: Vec<_> = (samplers.iter())
            .map(|s| d.bind(&s.stage, &buffers))
            .collect();
        let mut encoder = d.device.create_command_encoder(&Default::default());
        run.encode(&mut encoder, batch, &samplers, &groups, number..number + 1);
        encoder.copy_buffer_to_buffer(&hidden, 0, &staging, 0, bytes);
        let submission = d.submit(encoder.finish());
        let all: Vec<f32> = pollster::block_on(d.read(submission, &staging, bytes))?;
        Ok((all.chunks(width * points))
            .map(|network| {
                (network.chunks(points))
                    .map(|unit| unit.iter().map(|&h| f64::from(h)).collect())
                    .collect()
            })
            .collect())
    }

    /// Draws the networks of one block (numbered over all experiments), each with the fields and
    /// the weight that enter the moments.
    ///
    /// # Errors
    /// Those of [`crate::engine::Engine::accumulate`].
    pub fn draw_networks(&self, spec: &EnsembleSpec, number: u64) -> Result<Vec<Network>> {
        let setup = Setup::new(&Drawn::at_all_points(spec)?);
        let run = Run::of_fields(self, &setup)?;
        let rows = match &run.pipelines {
            Pipelines::Straight(straight) => self.straight_rows(&setup, &run, straight, number)?,
            Pipelines::Looped(looped) => looped.rows(&self.device, number)?,
        };
        Ok(
            (rows.iter().take(setup.plan.block(number).networks as usize))
                .map(|row| Network {
                    weight: match &setup.tilt {
                        None => 1.0,
                        Some(tilt) => 1.0 / (tilt.probability + row[setup.fields]),
                    },
                    field: row
                        .iter()
                        .zip(&setup.scales)
                        .map(|(f, scale)| f * scale)
                        .collect(),
                })
                .collect(),
        )
    }

    /// Reads the fields, then the inverse weight if there is one, of every network of a block.
    fn straight_rows(
        &self,
        setup: &Setup,
        run: &Run,
        straight: &Straight,
        number: u64,
    ) -> Result<Vec<Vec<f64>>> {
        let d = &self.device;
        let mut encoder = d.device.create_command_encoder(&Default::default());
        run.encode_networks(&mut encoder, straight, 0, number..number + 1);
        let bytes = straight.field_bytes;
        let staging = d.staging(bytes);
        encoder.copy_buffer_to_buffer(&straight.fields, 0, &staging, 0, bytes);
        let submission = d.submit(encoder.finish());
        let values: Vec<f32> = pollster::block_on(d.read(submission, &staging, bytes))?;
        let rows = setup.rows();
        let stride = rows.next_multiple_of(4);
        let chunk = setup.block() as usize * stride;
        let row = |n: usize, r: usize| -> f64 {
            let chunks = values.iter().skip(n * stride + r).step_by(chunk);
            f64::from(chunks.sum::<f32>())
        };
        Ok((0..setup.block() as usize)
            .map(|n| (0..rows).map(|r| row(n, r)).collect())
            .collect())
    }

    /// Computes the weighted moments of a field over the nodes of a quadrature,
    /// `[node][component]`, by the moment stage: the counterpart of the ensemble's average over
    /// networks.
    ///
    /// # Errors
    /// [`crate::Error::Device`].
    pub fn weighted_moments(
        &self,
        plan: &MomentPlan,
        nodes: &[Vec<f64>],
        weights: &[f64],
    ) -> Result<Vec<f64>> {
        let d = &self.device;
        let blocks = nodes.len().div_ceil(NODES);
        let quads = (plan.fields() + 1).div_ceil(4);
        // [node in block][quad][block]; what is missing in the last block weighs nothing.
        let mut fields = vec![[0f32; 4]; NODES * quads * blocks];
        for (k, (node, weight)) in nodes.iter().zip(weights).enumerate() {
            let (block, n) = (k / NODES, k % NODES);
            for (r, value) in node.iter().chain([weight]).enumerate() {
                fields[(n * quads + r / 4) * blocks + block][r % 4] = *value as f32;
            }
        }
        let reducer = moments::quadrature(NODES as u64, plan, &self.profile);
        let pipeline = d.pipeline(&reducer.stage)?;
        let uniform = d.batch();
        let batch = Batch {
            seed: [0; 2],
            first: 0,
            blocks: blocks as u32,
            per_experiment: blocks as u32,
            nets: (blocks * NODES) as u32,
            pad: [0; 2],
        };
        d.queue
            .write_buffer(&uniform, 0, bytemuck::bytes_of(&batch));
        let data: &[u8] = bytemuck::cast_slice(&fields);
        let input = d.storage("fields", data.len() as u64);
        d.queue.write_buffer(&input, 0, data);
        let sum_quads = moments::sum_quads(plan);
        let bytes = (sum_quads * blocks * 16) as u64;
        let sums = d.storage("sums", bytes);
        let staging = d.staging(bytes);
        let group = d.bind(&pipeline, &[&uniform, &input, &sums]);
        let mut encoder = d.device.create_command_encoder(&Default::default());
        dispatch(&mut encoder, &pipeline, &group, reducer.size(blocks as u64));
        encoder.copy_buffer_to_buffer(&sums, 0, &staging, 0, bytes);
        let submission = d.submit(encoder.finish());
        let partial: Vec<f32> = pollster::block_on(d.read(submission, &staging, bytes))?;
        let order = moments::order(plan);
        let mut total = vec![0.0; order.len()];
        for row in partial.chunks(4 * sum_quads) {
            for (&element, &sum) in order.iter().zip(row) {
                total[element] += f64::from(sum);
            }
        }
        Ok(total)
    }
}

impl Stages for GpuEngine {
    fn draws(
        &self,
        seed: u64,
        stream: u64,
        first: u32,
        count: u32,
        law: Law,
    ) -> Result<(Vec<u32>, Vec<f64>)> {
        let (words, variates) = self.draws(seed, stream, first, count, law)?;
        Ok((words, variates.into_iter().map(f64::from).collect()))
    }

    fn hidden_values(
        &self,
        spec: &EnsembleSpec,
        block: u64,
        networks: usize,
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let mut all = self.hidden_values(spec, block)?;
        all.truncate(networks);
        Ok(all)
    }

    fn draw_networks(
        &self,
        spec: &EnsembleSpec,
        block: u64,
        networks: usize,
    ) -> Result<Vec<Network>> {
        let mut all = self.draw_networks(spec, block)?;
        all.truncate(networks);
        Ok(all)
    }

    fn descend(&self, plan: &TrainPlan, block: u64, networks: usize) -> Result<Vec<Descended>> {
        train::descend(self, plan, block, networks)
    }

    fn weighted_moments(
        &self,
        plan: &MomentPlan,
        nodes: &[Vec<f64>],
        weights: &[f64],
    ) -> Result<Vec<f64>> {
        self.weighted_moments(plan, nodes, weights)
    }

    fn has(&self, form: Form) -> bool {
        match form {
            Form::Fused => self.profile.fuses,
            Form::Staged | Form::Looped => true,
        }
    }

    fn form(&self) -> Option<Form> {
        self.form()
    }

    fn set_form(&mut self, form: Option<Form>) {
        self.set_form(form);
    }
}
