//! `compare-cpu` passes on a good adapter and fails on every kind of bad one.

mod common;

use common::cli::{json, refused, run};
use common::gpu;
use nnqft_gpu::analysis::check_stages;
use nnqft_gpu::engine::gpu::{Fault, GpuEngine};
use nnqft_gpu::engine::{self, Engine, Form};
use nnqft_gpu::model::EnsembleSpec;

fn small(arch: &str) -> EnsembleSpec {
    EnsembleSpec {
        nets: 4096,
        experiments: 2,
        orders: vec![2, 4],
        ..EnsembleSpec::preset(arch, 1).unwrap().with_width(21)
    }
    .validate()
    .unwrap()
}

/// The stages that a fault turns red.
fn red(fault: Fault, arch: &str) -> Vec<&'static str> {
    red_on(gpu().with_fault(fault), arch)
}

fn red_on(mut gpu: GpuEngine, arch: &str) -> Vec<&'static str> {
    let stages = check_stages(&mut gpu, &[small(arch)], false).unwrap();
    stages.iter().filter(|s| !s.pass).map(|s| s.stage).collect()
}

#[test]
fn a_good_adapter_passes() {
    let document = json(&["compare-cpu", "--json"]);
    assert_eq!(document["pass"], true);
    let stages = document["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 9);
    for s in stages {
        assert_eq!(s["pass"], true, "{s}");
        assert!(s["compared"].as_u64().unwrap() > 100, "{s}");
        // Errors are there: the tolerance is not the only thing that keeps it green.
        assert_eq!(s["max_abs"].as_f64().unwrap() > 0.0, s["stage"] != "words");
    }
    assert_eq!(document["fits"].as_array().unwrap().len(), 6);
}

#[test]
fn a_wrong_rotation_reddens_the_words() {
    let fault = Fault::Shader {
        stage: "draws",
        value: "x.d",
        wrong: "rotate_left(right, 1u)",
    };
    assert!(red(fault, "relu").contains(&"words"));
}

#[test]
fn a_truncated_logarithm_reddens_the_normals() {
    let fault = Fault::Shader {
        stage: "draws",
        value: "sum",
        wrong: "1.333335528 * t + 4.0",
    };
    let red = red(fault, "relu");
    assert!(
        red.contains(&"normals") && !red.contains(&"words"),
        "{red:?}"
    );
}

#[test]
fn a_truncated_activation_reddens_the_hidden_values() {
    let fault = Fault::Shader {
        stage: "sample",
        value: "numerator",
        wrong: "right - u * 0.097445939 * t",
    };
    let red = red(fault, "erf");
    assert!(
        red.contains(&"hidden values") && !red.contains(&"normals"),
        "{red:?}"
    );
}

#[test]
fn a_wrong_readout_reddens_the_outputs() {
    // Words of the wrong group.
    let fault = Fault::Shader {
        stage: "sample",
        value: "output_start",
        wrong: "advance(right, 1u)",
    };
    let red = red(fault, "relu");
    assert!(
        red.contains(&"network outputs") && !red.contains(&"hidden values"),
        "{red:?}"
    );
}

#[test]
fn a_wrong_pair_reddens_the_covariance() {
    // The field of the points 0 and 1 is a hundredth too large.
    let fault = Fault::Shader {
        stage: "sample",
        value: "f_1",
        wrong: "1.01 * right",
    };
    // Not ReLU: at d_in = 1 without bias its moments need one point.
    let red = red(fault, "erf");
    assert!(
        red.contains(&"covariance D") && !red.contains(&"network outputs"),
        "{red:?}"
    );
    assert!(red.contains(&"connected tensors"), "{red:?}");
}

/// The sum of the second element, whose points are 0 and 1, is a hundredth too large.
const WRONG_SUMS: [(Form, Fault); 2] = [
    (
        Form::Staged,
        Fault::Shader {
            stage: "reduce",
            value: "s_1",
            wrong: "1.01 * right",
        },
    ),
    (
        Form::Fused,
        Fault::Shader {
            stage: "ensemble",
            value: "s_1",
            wrong: "1.01 * right",
        },
    ),
];

#[test]
fn a_wrong_sum_reddens_the_tensors() {
    for (form, fault) in WRONG_SUMS {
        let mut gpu = gpu().with_fault(fault);
        gpu.set_form(Some(form));
        let red = red_on(gpu, "erf");
        assert!(
            red.contains(&"n-point tensors") && !red.contains(&"network outputs"),
            "{form:?} {red:?}"
        );
    }
}

#[test]
fn a_wrong_weight_reddens_the_vertex_integrals() {
    let fault = Fault::Shader {
        stage: "quadrature",
        value: "weight",
        wrong: "right * right",
    };
    assert_eq!(red(fault, "relu"), ["vertex integrals"]);
}

#[test]
fn host_faults_redden_the_tensors_alone() {
    for fault in [
        Fault::LostBatch,
        Fault::CountedTwice,
        Fault::SinglePrecision,
    ] {
        let red = red(fault.clone(), "relu");
        assert!(red.contains(&"n-point tensors"), "{fault:?}: {red:?}");
        assert!(!red.contains(&"network outputs"), "{fault:?}: {red:?}");
    }
}

#[test]
fn a_lost_device_is_reported_with_what_was_finished() {
    let spec = EnsembleSpec {
        nets: 100_000,
        ..small("relu")
    };
    let mut engine = gpu().with_fault(Fault::DeviceLost).with_batch_blocks(16);
    let message = engine::run(&mut engine, &spec, &|_| {})
        .unwrap_err()
        .to_string();
    // Of 1024 networks each, 64 blocks less those in flight.
    let finished = message.split("; ").nth(1).unwrap_or_default();
    let networks: u64 = finished.split(' ').next().unwrap().parse().unwrap();
    assert!(message.contains("device lost"), "{message}");
    assert!(
        networks > 0 && networks <= 64 * 1024 && networks.is_multiple_of(16 * 1024),
        "{message}"
    );
}

#[test]
fn little_memory_and_small_limits_change_no_bit() {
    let spec = small("gauss");
    let total = |engine: &mut dyn Engine| engine::run(engine, &spec, &|_| {}).unwrap();
    let whole = total(&mut gpu());
    assert_eq!(
        whole,
        total(&mut gpu().with_fault(Fault::OutOfMemory(1 << 20)))
    );
    assert_eq!(whole, total(&mut gpu().with_largest_buffer(1 << 18)));
    let refused =
        |engine: &mut dyn Engine| engine::run(engine, &spec, &|_| {}).unwrap_err().to_string();
    assert!(refused(&mut gpu().with_fault(Fault::OutOfMemory(100))).contains("out of memory"));
    assert!(refused(&mut gpu().with_largest_buffer(100)).contains("use fewer points"));
}

#[test]
fn nothing_to_compare_is_said() {
    refused(
        &["compare-cpu", "--adapter", "no such"],
        &["no such adapter"],
    );
    // No driver at all.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
        .arg("compare-cpu")
        .env("VK_ICD_FILENAMES", "/nonexistent.json")
        .env("VK_DRIVER_FILES", "/nonexistent.json")
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("nothing to compare") && message.contains("mesa-vulkan-drivers"),
        "{message}"
    );
    assert!(run(&["compare-cpu", "--help"]).status.success());
}
