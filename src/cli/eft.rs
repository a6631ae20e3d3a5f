//! This module is the command `nnqft-gpu eft`.

use clap::Args;
use nnqft_gpu::theory::{Vertex, check_cutoffs};
use nnqft_gpu::{Error, run};

use super::args::{EftArgs, EngineArgs, PartialSpec};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Measure the quartic coupling on the 4-point function and predict the 6-point function
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu eft --arch erf --moments exact --cutoffs 10,100,1000
         nnqft-gpu eft --arch relu --nets 1e6
         nnqft-gpu eft --arch gauss --moments exact --fit"
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
    /// Fit lambda as a function, {l0}, {l0, l2}, {l0, l2, lNL}: trained on the inputs over
    /// sqrt(2), tested on the inputs; one cutoff [default: the source's v2 setting for --arch]
    #[arg(long, conflicts_with_all = ["from", "elements", "plot"])]
    fit: bool,
    /// Print the 6-point prediction of every element
    #[arg(long)]
    elements: bool,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.fit {
        return fits(arguments);
    }
    let vertex = arguments.eft.vertex.unwrap_or(Vertex::Full);
    let cutoffs = arguments.eft.cutoffs();
    let files = arguments.result.prepare(arguments.eft.from.as_deref())?;
    let spec = arguments.spec.clone().with_eft_width();
    let sweep = (arguments.eft).sweep(&spec, &|spec| check_cutoffs(spec, vertex, &cutoffs))?;
    let mut results = Presentation::new(files, arguments.elements);
    results.expect(sweep.widths())?;
    let choice = EftArgs::engine(&sweep, &arguments.engine);
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    for moments in sweep.moments(&mut running.runner)? {
        results.add(run::eft(&moments, vertex, &cutoffs)?)?;
    }
    results.finish()
}

/// Fits lambda as a function at every width.
fn fits(arguments: &Arguments) -> anyhow::Result<()> {
    let vertex = arguments.eft.vertex.unwrap_or(Vertex::Weight);
    let mut spec = arguments.spec.clone();
    let source = &spec.model.net.arch().fit;
    let cutoff = match arguments.eft.cutoffs.as_deref() {
        None => source.cutoff,
        Some(&[cutoff]) => cutoff,
        Some(several) => {
            let list = format!("with {} values", several.len());
            return Err(Error::invalid("cutoffs", list, "--fit uses one cutoff").into());
        }
    };
    let files = arguments.result.prepare(None)?;
    spec.model
        .fields
        .width
        .get_or_insert_with(|| vec![source.width]);
    if spec.model.fields.inputs.is_none() && spec.model.fields.d_in.is_none() {
        spec.model.fields.inputs = Some(source.inputs.parse()?);
    }
    let check = |spec: &_| check_cutoffs(spec, vertex, &[cutoff]);
    let test = arguments.eft.sweep(&spec, &check)?;
    if let Some(inputs) = test.inputs() {
        spec.model.fields.inputs = Some(run::train_inputs(inputs)?.into());
    }
    let train = arguments.eft.sweep(&spec, &check)?;
    let mut results = Presentation::new(files, false);
    let choice = EftArgs::engine(&test, &arguments.engine);
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    let test = test.moments(&mut running.runner)?;
    let train = train.moments(&mut running.runner)?;
    for (train, test) in train.iter().zip(&test) {
        results.add(run::fit(train, test, vertex, cutoff)?)?;
    }
    results.finish()
}
