//! `nnqft-gpu ensemble`

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use nnqft_gpu::analysis::Correlator;
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::report::{
    EnsembleDocument, Timing, elements_table, ensemble_figure, ensemble_table, write_npz,
};
use nnqft_gpu::state::State;
use nnqft_gpu::{Result, analysis};

use super::options::{EngineOptions, ModelOptions, SamplingOptions};
use super::output::{OutputOptions, PlotOptions};
use super::run_file::{Session, StateOptions};
use super::{compiling, emit};

/// Draw networks, accumulate their n-point functions and hold them against the GP and the
/// exact values
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu ensemble --arch relu --width 20 --nets 1e6
         nnqft-gpu ensemble --estimator connected --width 1000 --nets 1e4
         nnqft-gpu ensemble --arch gauss --inputs \"-0.5,0;0.5,1\" --orders 1,2,3 --json
         nnqft-gpu ensemble --nets 1e9 --checkpoint run.state
         nnqft-gpu ensemble --resume run.state
         nnqft-gpu ensemble --nets 1e9 --shard 0/8 --checkpoint part0.state

Ctrl-C and SIGTERM finish the batch, save if there is a --checkpoint, and say how to go on (exit
code 130); a second Ctrl-C ends at once."
)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    result: ResultOptions,
}

/// How the result is given.
#[derive(Args)]
pub struct ResultOptions {
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    plot: PlotOptions,
    /// Print every element: estimate, error, GP, exact value, pull, m_n
    #[arg(long)]
    elements: bool,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (model, sampling) = (&arguments.model, &arguments.sampling);
    let given = model.is_given() || sampling.is_given();
    let start = arguments.state.start(given, || sampling.specs(model))?;
    for spec in start.specs() {
        analysis::gp_predictions(spec)?;
    }
    let widths = start.specs().len();
    let mut results = arguments.result.prepare(widths)?;
    let mut engine = arguments.engine.engine_like(start.device())?;
    let mut session = Session::begin(start, engine.device())?;
    for k in 0..widths {
        session.draw(k, engine.as_mut())?;
        if k + 1 == widths {
            session.sampled();
        }
        results.add(&session.state, k)?;
    }
    results.finish()?;
    session.end()
}

/// Results on their way to stdout and files.
pub struct Results<'a> {
    options: &'a ResultOptions,
    out: Option<&'a Path>,
    documents: Vec<EnsembleDocument>,
}

impl ResultOptions {
    /// Refuses what cannot be written, before the run; `ensembles`: how many there will be.
    pub fn prepare(&self, ensembles: usize) -> Result<Results<'_>> {
        let out = self.output.prepare()?;
        self.plot.prepare(ensembles)?;
        Ok(Results {
            options: self,
            out,
            documents: Vec::new(),
        })
    }
}

impl Results<'_> {
    /// Takes ensemble `k` of a run, and prints its table.
    pub fn add(&mut self, state: &State, k: usize) -> anyhow::Result<()> {
        let blocks: u64 = (state.ensembles[k].moments.subtrees())
            .map(|(_, _, statistics)| statistics.blocks)
            .sum();
        if state.shard.is_some() && blocks < 2 {
            eprintln!("this part is too small for a result of its own: merge has it");
            return Ok(());
        }
        let document = EnsembleDocument::new(state, k)?;
        if !self.options.output.json {
            emit(&ensemble_table(&document))?;
            if self.options.elements {
                emit(&elements_table(&document))?;
            }
        }
        self.documents.push(document);
        Ok(())
    }

    /// Writes the documents and what belongs to them.
    pub fn finish(self) -> anyhow::Result<()> {
        let (options, documents) = (self.options, &self.documents);
        options
            .output
            .finish(self.out, "ensemble.json", documents)?;
        let figures: Vec<_> = (documents.iter())
            .map(|d| ensemble_figure(d, documents.len()))
            .collect();
        options.plot.finish(self.out, &figures)?;
        match self.out {
            Some(dir) => write_moments(dir, documents),
            None => Ok(()),
        }
    }
}

/// Draws all networks of a spec under a progress bar of the caller's.
pub fn measure_with(
    engine: &mut dyn Engine,
    spec: &EnsembleSpec,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Vec<Correlator>, Timing)> {
    let compile_s = compiling::prepare(engine, spec, &AtomicBool::new(false))?;
    let start = Instant::now();
    let moments = engine::run(engine, spec, progress)?;
    let timing = Timing::new(spec, start.elapsed().as_secs_f64()).after(compile_s);
    Ok((analysis::correlators(spec, &moments)?, timing))
}

fn write_moments(dir: &Path, documents: &[EnsembleDocument]) -> anyhow::Result<()> {
    for document in documents {
        let name = match documents {
            [_] => "moments.npz".to_string(),
            _ => format!("moments_width{}.npz", document.spec.width),
        };
        let path = dir.join(name);
        write_npz(&path, document).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
