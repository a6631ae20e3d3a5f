//! What several tests need.
#![allow(dead_code)] // each test binary uses its own part

pub mod cli;
pub mod runs;

use nnqft_gpu::engine::gpu::GpuEngine;
use nnqft_gpu::model::{EnsembleSpec, Inputs};
use serde::Deserialize;

/// The best adapter. No adapter is a failure: a skipped GPU test proves nothing.
pub fn gpu() -> GpuEngine {
    GpuEngine::new(None).expect("the GPU tests need a Vulkan driver; scripts/test installs one")
}

/// Independently computed correlators (f64), see tests/reference/README.md.
#[derive(Deserialize)]
pub struct Reference {
    pub arch: String,
    pub d_in: usize,
    pub width: u64,
    pub sigma_w: f64,
    pub sigma_b: f64,
    pub inputs: Inputs,
    pub kernel: Vec<Vec<f64>>,
    pub correlators: Vec<ReferenceCorrelator>,
}

#[derive(Deserialize)]
pub struct ReferenceCorrelator {
    pub order: usize,
    pub indices: Vec<Vec<usize>>,
    pub gp: Vec<f64>,
    pub exact: Vec<f64>,
}

pub const REFERENCES: [&str; 6] = [
    include_str!("../reference/erf_d1_n5.json"),
    include_str!("../reference/erf_d2_n3.json"),
    include_str!("../reference/gauss_d1_n100.json"),
    include_str!("../reference/gauss_d3_n7.json"),
    include_str!("../reference/relu_d1_n20.json"),
    include_str!("../reference/relu_d2_bias_n4.json"),
];

pub fn references() -> Vec<Reference> {
    REFERENCES
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

impl Reference {
    pub fn spec(&self, nets: u64, experiments: u32) -> EnsembleSpec {
        EnsembleSpec {
            inputs: self.inputs.clone(),
            nets,
            experiments,
            ..EnsembleSpec::preset(&self.arch, 1)
                .unwrap()
                .with_width(self.width)
                .with_d_in(self.d_in)
                .with_sigma_w(self.sigma_w)
                .with_sigma_b(self.sigma_b)
        }
        .validate()
        .unwrap()
    }
}
