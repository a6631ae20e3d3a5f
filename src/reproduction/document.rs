//! The document of a reproduction holds the verdicts.

use serde::Serialize;

use super::plan::Scale;
use super::verdict::Claim;
use crate::engine::DeviceInfo;
use crate::run::Timing;

/// The document `nnqft.reproduce/1` holds the verdicts, and says where everything is.
#[derive(Debug, Clone, Serialize)]
pub struct ReproductionDocument {
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    /// The command that makes it.
    pub command: String,
    /// Scale and seed.
    pub spec: ReproductionSpec,
    /// What ran last; each document in `data` names its own.
    pub device: DeviceInfo,
    /// Sum over all measurements, those of earlier runs included.
    pub timing: Timing,
    /// The results with their verdicts.
    pub claims: Vec<Claim>,
    /// Figures: `figures/<name>.svg`, `.csv`, `.json`.
    pub figures: Vec<String>,
    /// Documents: `data/<name>.json`.
    pub documents: Vec<String>,
}

/// A reproduction draws networks at a scale from a seed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ReproductionSpec {
    /// Networks.
    #[serde(flatten)]
    pub scale: Scale,
    /// Key of the random stream.
    pub seed: u64,
}
