use serde::{Deserialize, Serialize};

use super::Head;
use crate::analysis::Falloff;
use crate::model::EnsembleSpec;

/// `FalloffDocument` is a width sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FalloffDocument {
    /// Head with schema, version, spec at the first width, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// Ensemble of the second curve at the first width, if that curve was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_spec: Option<EnsembleSpec>,
    /// Widths and fits of the sweep.
    #[serde(flatten)]
    pub falloff: Falloff,
}

impl FalloffDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "falloff";
}
