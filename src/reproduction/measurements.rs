//! What a reproduction asks of those who measure.

use crate::Result;
use crate::engine::DeviceInfo;
use crate::model::EnsembleSpec;
use crate::report::{EftDocument, FalloffDocument, RgDocument, SymmetryDocument};
use crate::theory::Vertex;

/// Told the ensemble that is drawn, and how many more of its networks are done.
pub type Progress<'a> = &'a (dyn Fn(&EnsembleSpec, u64) + Sync);

/// The source's settings that a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Its cutoffs.
    pub cutoffs: &'static [f64],
    /// The ensemble of so many outputs that symmetries are tested on, beside that of couplings.
    pub symmetry_test: fn(&EnsembleSpec, usize) -> Result<EnsembleSpec>,
}

/// The measurements of a reproduction, each to its document.
pub trait Measurements {
    /// What draws.
    fn device(&self) -> DeviceInfo;

    /// One width of a falloff: a direct ensemble, and a connected one beside it.
    ///
    /// # Errors
    /// Those of the engine.
    fn width(
        &mut self,
        direct: &EnsembleSpec,
        connected: Option<&EnsembleSpec>,
        progress: Progress,
    ) -> Result<FalloffDocument>;

    /// Coupling, 6-point prediction and flow of one ensemble, or of exact moments.
    ///
    /// # Errors
    /// Those of the engine and of vertex integrals.
    fn couplings(
        &mut self,
        spec: &EnsembleSpec,
        is_exact: bool,
        cutoffs: &[f64],
        progress: Progress,
    ) -> Result<(EftDocument, RgDocument)>;

    /// The flow of exact moments.
    ///
    /// # Errors
    /// Those of vertex integrals.
    fn flow(&mut self, spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64]) -> Result<RgDocument>;

    /// The coupling at a cutoff over numbers of outputs, and the symmetries of one ensemble for
    /// each of them.
    ///
    /// # Errors
    /// Those of the engine and of vertex integrals.
    fn symmetry(
        &mut self,
        couplings: &EnsembleSpec,
        tests: &[EnsembleSpec],
        cutoff: f64,
        progress: Progress,
    ) -> Result<SymmetryDocument>;

    /// Fits of the coupling as a function, tested on the inputs of the spec.
    ///
    /// # Errors
    /// Those of the engine and of vertex integrals.
    fn fit(
        &mut self,
        spec: &EnsembleSpec,
        is_exact: bool,
        cutoff: f64,
        progress: Progress,
    ) -> Result<EftDocument>;
}
