//! This module is the command `nnqft-gpu theory`.

use clap::Args;
use nnqft_gpu::model::Estimator;
use nnqft_gpu::run::LayersOfNet;
use nnqft_gpu::{analysis, run};

use super::args::{ModelArgs, PartialSpec};
use super::output::OutputOptions;
use super::present::Presentation;

/// Print the kernel and the GP and finite-width n-point functions, exact or to first order in 1/N;
/// nothing is sampled
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu theory --arch relu --width 20
         nnqft-gpu theory --arch gauss --width 2,100 --json
         nnqft-gpu theory --arch tanh --critical --depth 3 --layers")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArgs,
    /// Also print kernel, mean correction g and covariance v behind every hidden layer, and the
    /// critical point of the activation
    #[arg(long)]
    layers: bool,
    /// Print every element of the n-point functions
    #[arg(long)]
    elements: bool,
    #[command(flatten)]
    output: OutputOptions,
}

/// Computes every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let specs = paired(arguments.model.clone()).specs()?;
    for spec in &specs {
        analysis::check_range(spec)?;
    }
    let mut results = Presentation::new(arguments.output.prepare(None, None)?, arguments.elements);
    for document in run::theory(specs)? {
        let layers = match arguments.layers {
            true => Some(LayersOfNet::new(&document.head.spec)?),
            false => None,
        };
        results.add(match layers {
            Some(layers) => document.with_layers(layers),
            None => document,
        })?;
    }
    results.finish()
}

/// Keeps, with several outputs, only the components whose outputs pair: those of the connected
/// estimator.
fn paired(model: ModelArgs) -> PartialSpec {
    let several = matches!(model.fields.d_out.as_deref(), Some(&[d_out]) if d_out > 1);
    let orders = model.fields.orders.iter().flatten();
    let mut spec = PartialSpec::default();
    if several && orders.into_iter().all(|n| n % 2 == 0) {
        spec.sampling.estimator = Some(Estimator::Connected);
    }
    PartialSpec { model, ..spec }
}
