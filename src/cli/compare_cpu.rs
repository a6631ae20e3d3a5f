//! This module is the command `nnqft-gpu compare-cpu`.

use clap::Args;
use nnqft_gpu::engine::AdapterClass;
use nnqft_gpu::engine::gpu::GpuEngine;
use nnqft_gpu::run::compare;
use nnqft_gpu::{Error, Result, Sentence};

use super::args::{NetArgs, value};
use super::output::OutputOptions;
use super::present::Presentation;
use super::running::Running;
use super::terminal::Terminal;

/// Draw the same networks on the GPU and on the f64 CPU engine and compare every stage, down
/// to the GP and EFT fits; exit code 1 if a tolerance is missed. Without a net, the source's are
/// compared
#[derive(Args)]
#[command(after_help = "Examples: nnqft-gpu compare-cpu --adapter llvmpipe
          nnqft-gpu compare-cpu --activation 'z*exp(-z^2)' --law-w gaussian,rademacher
          nnqft-gpu compare-cpu --arch tanh --depth 2")]
pub struct Arguments {
    #[command(flatten)]
    net: NetArgs,
    /// Number of hidden layers of the net
    #[arg(long, default_value_t = 1, value_parser = value::depth)]
    depth: usize,
    /// Adapter by any part of its name [default: the best, software ones included]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Class that the adapter is taken for: discrete, integrated or software
    #[arg(long, value_name = "CLASS", hide = true)]
    profile: Option<AdapterClass>,
    /// Compare some twenty times as many networks
    #[arg(long)]
    thorough: bool,
    #[command(flatten)]
    output: OutputOptions,
}

/// Compares and prints one table.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut results = Presentation::new(arguments.output.prepare(None, None)?, false);
    let adapter = arguments.adapter.as_deref();
    let net = arguments.net.given(arguments.depth)?;
    let mut running = Running::begin(Terminal::new(""), |_| {
        let engine = engine(adapter)?;
        Ok(Box::new(match arguments.profile {
            Some(class) => engine.with_class(class),
            None => engine,
        }))
    })?;
    let document = compare(&mut running.runner, net.as_ref(), arguments.thorough)?;
    results.add(document)?;
    results.finish()
}

fn engine(adapter: Option<&str>) -> Result<GpuEngine> {
    GpuEngine::new(adapter).map_err(|e| match e {
        Error::NoAdapter(reason) if adapter.is_none() => Error::NoAdapter(
            Sentence::from("there is nothing to compare with the CPU: ").and(reason),
        ),
        other => other,
    })
}
