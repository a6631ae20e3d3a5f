//! `nnqft-gpu devices`

use clap::Args;
use nnqft_gpu::engine::gpu;
use nnqft_gpu::report::{VERSION, devices_table};
use nnqft_gpu::run::auto_choice;
use serde_json::json;

use super::flags;

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
    let adapters = gpu::adapters();
    let auto = flags::spelled(&auto_choice(&adapters));
    if arguments.json {
        let document = json!({
            "schema": "nnqft.devices/1", "version": VERSION,
            "adapters": adapters, "auto": auto,
        });
        return super::emit(&format!("{document:#}\n"));
    }
    let list = if adapters.is_empty() {
        "no adapter: no Vulkan, Metal or DirectX 12 driver answers\n".to_string()
    } else {
        devices_table(&adapters)
    };
    super::emit(&format!("{list}--backend auto takes {auto}\n"))
}
