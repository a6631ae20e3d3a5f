use serde::{Deserialize, Serialize};

use super::Head;
use super::{cutoff, unmeasured};
use crate::analysis::{Coupling, FunctionFit, SixPoint, Unconverged};
use crate::theory::Vertex;

/// `EftDocument` holds couplings and the 6-point prediction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EftDocument {
    /// Head with schema, version, spec, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices: K, or K without its bias part.
    pub vertex: Vertex,
    /// Results at each cutoff, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cutoffs: Vec<EftPoint>,
    /// Fits, one per model of lambda as a function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<FunctionFit>,
    /// Moments that the fits were trained on and that have not converged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train_unconverged: Vec<Unconverged>,
}

/// `EftPoint` is the effective field theory at one cutoff.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EftPoint {
    /// Cutoff L; in JSON the string `inf` if it is infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// Measured coupling; `None` if every vertex integral vanishes.
    pub lambda: Option<Coupling>,
    /// The 6-point function held against its prediction.
    pub six_point: Option<SixPoint>,
    /// What exact moments give at this width, beside what was sampled; `None` if they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<ExactEft>,
}

/// `ExactEft` is the effective field theory of exact moments at one cutoff.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExactEft {
    /// Mean of the coupling over tuples.
    pub lambda: f64,
    /// delta; `None` without a prediction.
    pub delta_mean: Option<f64>,
}

impl EftDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "eft";

    /// Names the couplings that were not measured in a sentence, if there are any.
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
