//! This module is the command `nnqft-gpu rg`.

use clap::Args;
use nnqft_gpu::theory::Vertex;
use nnqft_gpu::{analysis, run};

use super::args::{EftArgs, EngineArgs, PartialSpec};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Follow the coupling over the cutoffs: beta, slopes, fixed points
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu rg --arch relu --d-in 3 --moments exact
         nnqft-gpu rg --arch gauss --vertex weight --moments exact --cutoffs 10,100,1000"
)]
pub struct Arguments {
    #[command(flatten)]
    spec: PartialSpec,
    #[command(flatten)]
    eft: EftArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    result: ResultOptions,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let vertex = arguments.eft.vertex.unwrap_or(Vertex::Full);
    let cutoffs = arguments.eft.cutoffs();
    let files = arguments.result.prepare(arguments.eft.from.as_deref())?;
    let spec = arguments.spec.clone().with_eft_width();
    let sweep =
        (arguments.eft).sweep(&spec, &|spec| analysis::check_flow(spec, vertex, &cutoffs))?;
    let mut results = Presentation::new(files, false);
    results.expect(sweep.widths())?;
    let choice = EftArgs::engine(&sweep, &arguments.engine);
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    for moments in sweep.moments(&mut running.runner)? {
        results.add(run::rg(&moments, vertex, &cutoffs)?)?;
    }
    results.finish()
}
