use serde::Serialize;

use crate::report::VERSION;

/// `nnqft.devices/1`: the adapters, and which engine a run takes by itself.
#[derive(Debug, Clone, Serialize)]
pub struct DevicesDocument {
    schema: &'static str,
    version: &'static str,
    /// All that can run the engine, best first.
    pub adapters: Vec<Adapter>,
    /// What `auto` takes, and why.
    pub auto: String,
}

/// An adapter and its limits.
#[derive(Debug, Clone, Serialize)]
pub struct Adapter {
    /// Name.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// Vulkan, Metal or Dx12.
    pub api: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Largest storage buffer, bytes.
    pub max_buffer: u64,
    /// Largest dispatch per dimension, workgroups.
    pub max_workgroups: u32,
    /// Workgroup memory, bytes.
    pub workgroup_memory: u32,
    /// Native f64 in shaders (reported, not used).
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
