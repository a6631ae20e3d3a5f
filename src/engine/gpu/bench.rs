//! This module measures an adapter: its peaks, and the rates of the stages of a run.

use std::time::Instant;

use serde::Serialize;

use super::batches::Batches;
use super::costs::{StageCost, stage_costs};
use super::pipelines::{Pipelines, Texts};
use super::run::Run;
use super::setup::Setup;
use super::template::render;
use super::{GpuEngine, SAMPLE_THREADS, THREADS_PER_ROW, moments, networks, record};
use crate::plan::Plan;
use crate::{Error, Result};

/// Time that a measurement takes at least, seconds: short for a user, long against a submission.
const MEASURED: f64 = 0.06;
/// Time that one dispatch takes at most while sizes are sought, seconds.
const TURN: f64 = 0.03;
/// Difference of the device's clock and the host's that is believed.
const BELIEVED: f64 = 0.2;
/// Number of times that a peak is measured.
const TRIES: usize = 3;
/// Chains of vectors of four in a thread of the peak of arithmetic, its turns, and instructions of each chain in one.
const CHAINS: [u64; 3] = [2, 3, 4];
const TURNS: u64 = 250;
const UNROLLED: u64 = 16;

/// `Peak` holds what an adapter can do at most, as measured.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Peak {
    /// Multiplications with an addition per second, in f32.
    pub multiply_adds_per_s: f64,
    /// Bytes read and written per second.
    pub bytes_per_s: f64,
}

/// `StageRate` holds how fast a stage is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StageRate {
    /// Networks per second of the stage alone.
    pub networks_per_s: f64,
    /// What the stage does; nothing is counted on the host.
    #[serde(flatten)]
    pub cost: StageCost,
}

/// `Encode` records dispatches.
type Encode<'a> = &'a dyn Fn(&mut wgpu::ComputePass);

