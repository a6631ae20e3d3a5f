use serde::Serialize;

use super::{VERSION, schema};
use crate::engine::gpu::AdapterSummary;

/// `DevicesDocument` lists the adapters, and says which engine a run takes by itself.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DevicesDocument {
    schema: String,
    version: &'static str,
    command: &'static str,
    /// Adapters that can run the engine, the best first.
    pub adapters: Vec<AdapterSummary>,
    /// Sentence that says what `auto` takes, and why.
    pub auto: String,
}

impl DevicesDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "devices";

    /// Puts a list of adapters together.
    pub fn new(adapters: Vec<AdapterSummary>, auto: String) -> Self {
        Self {
            schema: schema(Self::COMMAND),
            version: VERSION,
            command: Self::COMMAND,
            adapters,
            auto,
        }
    }
}
