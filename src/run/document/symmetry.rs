use serde::{Deserialize, Serialize};

use super::Head;
use super::{cutoff, unmeasured};
use crate::analysis::{Breaking, OutputCoupling, SymmetryCheck};
use crate::model::EnsembleSpec;
use crate::theory::Vertex;

/// `SymmetryDocument` tests SO(d_out), and follows the coupling over d_out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SymmetryDocument {
    /// Head with schema, version, spec of the couplings, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices: K, or K without its bias part.
    pub vertex: Vertex,
    /// Cutoff L; in JSON the string `inf` if it is infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// Couplings, one per number of outputs, in the order given.
    #[serde(rename = "d_out")]
    pub couplings: Vec<CouplingRow>,
    /// Tests of the symmetries, ensemble after ensemble.
    pub checks: Vec<SymmetryCheck>,
    /// Sizes by which O(d_out) is broken, where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaking: Vec<Breaking>,
    /// Ensembles that the symmetries were tested on.
    pub ensembles: Vec<EnsembleSpec>,
    /// Notes on tests that heavy tails make weak: their error bars are what rare networks left of
    /// them.
    pub notes: Vec<String>,
}

/// `CouplingRow` is the coupling at one number of outputs beside its exact value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CouplingRow {
    /// Coupling as measured.
    #[serde(flatten)]
    pub coupling: OutputCoupling,
    /// Tree-level coupling from exact moments.
    pub lambda_tree_exact: f64,
    /// One-loop coupling from exact moments.
    pub lambda_one_loop_exact: Option<f64>,
}

impl SymmetryDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "symmetry";

    /// Names the couplings that were not measured in a sentence, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let rows = self.couplings.iter();
        let at = unmeasured::places(rows.map(|r| (self.cutoff, r.coupling.measured)).take(1))?;
        Some(unmeasured::sentence(&self.head, &at))
    }
}
