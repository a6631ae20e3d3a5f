use serde::{Deserialize, Serialize};

use super::Head;
use super::{cutoff, unmeasured};
use crate::analysis::{OutputCoupling, SymmetryCheck};
use crate::model::EnsembleSpec;
use crate::theory::Vertex;

/// `nnqft.symmetry/1` tests SO(d_out), and follows the coupling over d_out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SymmetryDocument {
    /// The head holds schema, version, spec of the couplings, device, timing and moments.
    #[serde(flatten)]
    pub head: Head,
    /// The propagator of the vertices is K, or K without its bias part.
    pub vertex: Vertex,
    /// The cutoff L is the string `inf` if it is infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// There is one coupling per number of outputs, in the order given.
    #[serde(rename = "d_out")]
    pub couplings: Vec<CouplingRow>,
    /// The symmetries are tested ensemble after ensemble.
    pub checks: Vec<SymmetryCheck>,
    /// The symmetries were tested on these ensembles.
    pub ensembles: Vec<EnsembleSpec>,
    /// A note says where heavy tails make a test weak: its error bars are what rare networks left of
    /// them.
    pub notes: Vec<String>,
}

/// A row has the coupling at one number of outputs beside its exact value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CouplingRow {
    /// The coupling is as measured.
    #[serde(flatten)]
    pub coupling: OutputCoupling,
    /// The tree's coupling from exact moments stands beside it.
    pub lambda_tree_exact: f64,
    /// The one-loop coupling from exact moments stands beside it.
    pub lambda_one_loop_exact: Option<f64>,
}

impl SymmetryDocument {
    /// The sentence names couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let rows = self.couplings.iter();
        let at = unmeasured::places(rows.map(|r| (self.cutoff, r.coupling.measured)).take(1))?;
        Some(unmeasured::sentence(&self.head, &at))
    }
}
