use std::path::Path;

use serde::Serialize;

use super::{Head, Timing};
use crate::engine::{DeviceInfo, Float};
use crate::model::EnsembleSpec;
use crate::state::Shard;

/// `nnqft.sample/2` says which networks are in a file of draws.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SampleDocument {
    /// Head with schema, version, spec, device and timing; the spec has no orders.
    #[serde(flatten)]
    pub head: Head<EnsembleSpec, ()>,
    /// File that holds the draws.
    pub path: String,
    /// Numbers of networks, points and outputs; networks of experiment 0 come first.
    pub shape: [u64; 3],
    /// Type of the numbers, as NumPy calls it.
    pub dtype: &'static str,
    /// Shard of the sample, as `i/n`, if the file holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

impl SampleDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "sample";

    /// Puts what is known of a file of draws together.
    pub fn new(
        path: &Path,
        (spec, shard): (&EnsembleSpec, Option<Shard>),
        (shape, float): ([u64; 3], Float),
        device: DeviceInfo,
        timing: Timing,
    ) -> Self {
        Self {
            head: Head::new(Self::COMMAND, spec.clone(), device, timing, ()),
            path: path.display().to_string(),
            shape,
            dtype: float.name(),
            shard: shard.map(|s| s.to_string()),
        }
    }
}
