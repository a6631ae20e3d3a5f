//! This module is the command `nnqft-gpu symmetry`.

use clap::Args;
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::run::EngineChoice;
use nnqft_gpu::run::symmetry::{Plan, Scheme, exact, sampled};
use nnqft_gpu::theory::{Vertex, check_loop_cutoff};
use nnqft_gpu::{Error, Result, analysis};

use super::args::{EngineArgs, MomentsOf, PartialSpec, list, value};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Test SO(d_out) on ensembles with several outputs, and follow the coupling over d_out
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu symmetry --arch relu --width 20 --d-out 1,2,4,8
         nnqft-gpu symmetry --arch erf --moments exact --d-out 1,2,4,8,16,32 --json

Checks, for each d_out, on a direct ensemble of orders 2 and 4 at as many of the points as
16 fields allow (4012 elements): exact (all elements against their exact values), unpaired
(correlators whose outputs do not pair vanish), rotation (random rotations of the outputs
change nothing), placements (connected iijj over its three placements is iiii). Readouts that
are not gaussian break O(d_out) to permutations and signs of the outputs (check hypercubic, in
place of rotation): placements then tests that the size is the predicted one, which is printed
as a finding. A check passes at a p-value of 1e-4 or more; one that fails on an ensemble that has not converged is
undecided (exit code 1, like every result that is not to be relied on). With --moments exact there is nothing to test.
Couplings: connected estimator, all points."
)]
pub struct Arguments {
    #[command(flatten)]
    spec: PartialSpec,
    /// Moments that the couplings are measured on; exact draws no networks at all
    #[arg(long, value_enum, default_value = "sampled")]
    moments: MomentsOf,
    /// Lines into the vertex: full (K) or weight (K - sigma_b^2)
    #[arg(long, default_value = "full")]
    vertex: Vertex,
    /// The cutoff L of the box [-L, L]^d_in
    #[arg(
        long,
        default_value = "100",
        allow_hyphen_values = true,
        value_parser = value::one_cutoff
    )]
    cutoffs: f64,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    result: ResultOptions,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (vertex, cutoff) = (arguments.vertex, arguments.cutoffs);
    let sampled_moments = arguments.moments == MomentsOf::Sampled;
    let outputs = (arguments.spec.model.fields.d_out.clone()).unwrap_or_else(|| vec![1, 2, 4, 8]);
    let specs = couplings(&arguments.spec, sampled_moments)?;
    let plans = match sampled_moments {
        true => (specs.iter().cloned())
            .map(|spec| Plan::new(spec, &outputs))
            .collect::<Result<_>>()?,
        false => Vec::new(),
    };
    for spec in &specs {
        analysis::check_one_hidden_layer(spec)?;
        analysis::check_range(spec)?;
        analysis::check_interacting(spec)?;
        check_loop_cutoff(spec, vertex, cutoff)?;
    }
    let mut results = Presentation::new(arguments.result.prepare(None)?, false);
    results.expect(specs.len())?;
    let choice = match sampled_moments {
        true => {
            let ensembles = plans.iter().flat_map(Plan::ensembles);
            arguments.engine.choice().averaging(ensembles)
        }
        false => EngineChoice::cpu(),
    };
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    let scheme = Scheme::new(&specs[0], vertex, cutoff, &outputs)?;
    for plan in &plans {
        results.add(sampled(&mut running.runner, plan, &scheme)?)?;
    }
    for spec in specs.iter().filter(|_| !sampled_moments) {
        results.add(exact(spec, &scheme)?)?;
    }
    results.finish()
}

/// Makes the ensembles that couplings are measured on, one per width: of one output, since the
/// connected 4-point function does not depend on their number.
fn couplings(given: &PartialSpec, sampled: bool) -> Result<Vec<EnsembleSpec>> {
    if let Some(orders) = &given.model.fields.orders {
        let why = "symmetry measures orders 2 and 4";
        return Err(Error::invalid("orders", list(orders), why));
    }
    let mut spec = given.clone().with_eft_width();
    spec.model.fields.orders = Some(vec![2, 4]);
    spec.model.fields.d_out = Some(vec![1]);
    if !sampled {
        return spec.model_only().specs();
    }
    spec.sampling.nets.get_or_insert(10_000);
    spec.sampling.experiments.get_or_insert(100);
    (spec.sampling.estimator).get_or_insert(Estimator::Connected);
    spec.specs()
}
