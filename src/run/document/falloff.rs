use serde::{Deserialize, Serialize};

use super::Head;
use crate::analysis::Falloff;
use crate::model::EnsembleSpec;

/// `nnqft.falloff/1` is a width sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FalloffDocument {
    /// The head holds schema, version, spec at the first width, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// The second curve, if it was drawn, has this ensemble at the first width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_spec: Option<EnsembleSpec>,
    /// The sweep has widths and fits.
    #[serde(flatten)]
    pub falloff: Falloff,
}
