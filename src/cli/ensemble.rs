//! `nnqft-gpu ensemble`

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use nnqft_gpu::analysis::Correlator;
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::report::{
    EnsembleDocument, Timing, elements_table, ensemble_figure, ensemble_table, write_npz,
};
use nnqft_gpu::{Result, analysis};

use super::options::{EngineOptions, ModelOptions, SamplingOptions};
use super::output::{OutputOptions, PlotOptions};
use super::{emit, progress};

/// Draw networks, accumulate their n-point functions and hold them against the GP and the
/// exact values
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu ensemble --arch relu --width 20 --nets 1e6
         nnqft-gpu ensemble --estimator connected --width 1000 --nets 1e4
         nnqft-gpu ensemble --arch gauss --inputs \"-0.5,0;0.5,1\" --orders 1,2,3 --json"
)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    #[command(flatten)]
    engine: EngineOptions,
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
    let specs = arguments.sampling.specs(&arguments.model)?;
    for spec in &specs {
        analysis::gp_predictions(spec)?;
    }
    let out = arguments.output.prepare()?;
    arguments.plot.prepare(specs.len())?;
    let mut engine = arguments.engine.engine()?;
    let mut documents = Vec::new();
    for spec in specs {
        let (correlators, timing) = measure(engine.as_mut(), &spec)?;
        let document = EnsembleDocument::new(spec, engine.device(), timing, correlators);
        if !arguments.output.json {
            emit(&ensemble_table(&document))?;
            if arguments.elements {
                emit(&elements_table(&document))?;
            }
        }
        documents.push(document);
    }
    arguments.output.finish(out, "ensemble.json", &documents)?;
    let figures: Vec<_> = (documents.iter())
        .map(|d| ensemble_figure(d, documents.len()))
        .collect();
    arguments.plot.finish(out, &figures)?;
    if let Some(dir) = out {
        write_moments(dir, &documents)?;
    }
    Ok(())
}

/// Draws all networks of a spec, with a progress bar.
pub fn measure(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Result<(Vec<Correlator>, Timing)> {
    let bar = progress::bar(spec.nets * u64::from(spec.experiments));
    let measured = measure_with(engine, spec, &|networks| bar.inc(networks));
    bar.finish_and_clear();
    measured
}

/// The same under a progress bar of the caller's.
pub fn measure_with(
    engine: &mut dyn Engine,
    spec: &EnsembleSpec,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Vec<Correlator>, Timing)> {
    let start = Instant::now();
    let moments = engine::run(engine, spec, progress)?;
    let timing = Timing::new(spec, start.elapsed().as_secs_f64());
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
