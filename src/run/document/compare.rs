use serde::Serialize;

use super::{Head, Timing};
use crate::analysis::CrossCheck;
use crate::engine::DeviceInfo;

/// `CompareDocument` holds every stage and fit of the GPU against the f64 CPU engine.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CompareDocument {
    /// Head with schema, version, spec, device and timing.
    #[serde(flatten)]
    pub head: Head<CompareSpec, ()>,
    /// Stages and fits, and whether all agree.
    #[serde(flatten)]
    pub check: CrossCheck,
}

/// `CompareSpec` says how much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CompareSpec {
    /// Whether some twenty times as many networks are drawn.
    pub thorough: bool,
}

impl CompareDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "compare-cpu";

    /// Puts a comparison together; `device` is the GPU.
    pub fn new(thorough: bool, device: DeviceInfo, timing: Timing, check: CrossCheck) -> Self {
        let spec = CompareSpec { thorough };
        Self {
            head: Head::new(Self::COMMAND, spec, device, timing, ()),
            check,
        }
    }
}
