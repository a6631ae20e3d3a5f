use serde::{Deserialize, Serialize};

use super::Head;
use crate::analysis::DepthSweep;

/// `DepthDocument` is a sweep over depths.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DepthDocument {
    /// Head with schema, version, spec at the first depth, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// Depths and fits of the sweep.
    #[serde(flatten)]
    pub sweep: DepthSweep,
}

impl DepthDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "depth";
}
