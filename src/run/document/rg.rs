use serde::{Deserialize, Serialize};

use super::Head;
use super::unmeasured;
use crate::analysis::Flow;
use crate::theory::Vertex;

/// `RgDocument` is the flow of the coupling.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RgDocument {
    /// Head with schema, version, spec, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices: K, or K without its bias part.
    pub vertex: Vertex,
    /// Points of the flow, their fit, slopes and fixed points.
    #[serde(flatten)]
    pub flow: Flow,
}

impl RgDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "rg";

    /// Names the couplings that were not measured in a sentence, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let points = self.flow.points.iter();
        let at = unmeasured::places(
            points.filter_map(|p| p.lambda_mean.map(|_| (p.cutoff, p.measured))),
        )?;
        Some(unmeasured::sentence(&self.head, &at))
    }
}
