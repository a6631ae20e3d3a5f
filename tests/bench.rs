//! `bench` measures the machine that it runs on.

mod common;

use std::process::Command;

use common::cli::refused;
use common::gpu;
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::plan::Plan;

#[test]
fn stages_are_no_faster_than_peaks_allow() {
    let gpu = gpu();
    let peak = gpu.peak().unwrap();
    // Any machine since 2010: a billion of each.
    assert!(peak.multiply_adds_per_s > 1e9, "{peak:?}");
    assert!(peak.bytes_per_s > 1e8, "{peak:?}");
    let plan = Plan::new(EnsembleSpec::preset("relu", 1).unwrap()).unwrap();
    let stages = gpu.stage_rates(&plan, &|| false).unwrap();
    let names: Vec<&str> = stages.iter().map(|s| s.cost.stage).collect();
    assert_eq!(names, ["sample", "sample_remainder", "reduce", "host"]);
    for stage in &stages {
        assert!(stage.networks_per_s > 1e3, "{stage:?}");
        // Instructions are fewer where a compiler finds some that are done already, and peaks lower where others
        // work beside: by no factor of ten.
        let of_peak = stage.networks_per_s * stage.cost.network.instructions();
        assert!(
            of_peak < 10.0 * peak.multiply_adds_per_s,
            "{stage:?} {peak:?}"
        );
    }
    assert!(gpu.stage_rates(&plan, &|| true).unwrap().is_empty());
}

#[test]
fn a_machine_without_a_gpu_has_its_cpu_measured() {
    let bench = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
            .args(arguments)
            .env("VK_ICD_FILENAMES", "/nonexistent.json")
            .env("VK_DRIVER_FILES", "/nonexistent.json")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let document: serde_json::Value = serde_json::from_str(&bench(&["bench", "--json"])).unwrap();
    assert_eq!(document["schema"], "nnqft.bench/2");
    assert_eq!(document["adapter"], serde_json::Value::Null);
    let reason = document["reason"].as_str().unwrap();
    assert!(reason.starts_with("there is no GPU adapter"), "{reason}");
    let jobs = document["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        assert!(job["cpu_networks_per_s"].as_f64().unwrap() > 1e3, "{job}");
        assert_eq!(job["gpu_networks_per_s"], serde_json::Value::Null);
        assert_eq!(job["networks"], 10_000_000);
    }
    let table = bench(&["bench"]);
    assert!(table.starts_with("there is no GPU adapter"), "{table}");
    assert!(table.contains("CPU networks/s"), "{table}");
    refused(&["bench", "--adapter", "no such"], &["no such adapter"]);
    refused(
        &["bench", "--adapter", "all"],
        &["--adapter", "one adapter at a time"],
    );
}
