use serde::Serialize;

use super::VERSION;

/// `nnqft.devices/1` lists the adapters, and says which engine a run takes by itself.
#[derive(Debug, Clone, Serialize)]
pub struct DevicesDocument {
    schema: &'static str,
    version: &'static str,
    /// Adapters that can run the engine, the best first.
    pub adapters: Vec<Adapter>,
    /// Sentence that says what `auto` takes, and why.
    pub auto: String,
}

/// An adapter is what a driver offers, with its limits.
#[derive(Debug, Clone, Serialize)]
pub struct Adapter {
    /// Name, which `--adapter` matches.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// API of the driver: Vulkan, Metal or Dx12.
    pub api: String,
    /// Kind of adapter: `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Size of the largest storage buffer, in bytes.
    pub max_buffer: u64,
    /// Number of workgroups of the largest dispatch, in each dimension.
    pub max_workgroups: u32,
    /// Memory of a workgroup, in bytes.
    pub workgroup_memory: u32,
    /// Whether shaders may use f64 (ours do not).
    pub shader_f64: bool,
}

impl DevicesDocument {
    /// Puts a list of adapters together.
    pub fn new(adapters: Vec<Adapter>, auto: String) -> Self {
        Self {
            schema: "nnqft.devices/1",
            version: VERSION,
            adapters,
            auto,
        }
    }
}
