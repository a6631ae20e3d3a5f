//! `nnqft-gpu rg`

use clap::Args;
use nnqft_gpu::analysis;
use nnqft_gpu::report::{RgDocument, flow_table, rg_figure};
use nnqft_gpu::theory::Vertex;

use super::options::{EftOptions, EngineOptions, ModelOptions, SamplingOptions};
use super::output::{OutputOptions, PlotOptions};
use super::{columns, emit};

/// Follow the coupling over the cutoffs: beta, slopes, fixed points
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu rg --arch relu --d-in 3 --moments exact
         nnqft-gpu rg --arch gauss --vertex weight --moments exact --cutoffs 10,100,1000"
)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    #[command(flatten)]
    eft: EftOptions,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    plot: PlotOptions,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let vertex = arguments.eft.vertex(Vertex::Full)?;
    let cutoffs = arguments.eft.source_cutoffs()?;
    let mut files = (arguments.output).prepare(Some(&arguments.plot), arguments.eft.source())?;
    let model = arguments.model.clone().or_width(|entry| entry.eft_width)?;
    files.expect_figures(model.widths_given())?;
    let all =
        arguments
            .eft
            .interactions(&model, &arguments.sampling, &arguments.engine, &|spec| {
                analysis::check_flow(spec, vertex, &cutoffs)
            })?;
    let (mut documents, mut figures) = (Vec::new(), Vec::new());
    for moment in &all {
        let flow = analysis::flow(&moment.spec, vertex, &cutoffs, &moment.interactions.four)?;
        let document = RgDocument {
            head: moment.head("nnqft.rg/1"),
            vertex,
            flow,
        };
        let figure = rg_figure(&document, all.len());
        if !arguments.output.json {
            emit(&flow_table(&document))?;
            emit(&format!("\n{}", figure.text(columns())))?;
        }
        figures.push(figure);
        documents.push(document);
    }
    files.documents("rg.json", &documents)?;
    files.figures(&figures)?;
    files.finish()?;
    (all.iter().zip(&documents))
        .try_for_each(|(moment, document)| moment.supports(&[4], document.unmeasured()))?;
    Ok(())
}
