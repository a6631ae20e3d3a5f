//! This module is the command `nnqft-gpu devices`.

use clap::Args;

use super::present::print;

/// List the adapters with their limits, and say which one --backend auto takes
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu devices --json")]
pub struct Arguments {
    /// One JSON document on stdout instead of a table
    #[arg(long)]
    json: bool,
}

/// Lists the adapters.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    print(&nnqft_gpu::run::devices(), arguments.json)
}
