//! This module is the command `nnqft-gpu bench`.

use std::sync::Arc;

use clap::Args;
use nnqft_gpu::run::{Progress, bench};

use super::args::EngineArgs;
use super::interrupt;
use super::present::print;
use super::terminal::Terminal;

/// Measure how fast this machine draws the source's ensembles, on its adapter and its processor, what each stage
/// reaches of the measured peaks, and how work is shaped for the adapter; takes at most a minute
#[derive(Args)]
#[command(after_help = "Examples: nnqft-gpu bench
          nnqft-gpu bench --adapter radeon --json > bench.json")]
pub struct Arguments {
    #[command(flatten)]
    engine: EngineArgs,
    /// One JSON document on stdout instead of a table
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let terminal = Arc::new(Terminal::new(""));
    let screen = terminal.clone();
    interrupt::on_end(move || screen.clear());
    let progress: Arc<dyn Progress> = terminal;
    let document = bench(&arguments.engine.choice(), &progress)?;
    print(&document, arguments.json)
}
