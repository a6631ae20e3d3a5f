//! `compare-cpu` passes on a good adapter and fails on every kind of bad one.

mod common;

use common::cli::{json, refused, run};
use common::gpu;
use nnqft_gpu::analysis::check_stages;
use nnqft_gpu::engine::gpu::{Fault, GpuEngine};
use nnqft_gpu::engine::{self, Engine, Form};
use nnqft_gpu::model::{Activation, CatalogueEntry, EnsembleSpec, Inputs, Law, Net};
use nnqft_gpu::stream::Words;

/// Three points: a driver compiles sums over six for ten times as long, which `compare-cpu` itself has.
fn small(arch: &str) -> EnsembleSpec {
    let preset = EnsembleSpec::preset(arch, 1).unwrap().with_width(21);
    let points = preset.inputs.points();
    EnsembleSpec {
        nets: 4096,
        experiments: 2,
        orders: vec![2, 4],
        inputs: Inputs::new(vec![
            points[0].clone(),
            points[2].clone(),
            points[5].clone(),
        ])
        .unwrap(),
        ..preset
    }
    .validate()
    .unwrap()
}

/// The stages that a fault turns red.
fn red(fault: Fault, arch: &str) -> Vec<&'static str> {
    red_on(gpu().with_fault(fault), arch)
}

fn red_on(mut gpu: GpuEngine, arch: &str) -> Vec<&'static str> {
    red_at(&mut gpu, small(arch))
}

fn red_at(gpu: &mut GpuEngine, spec: EnsembleSpec) -> Vec<&'static str> {
    let stages = check_stages(gpu, &[spec], false).unwrap();
    stages.iter().filter(|s| !s.pass).map(|s| s.stage).collect()
}

/// Every stage passes, and compares something.
fn passes(gpu: &mut GpuEngine, spec: EnsembleSpec, what: &str) {
    for stage in check_stages(gpu, &[spec], false).unwrap() {
        assert!(stage.pass, "{what}: {stage:?}");
        // Theory integrates kernels over three dimensions at most, where they exist.
        let is_compared = stage.compared > 0 || stage.stage == "vertex integrals";
        assert!(is_compared, "{what}: {stage:?}");
    }
}

const FORMS: [Form; 3] = [Form::Staged, Form::Fused, Form::Looped];

fn with_laws(mut spec: EnsembleSpec, law_w: [Law; 2], law_b: [Law; 2]) -> EnsembleSpec {
    let net = spec.net.with_law_w(law_w.to_vec()).unwrap();
    spec.net = net.with_law_b(law_b.to_vec()).unwrap();
    spec
}

#[test]
fn every_net_of_the_catalogue_passes() {
    let mut gpu = gpu();
    for entry in CatalogueEntry::all() {
        passes(&mut gpu, small(&entry.name), &entry.name);
    }
}

#[test]
fn every_law_passes_in_every_form() {
    use Law::{Gaussian, Laplace, Phase, Rademacher, Uniform};
    let mut gpu = gpu();
    for (arch, law_w, law_b) in [
        ("erf", [Laplace, Gaussian], [Rademacher, Gaussian]),
        ("tanh", [Uniform, Laplace], [Laplace, Uniform]),
        ("cos", [Gaussian, Rademacher], [Phase, Laplace]),
        ("gauss", [Gaussian, Uniform], [Gaussian, Phase]),
    ] {
        for form in FORMS {
            gpu.set_form(Some(form));
            let spec = with_laws(small(arch), law_w, law_b);
            passes(
                &mut gpu,
                spec,
                &format!("{arch} {law_w:?} {law_b:?} {form:?}"),
            );
        }
    }
}

/// An expression of operations picked by words, `depth` of them on top of each other.
fn expression(words: &mut impl Iterator<Item = u32>, depth: u32) -> String {
    let mut pick = |n: u32| words.next().unwrap() % n;
    let kind = pick(if depth == 0 { 3 } else { 18 });
    let constant = f64::from(pick(31)) / 8.0 - 1.8;
    let mut inner = || expression(words, depth.saturating_sub(1));
    match kind {
        0 | 1 => "z".into(),
        2 => format!("({constant})"),
        3 => format!("tanh({})", inner()),
        4 => format!("sin({})", inner()),
        5 => format!("cos({})", inner()),
        6 => format!("erf({})", inner()),
        7 => format!("sigmoid({})", inner()),
        8 => format!("abs({})", inner()),
        9 => format!("exp(-({})^2)", inner()),
        10 => format!("log1p(({})^2)", inner()),
        11 => format!("max({}, {constant})", inner()),
        12 => format!("sqrt(1+abs({}))", inner()),
        13 => format!("step({})", inner()),
        14 => format!("({})*({})", inner(), inner()),
        15 => format!("({})/(1+abs({}))", inner(), inner()),
        _ => format!("({})+({})", inner(), inner()),
    }
}