impl GpuEngine {
    /// Measures the peaks of the adapter.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn peak(&self) -> Result<Peak> {
        // What else a machine does takes from a peak, and gives it nothing.
        let mut peak = Peak {
            multiply_adds_per_s: 0.0,
            bytes_per_s: 0.0,
        };
        for _ in 0..TRIES {
            for chains in CHAINS {
                peak.multiply_adds_per_s = peak.multiply_adds_per_s.max(self.arithmetic(chains)?);
            }
            peak.bytes_per_s = peak.bytes_per_s.max(self.bandwidth()?);
        }
        Ok(peak)
    }

    fn arithmetic(&self, chains: u64) -> Result<f64> {
        #[derive(Serialize)]
        struct Context {
            threads: u64,
            chains: u64,
            turns: u64,
            unrolled: u64,
        }
        let d = &self.device;
        let pipeline = d.pipeline(&render(
            "peak_arithmetic",
            &Context {
                threads: SAMPLE_THREADS,
                chains,
                turns: TURNS,
                unrolled: UNROLLED,
            },
        ))?;
        let threads = self.profile.threads;
        let values = d.storage("values", 16 * threads);
        let group = d.bind(&pipeline, &[&values]);
        let size = [(threads / SAMPLE_THREADS) as u32, 1, 1];
        let seconds = self.seconds(&|pass| record(pass, &pipeline, &group, size))?;
        Ok((4 * threads * chains * TURNS * UNROLLED) as f64 / seconds)
    }

    fn bandwidth(&self) -> Result<f64> {
        #[derive(Serialize)]
        struct Context {
            threads: u64,
            threads_per_row: u64,
        }
        let d = &self.device;
        let pipeline = d.pipeline(&render(
            "peak_bandwidth",
            &Context {
                threads: SAMPLE_THREADS,
                threads_per_row: THREADS_PER_ROW,
            },
        ))?;
        // Whole rows, or one.
        let quads = self.profile.batch_bytes / 32;
        let quads = match quads / THREADS_PER_ROW {
            0 => quads / SAMPLE_THREADS * SAMPLE_THREADS,
            rows => rows * THREADS_PER_ROW,
        };
        let room = |label| {
            let none =
                || Error::Device("out of memory; free some of it, or use the cpu backend".into());
            d.try_storage(label, 16 * quads).ok_or_else(none)
        };
        let (from, to) = (room("from")?, room("to")?);
        let group = d.bind(&pipeline, &[&from, &to]);
        let x = quads.min(THREADS_PER_ROW) / SAMPLE_THREADS;
        let size = [x as u32, quads.div_ceil(THREADS_PER_ROW) as u32, 1];
        let seconds = self.seconds(&|pass| record(pass, &pipeline, &group, size))?;
        Ok((32 * quads) as f64 / seconds)
    }

    /// Measures the rate of each stage of a plan of one hidden layer, in stages, and of the host, which adds up what
    /// the last stage leaves; of none once `cancelled`.
    ///
    /// # Errors
    /// Those of [`accumulate`](crate::engine::Engine::accumulate).
    pub fn stage_rates(&self, plan: &Plan, cancelled: &dyn Fn() -> bool) -> Result<Vec<StageRate>> {
        let setup = Setup::new(plan.drawn());
        setup.check_counters()?;
        let measurement = plan.measurement();
        let moments = measurement.moments();
        let texts = Texts::Staged(
            networks::texts(&setup, &self.profile, false),
            moments::texts(&setup, moments, &self.profile),
        );
        if cancelled() || !self.device.compile(texts.all(), cancelled)? {
            return Ok(Vec::new());
        }
        let run = Run::new(self, &setup, measurement.clone(), &texts)?;
        let Pipelines::Straight(straight) = &run.pipelines else {
            return Ok(Vec::new());
        };
        let slot = &straight.slots[0];
        let samplers = straight.sample.iter().zip(&slot.sample);
        let costs = stage_costs(plan, &self.profile);
        let mut all = Vec::new();
        for ((sampler, group), cost) in samplers.zip(&costs) {
            let rate = self.rate(&run, &|blocks, pass| {
                record(pass, &sampler.stage, group, sampler.size(blocks));
            })?;
            all.push((rate, cost));
        }
        let cost = costs.last().expect("a stage that sums");
        let rate = self.rate(&run, &|blocks, pass| {
            for (reducer, group) in straight.reduce.iter().zip(&slot.reduce) {
                record(pass, &reducer.stage, group, reducer.size(blocks));
            }
        })?;
        all.push((rate, cost));
        let mut all: Vec<StageRate> = (all.into_iter())
            .map(|(networks_per_s, cost)| StageRate {
                networks_per_s,
                cost: cost.clone(),
            })
            .collect();
        all.push(host(&run)?);
        Ok(all)
    }

    /// Measures the networks per second of some dispatches for so many blocks.
    fn rate(&self, run: &Run, encode: &dyn Fn(u64, &mut wgpu::ComputePass)) -> Result<f64> {
        let mut blocks = self.profile.first_batch(run.setup()).min(run.capacity);
        loop {
            run.write_batch(0, 0..blocks);
            let seconds = self.seconds_of(1, &|pass| encode(blocks, pass))?;
            let next = (2 * blocks).min(run.capacity);
            if seconds > TURN / 2.0 || next == blocks {
                break;
            }
            blocks = next;
        }
        run.write_batch(0, 0..blocks);
        let seconds = self.seconds(&|pass| encode(blocks, pass))?;
        Ok(run.setup().plan.networks(0..blocks) as f64 / seconds)
    }

    /// Measures the seconds of what is encoded, which is repeated until the clock is good enough.
    fn seconds(&self, encode: Encode) -> Result<f64> {
        // The first may compile.
        self.seconds_of(1, encode)?;
        let mut repeats = 1;
        loop {
            let each = self.seconds_of(repeats, encode)?;
            let all = each * f64::from(repeats);
            if all > MEASURED {
                return Ok(each);
            }
            let wanted = f64::from(repeats) * 1.2 * MEASURED / all.max(1e-6);
            repeats = wanted.min(10.0 * f64::from(repeats)).ceil() as u32;
        }
    }

    /// Measures the seconds of one of so many repeats, by the device's own clock if it has one that can be believed.
    fn seconds_of(&self, repeats: u32, encode: Encode) -> Result<f64> {
        let d = &self.device;
        let has_clock = d
            .device
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY);
        let clock = has_clock.then(|| {
            d.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            })
        });
        let mut encoder = d.device.create_command_encoder(&Default::default());
        {
            let timestamp_writes =
                (clock.as_ref()).map(|query_set| wgpu::ComputePassTimestampWrites {
                    query_set,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes,
            });
            (0..repeats).for_each(|_| encode(&mut pass));
        }
        let staging = d.staging(16);
        match &clock {
            Some(clock) => {
                use wgpu::BufferUsages as U;
                let times = d.buffer("times", 16, U::QUERY_RESOLVE | U::COPY_SRC);
                encoder.resolve_query_set(clock, 0..2, &times, 0);
                encoder.copy_buffer_to_buffer(&times, 0, &staging, 0, 16);
            }
            None => encoder.clear_buffer(&staging, 0, None),
        }
        let start = Instant::now();
        let submission = d.submit(encoder.finish());
        let times: Vec<u64> = pollster::block_on(d.read(submission, &staging, 16))?;
        let wall = start.elapsed().as_secs_f64();
        let ticks = times[1].saturating_sub(times[0]);
        let own = ticks as f64 * f64::from(d.queue.get_timestamp_period()) * 1e-9;
        let is_like = (1.0 - BELIEVED) * wall < own && own <= wall;
        let seconds = if is_like { own } else { wall };
        Ok(seconds / f64::from(repeats))
    }
}

/// Measures the networks per second of the host, which adds up the sums of blocks.
fn host(run: &Run) -> Result<StageRate> {
    let range = 0..run.capacity.min(4096);
    let sums = vec![1f32; run.sum_bytes(&range) as usize / 4];
    let start = Instant::now();
    let mut turns = 0;
    let mut total = crate::tensor::Accumulator::new();
    while start.elapsed().as_secs_f64() < MEASURED {
        total = crate::tensor::Accumulator::new();
        total.merge(run.result(&range, &sums)?);
        turns += 1;
    }
    let networks = turns * total.networks();
    Ok(StageRate {
        networks_per_s: networks as f64 / start.elapsed().as_secs_f64(),
        cost: StageCost::of_host(),
    })
}
