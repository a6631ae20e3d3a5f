use serde::Serialize;

use super::{VERSION, schema};
use crate::engine::DeviceInfo;
use crate::engine::gpu::{AdapterSummary, Peak, Profile, StageRate};

/// `BenchDocument` says how fast this machine draws the source's ensembles, and what limits it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BenchDocument {
    schema: String,
    version: &'static str,
    command: &'static str,
    /// Adapter and what it can do at most, if there is one.
    pub adapter: Option<BenchAdapter>,
    /// Sentence that says why work is shaped as it is for the adapter, or why there is none.
    pub reason: String,
    /// Processor and its threads.
    pub cpu: DeviceInfo,
    /// Ensembles of the source, one entry each.
    pub jobs: Vec<BenchJob>,
    /// Time that all took, in seconds.
    pub wall_s: f64,
}

/// `BenchAdapter` holds an adapter, how work is shaped for it, and its measured peaks.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BenchAdapter {
    /// Adapter as `devices` lists it.
    #[serde(flatten)]
    pub summary: AdapterSummary,
    /// How work is shaped for the adapter.
    pub profile: Profile,
    /// Most that the adapter can do, as measured.
    pub peak: Peak,
}

/// `BenchJob` holds the rates of one ensemble.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BenchJob {
    /// Net of the ensemble.
    pub net: String,
    /// Width of the net.
    pub width: u64,
    /// Number of networks of the whole ensemble.
    pub networks: u64,
    /// Networks per second of the adapter, shaders compiled; none without one, or if time was up.
    pub gpu_networks_per_s: Option<f64>,
    /// Fraction of the adapter's peak of arithmetic that this is, by the instructions of the stages.
    pub of_peak: Option<f64>,
    /// Networks per second of the f64 engine; none if time was up.
    pub cpu_networks_per_s: Option<f64>,
    /// Stages of the adapter and the host, each alone.
    pub stages: Vec<StageRate>,
}

impl BenchDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "bench";

    /// Puts measurements together.
    pub fn new(
        adapter: Option<BenchAdapter>,
        reason: String,
        cpu: DeviceInfo,
        jobs: Vec<BenchJob>,
        wall_s: f64,
    ) -> Self {
        Self {
            schema: schema(Self::COMMAND),
            version: VERSION,
            command: Self::COMMAND,
            adapter,
            reason,
            cpu,
            jobs,
            wall_s,
        }
    }
}
