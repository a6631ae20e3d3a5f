//! The document of a reproduction holds the verdicts.

use serde::Serialize;

use super::plan::Scale;
use super::verdict::Claim;
use crate::engine::DeviceInfo;
use crate::run::Timing;

/// `ReproductionDocument` holds the verdicts, and says where everything is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ReproductionDocument {
    pub(super) schema: String,
    pub(super) version: &'static str,
    pub(super) command: &'static str,
    /// Command that makes the report, with its options.
    pub command_line: String,
    /// Scale and seed of the reproduction.
    pub spec: ReproductionSpec,
    /// Device of what ran last; each document in `data` names its own.
    pub device: DeviceInfo,
    /// Sum of the timings of all measurements, those of earlier runs included.
    pub timing: Timing,
    /// Results of the source with their verdicts.
    pub claims: Vec<Claim>,
    /// Names of the figures: `figures/<name>.svg`, `.csv`, `.json`.
    pub figures: Vec<String>,
    /// Names of the documents: `data/<name>.json`.
    pub documents: Vec<String>,
}

impl ReproductionDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "reproduce";
}

/// `ReproductionSpec` says at what scale and from what seed networks are drawn.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct ReproductionSpec {
    /// Number of networks.
    #[serde(flatten)]
    pub scale: Scale,
    /// Key of the random stream.
    pub seed: u64,
}
