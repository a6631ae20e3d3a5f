//! This module draws networks whose outputs are wanted, not averages over them.

use std::io;
use std::ops::Range;
use std::time::Instant;

use super::{Runner, Timing, watch};
use crate::engine::{BlockPlan, DrawQueue, Draws};
use crate::model::EnsembleSpec;
use crate::plan::SamplePlan;
use crate::state::Shard;
use crate::{Error, Result};

/// A chunk holds the outputs of some of a sample's networks, one after the other.
pub struct Chunk {
    /// Number of the first network, counted from the start of the sample.
    pub first: u64,
    /// Outputs, `[network][point][output]`.
    pub draws: Draws,
}

/// A sink takes the networks of a sample, each once. Chunks come from several threads and in any
/// order.
pub trait Sink: Sync {
    /// Takes a chunk.
    ///
    /// # Errors
    /// Whatever keeps it from taking more, which ends the run.
    fn put(&self, chunk: Chunk) -> io::Result<()>;

    /// Hears that the first `networks` of `of` are there, and that nothing else is of use: the run is
    /// over, or to be given up while the engine is in the middle of something. Returns a sentence
    /// about what is kept. What is put after it is lost; what is heard after it changes nothing.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if nothing can be kept.
    fn close(&self, networks: u64, of: u64) -> Result<String> {
        Ok(format!("{networks} of {of} networks are drawn"))
    }
}

impl<F: Fn(Chunk) -> io::Result<()> + Sync> Sink for F {
    fn put(&self, chunk: Chunk) -> io::Result<()> {
        self(chunk)
    }
}

/// A sample is networks to be drawn: those that an ensemble of the same spec averages over, with
/// the same numbers. The networks of experiment 0 come first.
///
/// ```
/// use std::sync::Mutex;
///
/// use nnqft_gpu::engine::{Draws, cpu::CpuEngine};
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::run::{Chunk, Runner, Sample};
///
/// let spec = EnsembleSpec { nets: 100, ..EnsembleSpec::preset("relu", 1)? };
/// let sample = Sample::new(spec, None)?;
/// let [networks, points, outputs] = sample.shape();
/// assert_eq!([networks, points, outputs], [1000, 6, 1]); // ten experiments
/// let row = (points * outputs) as usize;
/// let array = Mutex::new(vec![0.0; networks as usize * row]);
/// let sink = |chunk: Chunk| {
///     let Draws::F64(values) = chunk.draws else { unreachable!("the CPU has f64") };
///     let at = chunk.first as usize * row;
///     array.lock().unwrap()[at..at + values.len()].copy_from_slice(&values);
///     Ok(())
/// };
/// sample.draw(&mut Runner::new(Box::new(CpuEngine::new())), &sink)?;
/// assert!(array.lock().unwrap().iter().all(|f| *f != 0.0));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sample {
    plan: SamplePlan,
    shard: Option<Shard>,
    all_blocks: BlockPlan,
    /// Blocks of this sample, numbered over all experiments.
    blocks: Range<u64>,
}

impl Sample {
    /// Plans a sample of a spec, or a shard of the sample.
    ///
    /// # Errors
    /// Those of [`SamplePlan::new`]; [`Error::Invalid`] for more shards than blocks of networks.
    pub fn new(spec: EnsembleSpec, shard: Option<Shard>) -> Result<Self> {
        Self::of(SamplePlan::new(spec)?, shard)
    }

    /// Makes a sample, or a shard of one, of its plan.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more shards than blocks of networks.
    pub fn of(plan: SamplePlan, shard: Option<Shard>) -> Result<Self> {
        let all_blocks = BlockPlan::of_outputs(plan.spec());
        let blocks = all_blocks.blocks();
        if let Some(shard) = shard.filter(|s| s.count() > blocks) {
            return Err(Error::invalid(
                "shard",
                shard,
                format!("this sample has {blocks} blocks of networks; use at most {blocks} shards"),
            ));
        }
        Ok(Self {
            blocks: shard.map_or(0..blocks, |shard| shard.of(blocks)),
            plan,
            shard,
            all_blocks,
        })
    }

    /// Returns the spec, which has no orders.
    pub fn spec(&self) -> &EnsembleSpec {
        self.plan.spec()
    }

    /// Returns the shard, if the sample is one.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// Counts networks, points and outputs.
    pub fn shape(&self) -> [u64; 3] {
        let spec = self.spec();
        [
            self.all_blocks.networks(self.blocks.clone()),
            spec.inputs.len() as u64,
            spec.net.d_out() as u64,
        ]
    }

