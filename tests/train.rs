//! Trained networks, against infinite width, other people's numbers, and identities.

mod common;

use std::process::Command;

use common::cli::{json, numbers, refused, run};
use nalgebra::{DMatrix, DVector};
use nnqft_gpu::analysis::trained::{TrainedStep, fits};
use nnqft_gpu::engine::Stages;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::model::{EnsembleSpec, Inputs, Learning, TrainSpec, TrainingData};
use nnqft_gpu::run::{Runner, TrainDocument, train};
use nnqft_gpu::theory::Tangent;
use serde_json::Value;

/// The training whose numbers were computed independently: tanh, rate 0.1, three data points.
fn spec(width: u64, nets: u64, steps: &[u64]) -> TrainSpec {
    let ensemble = EnsembleSpec {
        nets,
        experiments: 1,
        ..EnsembleSpec::preset("tanh", 1).unwrap()
    };
    let ensemble = (ensemble.with_inputs(Inputs::parse("-0.4;0.5;1.5").unwrap()))
        .with_sigma_w(1.5)
        .with_sigma_b(0.5)
        .with_width(width);
    let data = TrainingData::parse("-1=0.5;0.2=-0.3;0.8=1").unwrap();
    let mut spec = TrainSpec::new(ensemble, data, steps.to_vec());
    spec.rate = Some(0.1);
    spec
}

fn trained(sweep: &[TrainSpec]) -> TrainDocument {
    train(&mut Runner::new(Box::new(CpuEngine::new())), sweep, false).unwrap()
}

/// Measured values agree with others that have errors of their own, to 4.5 of both.
fn agree(step: &TrainedStep, mean: [f64; 6], errors: [f64; 6]) {
    for p in 0..6 {
        let pull = (step.mean[p] - mean[p]) / errors[p].hypot(step.std_err[p]);
        assert!(pull.abs() < 4.5, "{p}: {} {} {pull}", step.mean[p], mean[p]);
        assert!((0.5..2.0).contains(&(step.std_err[p] / errors[p])), "{p}");
    }
}

#[test]
fn infinite_width_has_its_known_values() {
    let all = [
        [
            0.46166353,
            -0.19151653,
            0.91790987,
            0.03316864,
            0.38081354,
            1.41110674,
        ],
        [
            7.888696e-5,
            6.316962e-4,
            3.617120e-4,
            5.091611e-2,
            4.147760e-3,
            4.759788e-2,
        ],
    ];
    let readout = [
        [
            0.3274007, 0.15163923, 0.6403461, 0.19163385, 0.42379778, 0.83184553,
        ],
        [
            1.502828e-3,
            1.029002e-2,
            6.525321e-3,
            4.621808e-2,
            3.757785e-3,
            6.944258e-2,
        ],
    ];
    for (learning, [mean, variance]) in [(Learning::All, all), (Learning::Readout, readout)] {
        let mut spec = spec(5, 600, &[100]);
        spec.train = learning;
        let document = trained(&[spec]);
        let step = &document.widths[0].steps[0];
        let known = [&step.infinite_mean, &step.infinite_variance].map(|x| x.as_ref().unwrap());
        for p in 0..6 {
            assert!(
                (known[0][p] - mean[p]).abs() < 1e-7,
                "{} {}",
                known[0][p],
                mean[p]
            );
            assert!(
                (known[1][p] - variance[p]).abs() < 1e-7,
                "{} {}",
                known[1][p],
                variance[p]
            );
        }
    }
}

