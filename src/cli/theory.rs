//! `nnqft-gpu theory`

use std::time::Instant;

use clap::Args;
use nnqft_gpu::analysis;
use nnqft_gpu::report::{TheoryDocument, theory_table};

use super::emit;
use super::options::ModelOptions;
use super::output::OutputOptions;

/// Print the kernel and the GP and exact finite-width n-point functions; nothing is sampled
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu theory --arch relu --width 20
         nnqft-gpu theory --arch gauss --width 2,100 --json")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// Computes every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let specs = arguments.model.paired_specs()?;
    for spec in &specs {
        analysis::check_range(spec)?;
    }
    let mut files = arguments.output.prepare(None, None)?;
    let mut documents: Vec<TheoryDocument> = Vec::new();
    let start = Instant::now();
    // The neuron moments are those of every width.
    let exact = nnqft_gpu::theory::Exact::new(&specs[0]);
    for spec in specs {
        let exact = exact.at_width(spec.net.width());
        let predictions = analysis::predictions(&spec, &exact)?;
        let document = TheoryDocument::new(spec, start.elapsed().as_secs_f64(), predictions);
        if !arguments.output.json {
            emit(&theory_table(&document))?;
        }
        documents.push(document);
    }
    files.documents("theory.json", &documents)?;
    files.finish()
}
