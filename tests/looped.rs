//! Shaders that loop over buffers draw the same networks and measure the same tensors as the
//! straight-line ones and the CPU engine, and neither their text nor their compilation grows.

mod common;

use std::time::{Duration, Instant};

use common::gpu;
use nnqft_gpu::analysis::check_stages;
use nnqft_gpu::engine::cpu::{CpuEngine, draw_networks};
use nnqft_gpu::engine::gpu::{Fault, GpuEngine};
use nnqft_gpu::engine::{self, BlockPlan, Engine, Form};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::tensor::Accumulator;
use nnqft_gpu::theory;

fn looped() -> GpuEngine {
    let mut gpu = gpu();
    gpu.set_form(Some(Form::Looped));
    gpu
}

/// Points that are no progression.
fn spec(arch: &str, points: usize, d_in: usize, width: u64) -> EnsembleSpec {
    let coordinate =
        |p: usize, c: usize| ((7 * p + 3 * p * p + 5 * c + 1) % 19) as f64 / 19.0 - 0.4;
    let inputs = (0..points)
        .map(|p| (0..d_in).map(|c| coordinate(p, c)).collect())
        .collect();
    EnsembleSpec {
        inputs: Inputs::new(inputs).unwrap(),
        nets: 601,
        experiments: 2,
        orders: vec![2],
        seed: 0xfeed_0000_0000_0007,
        ..EnsembleSpec::preset(arch, 1)
            .unwrap()
            .with_width(width)
            .with_d_in(d_in)
            .with_sigma_w(1.3)
            .with_sigma_b(0.6)
    }
}

/// Outputs, covariance, covariance of a tilted network.
fn variants(spec: EnsembleSpec) -> [EnsembleSpec; 3] {
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        ..spec.clone()
    };
    let tilt = theory::tilt(
        &spec
            .clone()
            .with_net_named("gauss")
            .unwrap()
            .with_sigma_w(4.0),
    );
    assert!(tilt.is_some());
    let tilted = EnsembleSpec {
        tilt,
        ..connected.clone()
    };
    [spec, connected, tilted]
}

/// Every network of a block on both engines, to roundings as in tests/engines.rs.
fn same_networks(gpu: &GpuEngine, spec: &EnsembleSpec, number: u64, count: usize) {
    let block = BlockPlan::new(spec).block(number);
    let got = gpu.draw_networks(spec, number).unwrap();
    assert_eq!(got.len(), block.networks as usize);
    let count = count.min(got.len());
    let want = draw_networks(spec, block.experiment, block.first, count);
    let name = format!(
        "{} {} {} points x {} width {}",
        spec.net,
        spec.estimator,
        spec.inputs.len(),
        spec.net.d_in(),
        spec.net.width()
    );
    for (n, (got, want)) in got.iter().zip(&want).enumerate() {
        let (unit, tolerance) = match spec.estimator == Estimator::Direct {
            true => (1.4, 1e-5),
            false => (1.7 / (spec.net.width() as f64).sqrt(), 4e-5),
        };
        let size = want.field.iter().fold(unit, |a: f64, f| a.max(f.abs()));
        assert_eq!(got.field.len(), want.field.len());
        for (f, (got, want)) in got.field.iter().zip(&want.field).enumerate() {
            assert!(
                (got - want).abs() < tolerance * size,
                "{name} network {n} field {f}: {got} {want}"
            );
        }
        let weights = (got.weight, want.weight);
        assert!(
            (weights.0 / weights.1 - 1.0).abs() < 1e-4,
            "{name} {weights:?}"
        );
        assert_eq!(want.weight == 1.0, spec.tilt.is_none());
    }
}

#[test]
fn every_network_is_that_of_the_cpu_engine() {
    let gpu = looped();
    let mut specs = Vec::new();
    let [_, _, tilted] = variants(spec("relu", 3, 30, 16));
    let [direct, connected, _] = variants(spec("gauss", 9, 2, 1));
    specs.extend([tilted, direct, connected]);
    specs.extend(variants(spec("erf", 19, 5, 37)));
    // Several tiles of outputs; neither bias nor remainder; blocks of fewer than 16 networks.
    specs.push(spec("erf", 5, 4, 20).with_d_out(11));
    specs.push(spec("gauss", 17, 3, 32).with_d_out(2).with_sigma_b(0.0));
    specs.push(EnsembleSpec {
        nets: 7,
        experiments: 40,
        ..spec("relu", 4, 3, 21)
    });
    for spec in specs {
        let blocks = BlockPlan::new(&spec).blocks();
        for number in [0, blocks / 2 + 1, blocks - 1] {
            same_networks(&gpu, &spec, number.min(blocks - 1), usize::MAX);
        }
    }
}