#[test]
fn networks_of_finite_width_learn_what_others_have_measured() {
    let sweep = [spec(20, 20_000, &[0, 100]), spec(100, 10_000, &[0, 100])];
    let document = trained(&sweep);
    let after = |w: usize| &document.widths[w].steps[1];
    agree(
        after(0),
        [0.43853, -0.13976, 0.87237, 0.0870, 0.40357, 1.2510],
        [0.00022, 0.00059, 0.00046, 0.0015, 0.00038, 0.0014],
    );
    agree(
        after(1),
        [0.45364, -0.17387, 0.90200, 0.0558, 0.38908, 1.3585],
        [0.00017, 0.00045, 0.00036, 0.0022, 0.00061, 0.0021],
    );
    // The exact identities, and what follows from them.
    assert_eq!(document.checks.len(), 8);
    for check in &document.checks {
        assert!(
            check.pass,
            "{} at {}: {}",
            check.name, check.width, check.test.p_value
        );
    }
    let fit = document
        .fits
        .iter()
        .find(|f| f.step == 100 && f.of == "mean")
        .unwrap();
    let slope = fit.slope.unwrap();
    // 1/N, and 1/N^2 that is still seen at N = 20.
    assert!((-1.0..-0.55).contains(&slope), "{slope}");
    let untrained = document
        .fits
        .iter()
        .find(|f| f.step == 0 && f.of == "mean")
        .unwrap();
    assert!(
        untrained.widths_used.is_empty(),
        "{:?}",
        untrained.deviation
    );
    // Training lowers the loss and makes the 4-point function.
    for width in &document.widths {
        assert!(width.steps[1].loss < 0.1 * width.steps[0].loss);
    }
}

#[test]
fn deviations_of_wide_networks_fall_like_their_inverse_width() {
    let widths: Vec<TrainSpec> = [60, 240].map(|n| spec(n, 12_000, &[50])).into();
    let document = trained(&widths);
    assert_eq!(fits(&document.widths).len(), 3);
    for of in ["mean", "variance"] {
        let fit = document.fits.iter().find(|f| f.of == of).unwrap();
        let (slope, error) = (fit.last_slope.unwrap(), fit.last_std_err.unwrap());
        assert!(
            (slope + 1.0).abs() < 0.15 + 3.0 * error && error < 0.2,
            "{of}: {slope} {error}"
        );
    }
}

#[test]
fn elements_are_made_of_means_variances_and_kurtosis() {
    let mut all = spec(6, 3000, &[0, 10]);
    all.ensemble.orders = vec![1, 2, 3, 4];
    let document = trained(&[all]);
    for step in &document.widths[0].steps {
        let orders: Vec<usize> = step.correlators.iter().map(|c| c.order).collect();
        assert_eq!(orders, [1, 2, 3, 4]);
        for c in &step.correlators {
            let at = |index: &[usize]| c.indices.iter().position(|i| i[..] == *index).unwrap();
            for p in 0..6 {
                let (m, v, k) = (step.mean[p], step.variance[p], step.kurtosis[p].unwrap());
                // The third cumulant has no list of its own.
                let third = &step.correlators[2];
                let third_at = third.indices.iter().position(|i| i[..] == [p; 3]).unwrap();
                let t = third.connected[third_at];
                let e = at(&vec![p; c.order]);
                let (full, connected) = match c.order {
                    1 => (m, m),
                    2 => (v + m * m, v),
                    3 => (m.powi(3) + 3.0 * m * v + t, t),
                    _ => {
                        let fourth = 4.0 * m * t + (3.0 + k) * v * v;
                        (m.powi(4) + 6.0 * m * m * v + fourth, k * v * v)
                    }
                };
                let size = (v + m * m).powf(0.5 * c.order as f64);
                assert!((c.mean[e] - full).abs() < 1e-9 * size, "{} {p}", c.order);
                assert!(
                    (c.connected[e] - connected).abs() < 1e-9 * size,
                    "{} {p}",
                    c.order
                );
                let known = (
                    step.infinite_mean.as_ref().unwrap()[p],
                    step.infinite_variance.as_ref().unwrap()[p],
                );
                let infinite = match c.order {
                    1 => known.0,
                    2 => known.1 + known.0.powi(2),
                    3 => known.0.powi(3) + 3.0 * known.0 * known.1,
                    _ => known.0.powi(4) + 6.0 * known.0.powi(2) * known.1 + 3.0 * known.1.powi(2),
                };
                let got = c.infinite.as_ref().unwrap()[e];
                assert!(
                    (got - infinite).abs() < 1e-10 * infinite.abs().max(1.0),
                    "{} {p}",
                    c.order
                );
            }
        }
    }
}

