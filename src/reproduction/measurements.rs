//! A reproduction asks these measurements of those who can make them.

use crate::Result;
use crate::engine::DeviceInfo;
use crate::model::{Architecture, EnsembleSpec};
use crate::report::{EftDocument, FalloffDocument, RgDocument, SymmetryDocument};
use crate::theory::Vertex;

/// This function is told the ensemble that is drawn, and how many more of its networks are done.
pub type Progress<'a> = &'a (dyn Fn(&EnsembleSpec, u64) + Sync);

/// A fit of the coupling as a function has inputs, a width and a cutoff.
pub type FitSetting = (&'static str, u64, f64);

/// A plan is made of these settings of the source.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Its cutoffs.
    pub cutoffs: &'static [f64],
    /// Those of a net's fits in v2.
    pub fit: fn(Architecture) -> FitSetting,
    /// The ensemble of so many outputs that symmetries are tested on, beside that of couplings.
    pub symmetry_test: fn(&EnsembleSpec, usize) -> Result<EnsembleSpec>,
}

/// A reproduction is made of these measurements, each with its document.
pub trait Measurements {
    /// Tells what draws.
    fn device(&self) -> DeviceInfo;

    /// Measures one width of a falloff: a direct ensemble, and a connected one beside it.
    ///
    /// # Errors
    /// Those of the engine.
    fn width(
        &mut self,
        direct: &EnsembleSpec,
        connected: Option<&EnsembleSpec>,
        progress: Progress,
    ) -> Result<FalloffDocument>;

    /// Measures coupling, 6-point prediction and flow of one ensemble, or of exact moments.
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

    /// Follows the flow of exact moments.
    ///
    /// # Errors
    /// Those of vertex integrals.
    fn flow(&mut self, spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64]) -> Result<RgDocument>;

    /// Measures the coupling at a cutoff over numbers of outputs, and the symmetries of one
    /// ensemble for each of them.
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

    /// Fits the coupling as a function, tested on the inputs of the spec.
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
