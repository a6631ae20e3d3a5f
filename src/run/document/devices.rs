use serde::Serialize;

use super::VERSION;

/// `nnqft.devices/1` lists the adapters, and says which engine a run takes by itself.
#[derive(Debug, Clone, Serialize)]
pub struct DevicesDocument {
    schema: &'static str,
    version: &'static str,
    /// All of them can run the engine; the best comes first.
    pub adapters: Vec<Adapter>,
    /// The sentence says what `auto` takes, and why.
    pub auto: String,
}

/// An adapter is what a driver offers, with its limits.
#[derive(Debug, Clone, Serialize)]
pub struct Adapter {
    /// The name is the one that `--adapter` matches.
    pub name: String,
    /// The driver is named with its version.
    pub driver: String,
    /// The API is Vulkan, Metal or Dx12.
    pub api: String,
    /// The kind is `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// The largest storage buffer has so many bytes.
    pub max_buffer: u64,
    /// The largest dispatch has so many workgroups in each dimension.
    pub max_workgroups: u32,
    /// A workgroup has so many bytes of memory.
    pub workgroup_memory: u32,
    /// Shaders may use f64 (ours do not).
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
