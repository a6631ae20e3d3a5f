use serde::{Deserialize, Serialize};

use crate::analysis::Flow;
use crate::report::{Head, unmeasured};
use crate::theory::Vertex;

/// `nnqft.rg/1`: the flow of the coupling.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RgDocument {
    /// Schema, version, spec, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices.
    pub vertex: Vertex,
    /// Points, fit, slopes, fixed points.
    #[serde(flatten)]
    pub flow: Flow,
}

impl RgDocument {
    /// The sentence on couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let points = self.flow.points.iter();
        let at = unmeasured::places(
            points.filter_map(|p| p.lambda_mean.map(|_| (p.cutoff, p.measured))),
        )?;
        Some(unmeasured::sentence(&self.head, &at))
    }
}
