//! This module is the command `nnqft-gpu train`.

use clap::Args;
use nnqft_gpu::model::{Learning, TrainSpec, TrainingData};
use nnqft_gpu::run::train;
use nnqft_gpu::{Error, Result};

use super::args::{EngineArgs, PartialSpec, list, value};
use super::present::{Presentation, ResultOptions};
use super::running::Running;
use super::terminal::Terminal;

/// Train every drawn network on a small data set, and measure what they learn
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu train --arch tanh --data \"-1=0.5;0.2=-0.3;0.8=1\" --inputs \"-0.4;0.5;1.5\" --nets 2000
         nnqft-gpu train --arch erf --width 20,50,100 --data points.csv --inputs \"0;1\" --rate 0.1 --plot train.svg

Each network descends by itself, full batch, on 1/2 sum (f(x) - y)^2 over the data, with respect
to the variates of unit variance that its weights and biases are multiples of. Step 0 is the
ensemble of the other commands. Beside every number stands that of infinite width, where f is
linear in the parameters.

Fields: f at the data, then at --inputs. Mean, variance and excess kurtosis of each, and the n-point
functions of --orders, 1 to 4 [default: 1,2, and 4 with up to 16 fields]. Defaults: --nets 1e4
--experiments 1; errors come from the scatter of blocks of networks.

With --train readout --estimator connected readouts are averaged given the hidden layers, of which
there may be several: outputs are then normal at every step, with mean and covariance in closed
form. Errors are smaller, and the number of steps costs nothing.

Checks, at every width: untrained (step 0 has its exact n-point functions); on 2048 networks after
the last step, opposite (y -> -y turns the sign of odd functions), zero (y = 0 keeps them zero)
and across (two more outputs that learn zero have no direction). With the connected estimator
these hold network by network, and the check is direct instead: readouts that are drawn and
trained have the same n-point functions. Untrained and direct are of one hidden layer. A check
passes at a p-value of 1e-4 or more.

Networks are trained in f64 on the CPU or in f32 on a GPU, with one hidden layer; readouts that
are averaged given their hidden layers in f64 on the CPU."
)]
pub struct Arguments {
    #[command(flatten)]
    spec: PartialSpec,
    /// What the networks learn: points with their targets, "x=y;x=y", coordinates and targets by comma; or a
    /// file with coordinates, then targets, in each row (as many of either as --d-in or --d-out say, else one
    /// target). Up to 64 points with up to 8 targets
    #[arg(long, allow_hyphen_values = true, value_name = "X=Y;X=Y")]
    data: String,
    /// Rate of the descent [default: 1 over the largest eigenvalue of the tangent kernel at the data]
    #[arg(long, allow_hyphen_values = true, value_parser = value::rate)]
    rate: Option<f64>,
    /// Numbers of steps after which the networks are looked at, all in one run
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "0,1,10,100,1000",
        allow_hyphen_values = true,
        value_parser = value::steps
    )]
    steps: Vec<u64>,
    /// Parameters that move: all, or the readout alone
    #[arg(long, default_value = "all", value_name = "all|readout")]
    train: Learning,
    /// Average over the networks that have not diverged, rather than fail
    #[arg(long)]
    allow_diverged: bool,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    result: ResultOptions,
}

/// Trains the networks and prints the result.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let specs = specs(arguments)?;
    let mut results = Presentation::new(arguments.result.prepare(None)?, false);
    let choice = arguments.engine.choice().training(&specs);
    choice.check()?;
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    results.add(train(
        &mut running.runner,
        &specs,
        arguments.allow_diverged,
    )?)?;
    results.finish()
}

fn specs(arguments: &Arguments) -> Result<Vec<TrainSpec>> {
    let mut given = arguments.spec.clone();
    let fields = &mut given.model.fields;
    let d_out = match fields.d_out.as_deref() {
        None => None,
        Some(&[one]) => Some(one),
        Some(several) => {
            let reason = "one value at a time; it is that of the data";
            return Err(Error::invalid("d_out", list(several), reason));
        }
    };
    let points = fields.inputs.as_ref().map(|points| points.inputs.d_in());
    let data = TrainingData::parse_with(&arguments.data, fields.d_in.or(points), d_out)?;
    if fields.inputs.is_none() {
        fields.d_in.get_or_insert(data.d_in());
    }
    let orders = fields.orders.clone();
    let sampling = &mut given.sampling;
    sampling.nets.get_or_insert(10_000);
    sampling.experiments.get_or_insert(1);
    if given.tilts() {
        let reason = "networks that learn are drawn as they are; leave it out";
        return Err(Error::invalid("tilt", "auto", reason));
    }
    (given.unmeasured()?.into_iter())
        .map(|ensemble| {
            let (d_out, net) = (d_out.unwrap_or(data.d_out()), ensemble.net.clone());
            let mut spec = TrainSpec::new(ensemble, data.clone(), arguments.steps.clone());
            spec.ensemble.net = net.with_d_out(d_out);
            if let Some(orders) = &orders {
                spec.ensemble.orders.clone_from(orders);
            }
            (spec.rate, spec.train) = (arguments.rate, arguments.train);
            spec.validate()
        })
        .collect()
}
