//! `nnqft-gpu ensemble`

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use nnqft_gpu::analysis::Correlator;
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::report::{
    EnsembleDocument, Timing, elements_table, ensemble_figure, ensemble_table, write_npz,
};
use nnqft_gpu::state::State;
use nnqft_gpu::theory::Exact;
use nnqft_gpu::{Result, analysis};

use super::options::{EngineOptions, ModelOptions, SamplingOptions};
use super::output::{Files, OutputOptions, PlotOptions};
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
         nnqft-gpu ensemble --resume run.state --experiments 20
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
    let mut results = arguments.result.prepare()?;
    let start = arguments.state.start(model, sampling)?;
    let widths = start.specs().len();
    results.expect(widths)?;
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
    files: Files,
    documents: Vec<EnsembleDocument>,
    /// Exact values of the run's net and inputs, at any width.
    exact: Option<Exact>,
}

impl ResultOptions {
    /// Refuses what cannot be written, before the run.
    pub fn prepare(&self) -> Result<Results<'_>> {
        Ok(Results {
            options: self,
            files: self.output.prepare(Some(&self.plot), None)?,
            documents: Vec::new(),
            exact: None,
        })
    }
}

impl Results<'_> {
    /// Refuses what so many ensembles cannot be written to.
    pub fn expect(&self, ensembles: usize) -> Result<()> {
        self.files.expect_figures(ensembles)
    }

    /// Takes ensemble `k` of a run, and prints its table.
    pub fn add(&mut self, state: &State, k: usize) -> anyhow::Result<()> {
        let blocks: u64 = (state.ensembles[k].moments.subtrees())
            .map(|(_, _, statistics)| statistics.blocks)
            .sum();
        if state.shard.is_some() && blocks < 2 {
            eprintln!("this part is too small for a result of its own: merge has it");
            return Ok(());
        }
        // All ensembles of a run have the same net and inputs.
        let exact = (self.exact).get_or_insert_with(|| Exact::new(&state.ensembles[k].spec));
        let document = EnsembleDocument::beside(
            exact,
            &nnqft_gpu::plan::Plan::new(state.ensembles[k].spec.clone())?,
            state,
            k,
        )?;
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
    pub fn finish(mut self) -> anyhow::Result<()> {
        let (files, documents) = (&mut self.files, &self.documents);
        files.documents("ensemble.json", documents)?;
        let figures: Vec<_> = (documents.iter())
            .map(|d| ensemble_figure(d, documents.len()))
            .collect();
        files.figures(&figures)?;
        for document in documents {
            let name = match documents.len() {
                1 => "moments.npz".to_string(),
                _ => format!("moments_width{}.npz", document.head.spec.net.width()),
            };
            files.beside(&name, |part| write_npz(part, document))?;
        }
        self.files.finish()
    }
}

/// Draws all networks of a spec under a progress bar of the caller's, and holds them against exact
/// values of the same net and inputs at any width.
pub fn measure_with(
    engine: &mut dyn Engine,
    spec: &EnsembleSpec,
    exact: &Exact,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Vec<Correlator>, Timing)> {
    let compile_s = compiling::prepare(engine, spec, &AtomicBool::new(false))?;
    let start = Instant::now();
    let moments = engine::run(engine, spec, progress)?;
    let timing = Timing::new(spec, start.elapsed().as_secs_f64()).after(compile_s);
    Ok((
        analysis::correlators_beside(exact, &nnqft_gpu::plan::Plan::new(spec.clone())?, &moments)?,
        timing,
    ))
}