#[test]
fn a_readout_given_its_hidden_layer_is_the_linear_model_of_its_covariance() {
    const NETS: usize = 2048;
    let mut spec = spec(10, NETS as u64, &[30]);
    spec.train = Learning::Readout;
    let document = trained(&[spec.clone()]);
    let step = &document.widths[0].steps[0];
    // The same hidden layers, block after block.
    let untrained = spec.untrained().unwrap();
    let blocks = nnqft_gpu::engine::BlockPlan::new(&untrained);
    let engine = CpuEngine::new();
    let (mut means, mut seconds) = (vec![0.0; 6], vec![0.0; 6]);
    let y = DVector::from_vec(vec![0.5, -0.3, 1.0]);
    for block in 0..blocks.blocks() {
        for hidden in engine.hidden_values(&untrained, block, NETS).unwrap() {
            let sum = |p: usize, q: usize| hidden.iter().map(|h| h[p] * h[q]).sum::<f64>();
            let c = DMatrix::from_fn(6, 6, |p, q| 0.25 + 2.25 / 10.0 * sum(p, q));
            // f -> f - eta C(., X) (f(X) - y), step by step: a mean, and a linear map of what was drawn.
            let (mut map, mut mean) = (DMatrix::<f64>::identity(6, 6), DVector::<f64>::zeros(6));
            for _ in 0..30 {
                let push = 0.1 * c.columns(0, 3);
                mean -= &push * (mean.rows(0, 3) - &y);
                let change = &push * map.rows(0, 3);
                map -= change;
            }
            let covariance = &map * &c * map.transpose();
            for p in 0..6 {
                means[p] += mean[p] / NETS as f64;
                seconds[p] += (mean[p].powi(2) + covariance[(p, p)]) / NETS as f64;
            }
        }
    }
    for p in 0..6 {
        let pull = (step.mean[p] - means[p]) / step.std_err[p];
        assert!(pull.abs() < 4.0, "mean at {p}: {pull}");
        let variance = seconds[p] - means[p].powi(2);
        let pull = (step.variance[p] - variance) / step.variance_std_err[p];
        assert!(pull.abs() < 4.0, "variance at {p}: {pull}");
    }
}

#[test]
fn laws_kinks_and_several_outputs_pass_their_checks() {
    for arguments in [
        "--arch relu --width 9 --data 0.5,1=1,0;-1,0.3=0.2,-0.5;1,1=0,1 --inputs 0.2,0.2 --d-out 2",
        "--arch leaky-relu --sigma-b 0.3 --rate 0.3 --width 16 --data 1=2;-1=0.1 --inputs 0.5;3 --train readout",
        "--arch erf --rate 0.1 --width 7 --law-w uniform,rademacher --law-b laplace --data 1=2;-1=0.1 --inputs 0.5",
        "--arch cos --rate 0.2 --width 20 --data 0.3=1 --inputs 0.1;2",
        "--arch linear --rate 0.05 --width 5 --data 1=2 --inputs -1",
        "--arch gauss --sigma-b 0.3 --rate 0.1 --width 30 --data 0.01=1.5 --inputs 0.02",
        "--activation step(z) --rate 0.2 --width 12 --data 1=2;-1=0 --inputs 0.5",
    ] {
        let all: Vec<&str> = [
            "train", "--nets", "2000", "--steps", "0,5,40", "--json", "-q",
        ]
        .into_iter()
        .chain(arguments.split(' '))
        .collect();
        let document = json(&all);
        let checks = document["checks"].as_array().unwrap();
        assert!(checks.len() == 4, "{arguments}: {checks:?}");
        assert!(
            checks.iter().all(|c| c["pass"] == true),
            "{arguments}: {checks:?}"
        );
        let steps = document["widths"][0]["steps"].as_array().unwrap();
        let loss = |k: usize| steps[k]["loss"].as_f64().unwrap();
        assert!(loss(2) < loss(1) && loss(1) < loss(0), "{arguments}");
    }
}

