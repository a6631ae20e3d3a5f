use serde::{Deserialize, Serialize};

use crate::analysis::{OutputCoupling, SymmetryCheck};
use crate::model::EnsembleSpec;
use crate::report::{Head, cutoff, unmeasured};
use crate::theory::Vertex;

/// `nnqft.symmetry/1`: SO(d_out).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SymmetryDocument {
    /// Schema, version, spec of the couplings, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices.
    pub vertex: Vertex,
    /// L; the string `inf` if infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// The coupling at each number of outputs, in the order given.
    #[serde(rename = "d_out")]
    pub couplings: Vec<CouplingRow>,
    /// The symmetries, ensemble after ensemble.
    pub checks: Vec<SymmetryCheck>,
    /// The ensembles that they were tested on.
    pub ensembles: Vec<EnsembleSpec>,
    /// Where heavy tails make a test weak: its error bars are what rare networks left of them.
    pub notes: Vec<String>,
}

/// The coupling at one number of outputs beside its exact value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CouplingRow {
    /// Measured.
    #[serde(flatten)]
    pub coupling: OutputCoupling,
    /// The same from exact moments.
    pub lambda_tree_exact: f64,
    /// The same from exact moments.
    pub lambda_one_loop_exact: Option<f64>,
}

impl SymmetryDocument {
    /// The sentence on couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let rows = self.couplings.iter();
        let at = unmeasured::places(rows.map(|r| (self.cutoff, r.coupling.measured)).take(1))?;
        Some(unmeasured::sentence(&self.head, &at))
    }
}
