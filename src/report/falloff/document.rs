use serde::{Deserialize, Serialize};

use crate::analysis::Falloff;
use crate::model::EnsembleSpec;
use crate::report::Head;

/// `nnqft.falloff/1`: a width sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FalloffDocument {
    /// Schema, version, spec at the first width, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// The ensemble of the second curve at the first width, if it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_spec: Option<EnsembleSpec>,
    /// Widths and fits.
    #[serde(flatten)]
    pub falloff: Falloff,
}
