use serde::{Deserialize, Serialize};

use super::{Head, Partial};
use crate::analysis::trained::{TrainCheck, TrainedFit, TrainedWidth};
use crate::model::TrainSpec;

/// `TrainDocument` is a sweep over widths of networks that are trained.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainDocument {
    /// Head with schema, version, spec at the first width, device and timing.
    #[serde(flatten)]
    pub head: Head<TrainSpec, ()>,
    /// The part of the networks that is there, if that is not all; checks are made of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// Eigenvalues of the tangent kernel at the data, the largest first.
    pub eigenvalues: Vec<f64>,
    /// Rate above which networks of infinite width diverge; `None` if nothing moves.
    pub largest_stable_rate: Option<f64>,
    /// The widths, in the order given.
    pub widths: Vec<TrainedWidth>,
    /// Powers of N by which networks deviate from infinite width, for a sweep.
    pub fits: Vec<TrainedFit>,
    /// Tests of what is exact at every width.
    pub checks: Vec<TrainCheck>,
    /// What is to be known of the data and of the rate.
    pub notes: Vec<String>,
    /// Infinite width along the line, for d_in = 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

impl TrainDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "train";
}

/// `Curve` is what networks of infinite width have learnt along a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Curve {
    /// Points of the line.
    pub x: Vec<f64>,
    /// Numbers of steps, in ascending order, but for those by which a descent has diverged beyond the range of f64.
    pub steps: Vec<CurveStep>,
}

/// `CurveStep` is a curve after some steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CurveStep {
    /// Number of steps.
    pub step: u64,
    /// E f, `[output][x]`.
    pub mean: Vec<Vec<f64>>,
    /// Var f, the same for all outputs.
    pub variance: Vec<f64>,
}