#[test]
fn a_check_that_does_not_hold_is_seen() {
    use nnqft_gpu::analysis::trained::{opposite, untrained, zero};
    use nnqft_gpu::engine::{Engine, TrainQueue};
    use nnqft_gpu::plan::TrainPlan;
    use std::sync::atomic::AtomicBool;

    let stop = AtomicBool::new(false);
    let plan = |spec: TrainSpec| TrainPlan::new(spec).unwrap();
    let draw = |plan: &TrainPlan| {
        let queue = TrainQueue::new(&plan.spec().ensemble, plan.stops().len(), &|_| {}, &stop);
        CpuEngine::new().train(plan, &queue, &|| false).unwrap();
        queue.into_training().0
    };
    let right = plan(spec(10, 2048, &[20]));
    let training = draw(&right);
    // Other networks, and those that learn something.
    let mut other = spec(10, 2048, &[20]);
    other.ensemble = other.ensemble.with_sigma_w(1.2);
    let other = plan(other);
    assert!(!untrained(&other, &training).unwrap().unwrap().pass);
    assert!(untrained(&right, &training).unwrap().unwrap().pass);
    assert!(
        !opposite(&right, &training, &training)
            .unwrap()
            .unwrap()
            .pass
    );
    let mut zeros = spec(10, 2048, &[20]);
    zeros.data = zeros.data.with_targets(|y| vec![0.0; y.len()]);
    let learns_zero = plan(zeros);
    assert!(!zero(&learns_zero, &training).unwrap().unwrap().pass);
    assert!(
        zero(&learns_zero, &draw(&learns_zero))
            .unwrap()
            .unwrap()
            .pass
    );
}

const SMALL: [&str; 9] = [
    "train",
    "--arch",
    "tanh",
    "--width",
    "8",
    "--nets",
    "600",
    "--data",
    "-1=0.5;0.2=-0.3",
];

#[test]
fn threads_do_not_change_a_bit() {
    let of = |threads: &str| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
            .args(SMALL)
            .args(["--steps", "0,9", "--json", "-q"])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in ["timing", "device"] {
            document.as_object_mut().unwrap().remove(key);
        }
        document
    };
    assert_eq!(of("1"), of("3"));
}

#[test]
fn a_rate_that_is_too_large_is_told_with_the_largest_stable_one() {
    let spec = spec(8, 600, &[400]);
    let stable = Tangent::new(&spec).unwrap().largest_stable_rate();
    let wrong = [
        &SMALL[..],
        &["--rate", "3", "--steps", "400", "--sigma-w", "1.5"],
    ]
    .concat();
    let shown = nnqft_gpu::model::short(stable);
    assert!(shown.len() > 3);
    refused(
        &wrong,
        &[
            "--rate 3: ",
            "have diverged after 400 steps",
            "largest stable rate",
            "--allow-diverged",
        ],
    );
    let allowed = [&wrong[..], &["--allow-diverged", "--json", "-q"]].concat();
    let output = run(&allowed);
    let text = String::from_utf8(output.stdout).unwrap();
    // All of them may be gone: then there is no result, and never one with NaN in it.
    match output.status.code() {
        Some(0) => {
            let document: Value = serde_json::from_str(&text).unwrap();
            assert!(
                document["widths"][0]["steps"][0]["diverged"]
                    .as_u64()
                    .unwrap()
                    > 0
            );
        }
        code => {
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(
                code == Some(2) && message.contains("all 600 networks of width 8 have diverged"),
                "{message}"
            );
        }
    }
    assert!(!text.contains("NaN"));
}

#[test]
fn some_that_diverge_are_left_out_of_averages_that_allow_it() {
    // Linear networks of width 2 differ much in their curvature, and have no kink to fall silent at.
    let arguments = "train --arch linear --sigma-w 1 --sigma-b 0 --width 2 --nets 2000 --data 1=1 --inputs 0.5 --rate 0.7 --steps 0,200";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    refused(&arguments, &["of 2000 networks of width 2 have diverged"]);
    let document = json(&[&arguments[..], &["--allow-diverged", "--json", "-q"]].concat());
    let steps = document["widths"][0]["steps"].as_array().unwrap();
    let counts = |k: usize| ["networks", "diverged"].map(|key| steps[k][key].as_u64().unwrap());
    assert_eq!(counts(0), [2000, 0]);
    let [kept, diverged] = counts(1);
    assert!(
        kept + diverged == 2000 && diverged > 0 && kept > 1000,
        "{kept} {diverged}"
    );
    assert!(numbers(&steps[1]["mean"]).iter().all(|f| f.abs() < 1e3));
}