    /// Draws the networks, and closes the sink.
    ///
    /// # Errors
    /// Those of [`crate::engine::Engine::sample`] and of the sink; [`Error::Interrupted`], with what
    /// the sink says that it keeps.
    pub fn draw(&self, runner: &mut Runner, sink: &dyn Sink) -> Result<Timing> {
        let (spec, [all, ..]) = (self.spec(), self.shape());
        let compile_s = runner.compile(|e, stopped| e.prepare_sample(&self.plan, stopped))?;
        let (engine, progress, stop) = runner.parts();
        progress.begin(all, 0);
        let tell = |networks| progress.drawn(spec, networks);
        let put = |first, draws| sink.put(Chunk { first, draws });
        let blocks = self.blocks.clone();
        let queue = DrawQueue::new(self.all_blocks, blocks, &put, &tell, stop);
        // Engines finish the batch that they are in, which may take long: then without it.
        let overdue = || {
            progress.end();
            let kept = sink.close(queue.networks(), all);
            progress.overdue(&kept.map_or_else(|e| e, Error::Interrupted));
        };
        let start = Instant::now();
        let drawn = watch(stop, overdue, || engine.sample(&self.plan, &queue));
        let wall_s = start.elapsed().as_secs_f64();
        progress.end();
        let networks = queue.networks();
        let kept = sink.close(networks, all);
        let drawn = drawn.and_then(|()| {
            let put = queue.into_result();
            put.map_err(|e| Error::Incomplete(format!("the draws cannot be kept: {e}")))
        });
        match (drawn, kept) {
            (Ok(()), Ok(_)) if networks == all => {
                Ok(Timing::of(networks, spec.net.units(), wall_s).after(compile_s))
            }
            (Ok(()), Ok(kept)) => Err(Error::Interrupted(kept)),
            (Err(error), Ok(kept)) => {
                progress.note(&kept.into());
                Err(error)
            }
            (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::engine::cpu::CpuEngine;

    fn sample(shard: Option<&str>) -> Result<Sample> {
        let spec = EnsembleSpec {
            nets: 100,
            experiments: 3,
            ..EnsembleSpec::preset("erf", 1).unwrap().with_width(5)
        };
        Sample::new(spec, shard.map(|text| text.parse().unwrap()))
    }

    /// `Kept` counts what it was given, and stops the run after some chunks.
    #[derive(Default)]
    struct Kept {
        chunks: Mutex<Vec<(u64, usize)>>,
        closed: Mutex<Vec<u64>>,
        stop: Arc<AtomicBool>,
        after: usize,
        fails: bool,
    }

    impl Sink for Kept {
        fn put(&self, chunk: Chunk) -> io::Result<()> {
            let mut chunks = self.chunks.lock().unwrap();
            chunks.push((chunk.first, chunk.draws.bytes().len() / 48));
            if chunks.len() == self.after {
                self.stop.store(!self.fails, Ordering::Relaxed);
                if self.fails {
                    return Err(io::Error::other("no space"));
                }
            }
            Ok(())
        }

        fn close(&self, networks: u64, _: u64) -> Result<String> {
            self.closed.lock().unwrap().push(networks);
            Ok("kept".into())
        }
    }

    fn draw(sample: &Sample, kept: &Kept) -> Result<Timing> {
        let runner = Runner::new(Box::new(CpuEngine::new()));
        sample.draw(&mut runner.until(kept.stop.clone()), kept)
    }

    #[test]
    fn shards_share_the_networks() {
        let whole = sample(None).unwrap();
        assert_eq!(whole.shape(), [300, 6, 1]);
        // Seven blocks an experiment, six of 16 networks and one of 4.
        let counts = ["0/4", "1/4", "2/4", "3/4"].map(|i| sample(Some(i)).unwrap().shape()[0]);
        assert_eq!(counts, [80, 68, 68, 84]);
        let message = sample(Some("0/22")).unwrap_err().to_string();
        assert!(message.contains("at most 21 shards"), "{message}");
        let kept = Kept::default();
        draw(&sample(Some("1/4")).unwrap(), &kept).unwrap();
        let mut chunks = kept.chunks.into_inner().unwrap();
        chunks.sort_unstable();
        let mut next = 0;
        for (first, networks) in chunks {
            assert_eq!(first, next);
            next += networks as u64;
        }
        assert_eq!(next, 68);
        assert_eq!(*kept.closed.lock().unwrap(), [68]);
    }

    #[test]
    fn a_stop_closes_the_sink_at_what_is_there_without_a_gap() {
        let kept = Kept {
            after: 2,
            ..Kept::default()
        };
        let error = draw(&sample(None).unwrap(), &kept).unwrap_err();
        assert_eq!(error.to_string(), "interrupted: kept");
        // Threads hand in what they are in the middle of.
        let drawn: usize = kept.chunks.lock().unwrap().iter().map(|c| c.1).sum();
        assert!(drawn < 300);
        assert_eq!(*kept.closed.lock().unwrap(), [drawn as u64]);
    }

    #[test]
    fn a_sink_that_fails_ends_the_run() {
        let kept = Kept {
            after: 1,
            fails: true,
            ..Kept::default()
        };
        let error = draw(&sample(None).unwrap(), &kept).unwrap_err();
        assert!(!error.is_usage());
        assert!(error.to_string().contains("no space"), "{error}");
        assert_eq!(kept.closed.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_has_no_outputs_is_refused() {
        let spec = EnsembleSpec::preset("gauss", 1).unwrap();
        let connected = EnsembleSpec {
            estimator: crate::model::Estimator::Connected,
            ..spec.clone()
        };
        let tilted = EnsembleSpec {
            tilt: crate::theory::tilt(&connected),
            ..connected.clone()
        };
        for (spec, name) in [(connected, "estimator"), (tilted, "tilt")] {
            let message = Sample::new(spec, None).unwrap_err().to_string();
            assert!(message.starts_with(name), "{message}");
        }
        let one = EnsembleSpec {
            nets: 1,
            experiments: 1,
            orders: Vec::new(),
            ..spec
        };
        assert_eq!(Sample::new(one, None).unwrap().shape(), [1, 6, 1]);
    }
}