#[test]
fn random_expressions_pass() {
    let mut gpu = gpu();
    let mut words = vec![0; 1 << 16];
    Words::new(22, 0, 0).fill(&mut words);
    let mut words = words.into_iter();
    let mut tried = Vec::new();
    while tried.len() < 12 {
        let text = expression(&mut words, 4);
        let Ok(activation) = text.parse::<Activation>() else {
            continue;
        };
        if Net::new(activation.clone(), 1).builtin().is_some() || tried.contains(&activation) {
            continue;
        }
        tried.push(activation.clone());
        let net = Net::new(activation, 1).with_width(21);
        let spec = EnsembleSpec {
            net,
            ..small("erf")
        };
        gpu.set_form(Some(FORMS[tried.len() % 3]));
        passes(&mut gpu, spec, &text);
    }
}

#[test]
fn a_good_adapter_passes() {
    let document = json(&["compare-cpu", "--json"]);
    assert_eq!(document["pass"], true);
    let stages = document["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 11);
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
fn a_truncated_logarithm_reddens_the_variates() {
    let fault = Fault::Shader {
        stage: "draws",
        value: "sum",
        wrong: "1.333335528 * t + 4.0",
    };
    let red = red(fault, "relu");
    assert!(
        red.contains(&"variates") && !red.contains(&"words"),
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
        red.contains(&"hidden values") && !red.contains(&"variates"),
        "{red:?}"
    );
}

#[test]
fn a_wrong_series_of_a_tape_reddens_the_hidden_values() {
    // e^r - 1 of tanh is off by at most 6e-5.
    for (form, stage) in [(Form::Staged, "sample"), (Form::Looped, "hidden")] {
        let fault = Fault::Shader {
            stage,
            value: "q",
            wrong: "1.001 * right",
        };
        let mut gpu = gpu().with_fault(fault);
        gpu.set_form(Some(form));
        let red = red_at(&mut gpu, small("tanh"));
        assert!(
            red.contains(&"hidden values") && !red.contains(&"variates"),
            "{form:?} {red:?}"
        );
    }
}

#[test]
fn a_wrong_series_of_a_tape_reddens_the_tensors_of_the_fused_form() {
    let fault = Fault::Shader {
        stage: "ensemble",
        value: "q",
        wrong: "1.01 * right",
    };
    let mut gpu = gpu().with_fault(fault);
    gpu.set_form(Some(Form::Fused));
    let red = red_at(&mut gpu, small("tanh"));
    assert!(
        red.contains(&"n-point tensors") && !red.contains(&"network outputs"),
        "{red:?}"
    );
}

#[test]
fn a_wrong_law_reddens_what_it_is_the_law_of() {
    use Law::{Gaussian, Laplace};
    let fault = |stage| Fault::Shader {
        stage,
        value: "size",
        wrong: "1.00001 * right",
    };
    let at = |law_w, stage| {
        let spec = with_laws(small("tanh"), law_w, [Gaussian; 2]);
        red_at(&mut gpu().with_fault(fault(stage)), spec)
    };
    let red = at([Laplace, Gaussian], "draws");
    assert_eq!(red, ["variates"]);
    let red = at([Laplace, Gaussian], "sample");
    assert!(
        red.contains(&"hidden values") && !red.contains(&"variates"),
        "{red:?}"
    );
    let fault = Fault::Shader {
        stage: "sample",
        value: "v_0",
        wrong: "Variates(right.a, right.c, right.b, right.d)",
    };
    let spec = with_laws(small("tanh"), [Gaussian, Laplace], [Gaussian; 2]);
    let red = red_at(&mut gpu().with_fault(fault), spec);
    assert!(
        red.contains(&"network outputs") && !red.contains(&"hidden values"),
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
fn a_device_that_works_again_draws_the_rest() {
    let spec = EnsembleSpec {
        nets: 100_000,
        ..small("relu")
    };
    let total = |engine: &mut dyn Engine| engine::run(engine, &spec, &|_| {}).unwrap();
    let mut engine = gpu()
        .with_fault(Fault::DeviceLostOnce)
        .with_batch_blocks(16);
    let again = total(&mut engine);
    assert_eq!(again.networks(), spec.networks());
    assert_eq!(again, total(&mut gpu()));
    // It is the same engine, and has other work.
    assert_eq!(again, total(&mut engine));
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
fn a_net_of_its_own_is_compared() {
    let document = json(&[
        "compare-cpu",
        "--json",
        "--activation",
        "z*exp(-z^2)",
        "--sigma-w",
        "1.2,0.8",
        "--law-w",
        "gaussian,rademacher",
    ]);
    assert_eq!(document["pass"], true, "{document}");
    assert_eq!(document["spec"]["arch"], serde_json::Value::Null);
    assert_eq!(document["spec"]["sigma_w"], serde_json::json!([1.2, 0.8]));
    assert_eq!(
        document["spec"]["law_w"],
        serde_json::json!(["gaussian", "rademacher"])
    );
    let at = document["stages"][2]["at"].as_str().unwrap();
    assert!(
        at.starts_with("z*exp(-z^2) gaussian/gaussian rademacher/gaussian"),
        "{at}"
    );
    assert_eq!(document["fits"].as_array().unwrap().len(), 3);
    refused(&["compare-cpu", "--activation", "z+"], &["z+"]);
    refused(&["compare-cpu", "--arch", "tan"], &["tanh"]);
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