#[test]
fn wide_networks_are_drawn_chunk_after_chunk() {
    let gpu = looped();
    let [direct, _, tilted] = variants(spec("erf", 3, 2, 9001));
    for spec in [direct, tilted] {
        same_networks(&gpu, &spec, 1, 4);
    }
}

fn run(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Accumulator {
    engine::run(engine, spec, &|_| {}).unwrap()
}

/// The same tensors to roundings that are invisible beside the statistical error, and the same
/// heaviest networks.
fn same_tensors(got: &Accumulator, want: &Accumulator, what: &str) {
    let (g, w) = (got.total().unwrap(), want.total().unwrap());
    assert_eq!(g.mean.len(), w.mean.len());
    for (e, error) in w.std_err().unwrap().iter().enumerate() {
        let difference = (g.mean[e] - w.mean[e]).abs();
        assert!(difference <= 1e-3 * error, "{what}, element {e}");
    }
    let heaviest = |run: &Accumulator| -> Vec<_> {
        let all = run.extremes().iter();
        all.map(|x| (x.experiment, x.network)).take(3).collect()
    };
    assert_eq!(heaviest(got), heaviest(want), "{what}");
    for (g, w) in got.extremes().iter().zip(want.extremes()).take(3) {
        assert!((g.score / w.score - 1.0).abs() < 1e-4, "{what}");
        for (a, b) in g.field.iter().zip(&w.field) {
            assert!((a - b).abs() < 1e-4 * w.score.sqrt(), "{what}");
        }
    }
}

#[test]
fn looped_straight_and_cpu_measure_the_same() {
    let mut specs = Vec::new();
    for (k, spec) in variants(spec("gauss", 4, 2, 21)).into_iter().enumerate() {
        let orders = if k == 0 {
            vec![1, 2, 3, 4, 5, 6]
        } else {
            vec![2, 4, 6]
        };
        specs.push(EnsembleSpec { orders, ..spec });
    }
    specs.push(EnsembleSpec {
        orders: vec![1, 2, 4],
        ..spec("relu", 3, 3, 16).with_d_out(2)
    });
    for spec in specs {
        let spec = spec.validate().unwrap();
        let what = format!("{} {} {:?}", spec.net, spec.estimator, spec.tilt.is_some());
        let got = run(&mut looped(), &spec);
        same_tensors(&got, &run(&mut CpuEngine::new(), &spec), &what);
        let mut straight = gpu();
        straight.set_form(Some(Form::Staged));
        same_tensors(&got, &run(&mut straight, &spec), &what);
    }
}

#[test]
fn no_batch_and_no_memory_changes_a_bit() {
    let [direct, _, tilted] = variants(spec("gauss", 6, 2, 37));
    let few = EnsembleSpec {
        nets: 7,
        experiments: 40,
        ..direct.clone()
    };
    // Several passes a block, in pieces of networks and chunks of units.
    let deep = EnsembleSpec {
        nets: 2050,
        experiments: 1,
        ..direct
    };
    for spec in [few, deep, tilted] {
        // One engine, which compiles once.
        let mut gpu = looped();
        let whole = run(&mut gpu, &spec);
        gpu = gpu.with_batch_blocks(3);
        assert_eq!(whole, run(&mut gpu, &spec));
        gpu = gpu.with_largest_buffer(64 << 10);
        assert_eq!(whole, run(&mut gpu, &spec));
    }
}

/// What a spec of the size compiles: `points` points of `d_in` inputs.
fn large(estimator: Estimator, points: usize, d_in: usize) -> EnsembleSpec {
    EnsembleSpec {
        estimator,
        nets: 96,
        ..spec("erf", points, d_in, 100)
    }
}

#[test]
fn shaders_do_not_grow_with_the_spec() {
    let gpu = gpu();
    for estimator in [Estimator::Direct, Estimator::Connected] {
        let lengths =
            |points, d_in| gpu.shader_lengths(&Plan::new(large(estimator, points, d_in)).unwrap());
        let all = lengths(200, 64);
        assert!(
            all.len() <= 12 && all.iter().all(|l| *l < 60_000),
            "{all:?}"
        );
        let sum = |lengths: Vec<usize>| lengths.into_iter().sum::<usize>();
        // Whatever the shape; at most a few straight-line shaders of a bounded size.
        for (points, d_in) in [(1, 784), (6, 100), (10, 10), (12, 3), (30, 30), (1000, 1)] {
            assert!(sum(lengths(points, d_in)) < 400_000, "{points} x {d_in}");
        }
    }
    // Elements count as well.
    let many = EnsembleSpec {
        orders: vec![6],
        ..spec("erf", 13, 1, 3)
    };
    assert!(many.elements() > 18_000);
    assert!(
        gpu.shader_lengths(&Plan::new(many.clone()).unwrap())
            .iter()
            .sum::<usize>()
            < 400_000
    );
}

#[test]
fn many_points_of_many_inputs_are_those_of_the_cpu_engine() {
    let mut gpu = gpu();
    for estimator in [Estimator::Direct, Estimator::Connected] {
        let spec = large(estimator, 199, 64).validate().unwrap();
        let got = run(&mut gpu, &spec);
        same_tensors(&got, &run(&mut CpuEngine::new(), &spec), "199 x 64");
    }
}

#[test]
fn every_stage_agrees() {
    let spec = spec("erf", 5, 3, 37).validate().unwrap();
    let stages = check_stages(&mut looped(), &[spec], false).unwrap();
    for stage in stages {
        assert!(stage.pass, "{stage:?}");
    }
}

#[test]
fn a_wrong_stage_is_noticed() {
    for (stage, value, wrong, red) in [
        // The pre-activation of one point, and the centre of one pair.
        ("hidden", "z_01b", "1.001 * right", "hidden values"),
        ("fields", "centre_01", "1.001 * right", "covariance D"),
    ] {
        let spec = spec("erf", 5, 3, 21).validate().unwrap();
        let mut gpu = gpu().with_fault(Fault::Shader {
            stage,
            value,
            wrong,
        });
        gpu.set_form(Some(Form::Looped));
        let stages = check_stages(&mut gpu, &[spec], false).unwrap();
        assert!(stages.iter().any(|s| s.stage == red && !s.pass), "{red}");
    }
}

#[test]
fn a_compilation_that_is_not_wanted_is_left_alone() {
    let spec = large(Estimator::Direct, 150, 10).validate().unwrap();
    let mut gpu = gpu();
    let start = Instant::now();
    gpu.prepare(&Plan::new(spec.clone()).unwrap(), &|| true)
        .unwrap();
    assert!(start.elapsed() < Duration::from_secs(2));
    // The engine is as good as before.
    assert_eq!(run(&mut gpu, &spec).networks(), 192);
}

#[test]
#[cfg(unix)]
fn a_signal_while_compiling_saves_and_ends_at_once() {
    use common::cli::run;
    use std::process::{Command, Stdio};

    let dir = tempfile::tempdir().unwrap();
    let (points, state) = (dir.path().join("points.csv"), dir.path().join("run.state"));
    let spec = large(Estimator::Direct, 199, 64);
    let rows = spec.inputs.points().iter().map(|x| {
        let row: Vec<String> = x.iter().map(f64::to_string).collect();
        row.join(",") + "\n"
    });
    std::fs::write(&points, rows.collect::<String>()).unwrap();
    let inputs = format!("@{}", points.display());
    let state = state.to_str().unwrap();
    #[rustfmt::skip]
    let arguments = [
        "ensemble", "--backend", "gpu", "--arch", "erf", "--inputs", &inputs, "--d-in", "64",
        "--orders", "2", "--nets", "64", "--checkpoint", state,
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The state is saved before anything is compiled.
    while !std::fs::metadata(state).is_ok_and(|file| file.len() > 0) {
        assert_eq!(child.try_wait().unwrap(), None);
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(100));
    let signalled = Instant::now();
    let kill = format!("kill -INT {}", child.id());
    assert!(
        Command::new("bash")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    // Two seconds, and as much again for a busy machine.
    assert!(signalled.elapsed() < Duration::from_secs(4));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("0 of 640 networks are in"), "{message}");

    let output = run(&["ensemble", "--resume", state, "--json"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seconds = |key: &str| document["timing"][key].as_f64().unwrap();
    // The rate is that of sampling alone.
    assert!(seconds("compile_s") > 0.1);
    let rate = 640.0 / seconds("wall_s");
    assert!((seconds("networks_per_s") / rate - 1.0).abs() < 1e-6);
}