#[test]
fn points_that_repeat_are_noted() {
    let arguments = [
        &SMALL[..7],
        &["--data", "0.5=1;0.5=3;-1=0", "--steps", "10"],
    ]
    .concat();
    let output = run(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("data points 1, 2 are one point: networks learn the mean"),
        "{text}"
    );
    assert!(
        text.contains("the tangent kernel at the data is singular"),
        "{text}"
    );
}

#[test]
fn mistakes_are_told_in_a_sentence() {
    let with = |more: &[&str], parts: &[&str]| refused(&[&SMALL[..], more].concat(), parts);
    with(&["--backend", "cpu", "--adapter", "x"], &["--adapter 'x'"]);
    with(&["--depth", "2"], &["--depth 2", "one hidden layer"]);
    with(
        &[
            "--depth",
            "1,2",
            "--train",
            "readout",
            "--estimator",
            "connected",
        ],
        &["--depth 2", "one number of hidden layers"],
    );
    with(&["--rate", "0"], &["--rate 0", "above 0"]);
    with(&["--rate", "-1"], &["--rate -1", "above 0"]);
    with(&["--rate", "fast"], &["--rate 'fast'", "not a number"]);
    with(&["--steps", "-1"], &["--steps -1"]);
    with(&["--orders", "6"], &["--orders 6", "1 to 4"]);
    with(&["--d-out", "2"], &["--d-out 2", "--data"]);
    with(&["--inputs", "1,2"], &["--data with 1 coordinates"]);
    with(
        &["--estimator", "connected"],
        &["--estimator connected", "--train readout"],
    );
    let readout = ["--train", "readout", "--estimator", "connected"];
    with(
        &[&readout[..], &["--law-w", "gaussian,laplace"]].concat(),
        &["--estimator connected", "gaussian"],
    );
    with(&["--tilt", "auto"], &["--tilt auto"]);
    with(
        &["--activation", "sqrt(abs(z))"],
        &["--activation", "derivative"],
    );
    let few = ["train", "--nets", "20", "--data", "1=1"];
    refused(&few, &["--nets 20", "512 networks"]);
    refused(
        &["train", "--data", "1;2"],
        &["--data '1;2'", "point 1 has no target"],
    );
    refused(&["train", "--data", "missing.csv"], &["missing.csv"]);
}

#[test]
fn data_of_a_file_are_those_of_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.csv");
    std::fs::write(&path, "x,y\n-1,0.5\n0.2,-0.3\n").unwrap();
    let mut arguments = SMALL.to_vec();
    let means = |arguments: &[&str]| {
        let document = json(&[arguments, &["--steps", "5", "--json", "-q"]].concat());
        numbers(&document["widths"][0]["steps"][0]["mean"])
    };
    let typed = means(&arguments);
    arguments[8] = path.to_str().unwrap();
    assert_eq!(means(&arguments), typed);
}

#[test]
fn a_document_is_read_as_it_was_written() {
    let document = trained(&[spec(4, 600, &[0, 2])]);
    let text = serde_json::to_string(&document).unwrap();
    assert!(text.starts_with(r#"{"schema":"nnqft.train/2","#), "{text}");
    let again: TrainDocument = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    assert_eq!(again.head.spec, document.head.spec);
}

#[test]
fn where_rare_networks_carry_averages_it_is_said_and_the_check_left_out() {
    let document = json(&[
        "train", "--arch", "gauss", "--data", "1=1", "--inputs", "0.1", "--width", "5", "--steps",
        "0", "--nets", "600", "--rate", "0.01", "--json",
    ]);
    let names: Vec<&str> = (document["checks"].as_array().unwrap().iter())
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert!(
        !names.contains(&"untrained") && names.contains(&"opposite"),
        "{names:?}"
    );
    let notes = document["notes"].to_string();
    assert!(notes.contains("grows exponentially"), "{notes}");
}
