use serde::{Deserialize, Serialize};

use crate::analysis::{Coupling, FunctionFit, SixPoint};
use crate::report::{Head, cutoff, unmeasured};
use crate::theory::Vertex;

/// `nnqft.eft/1`: couplings and the 6-point prediction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EftDocument {
    /// Schema, version, spec, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices.
    pub vertex: Vertex,
    /// One entry per cutoff, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cutoffs: Vec<EftPoint>,
    /// Fits of lambda as a function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<FunctionFit>,
}

/// The effective field theory at one cutoff.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EftPoint {
    /// L; the string `inf` if infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// Measured coupling; `None` if every vertex integral vanishes.
    pub lambda: Option<Coupling>,
    /// The 6-point function against its prediction.
    pub six_point: Option<SixPoint>,
}

impl EftDocument {
    /// The sentence on couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let fits = self.fits.iter().any(|f| !f.measured);
        let cutoffs =
            (self.cutoffs.iter()).filter_map(|p| Some((p.cutoff, p.lambda.as_ref()?.measured)));
        let at = match fits {
            true => Some("the inputs of the fit".into()),
            false => unmeasured::places(cutoffs),
        };
        at.map(|at| unmeasured::sentence(&self.head, &at))
    }
}
