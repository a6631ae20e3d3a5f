//! This module is the command `nnqft-gpu devices`.

use clap::Args;
use nnqft_gpu::engine::gpu::{self, AdapterSummary};
use nnqft_gpu::report::devices_table;
use nnqft_gpu::run::{Adapter, DevicesDocument, auto_choice};

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
    let auto = auto_choice(&adapters);
    let document = DevicesDocument::new(adapters.into_iter().map(row).collect(), auto);
    if arguments.json {
        let text = serde_json::to_string_pretty(&document)?;
        return super::shell::emit(&format!("{text}\n"));
    }
    let list = if document.adapters.is_empty() {
        "no adapter: no Vulkan, Metal or DirectX 12 driver answers\n".to_string()
    } else {
        devices_table(&document.adapters)
    };
    super::shell::emit(&format!("{list}--backend auto takes {}\n", document.auto))
}

fn row(adapter: AdapterSummary) -> Adapter {
    Adapter {
        name: adapter.name,
        driver: adapter.driver,
        api: adapter.api,
        kind: adapter.kind,
        max_buffer: adapter.max_buffer,
        max_workgroups: adapter.max_workgroups,
        workgroup_memory: adapter.workgroup_memory,
        shader_f64: adapter.shader_f64,
    }
}
