//! Networks of several hidden layers are the same on the GPU engine and on the f64 engine.

mod common;

use common::gpu;
use nnqft_gpu::analysis::check_stages;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::{Fault, GpuEngine};
use nnqft_gpu::engine::{self, Engine, Form, Stages};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, Law};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::stream::InnerLayout;
use nnqft_gpu::tensor::Accumulator;

/// A net at points of two inputs that are no progression.
fn spec(arch: &str, hidden: &[u64], points: usize) -> EnsembleSpec {
    let coordinate = |p: usize, c: usize| ((7 * p + 3 * p * p + 5 * c + 1) % 19) as f64 / 9.5 - 0.8;
    let inputs = (0..points).map(|p| vec![coordinate(p, 0), coordinate(p, 1)]);
    let spec = EnsembleSpec::preset(arch, 1).unwrap().with_d_in(2);
    EnsembleSpec {
        inputs: Inputs::new(inputs.collect()).unwrap(),
        net: spec.net.clone().with_hidden(hidden).unwrap(),
        nets: 601,
        experiments: 2,
        orders: vec![2, 4],
        seed: 0xfeed_0000_0000_0007,
        ..spec
    }
    .with_sigma_w(1.3)
    .with_sigma_b(0.6)
}

fn connected(spec: EnsembleSpec) -> EnsembleSpec {
    EnsembleSpec {
        estimator: Estimator::Connected,
        ..spec
    }
}

/// Nets of layers by covariance, by weights because they are narrow, and by weights of other laws with
/// biases of their own.
fn nets() -> Vec<EnsembleSpec> {
    use Law::{Gaussian, Laplace, Phase, Rademacher, Uniform};
    let with_laws = |spec: EnsembleSpec, law_w: &[Law], law_b: &[Law]| {
        let net = spec.net.with_law_w(law_w.to_vec()).unwrap();
        EnsembleSpec {
            net: net.with_law_b(law_b.to_vec()).unwrap(),
            ..spec
        }
    };
    vec![
        spec("erf", &[37, 20], 3),
        spec("tanh", &[9, 33, 16], 4).with_d_out(2),
        spec("relu", &[20, 21], 3).with_sigma_b(0.0),
        spec("gelu", &[3, 40], 5),
        with_laws(
            spec("cos", &[18, 5, 20], 3),
            &[Gaussian, Rademacher, Gaussian, Gaussian],
            &[Phase, Gaussian, Laplace, Gaussian],
        ),
        with_laws(
            spec("sin", &[17, 18], 2).with_d_out(17),
            &[Uniform, Gaussian, Laplace],
            &[Gaussian, Gaussian, Uniform],
        ),
    ]
}

#[test]
fn every_stage_of_deep_nets_passes_in_every_form() {
    let mut gpu = gpu();
    for form in [Form::Staged, Form::Looped] {
        gpu.set_form(Some(form));
        for spec in nets() {
            // Theory has connected functions where the readout is normal.
            if !spec.net.has_gaussian_readout() {
                continue;
            }
            let what = format!("{} {:?} {form:?}", spec.net, spec.net.hidden());
            let spec = spec.validate().unwrap();
            for stage in check_stages(&mut gpu, &[spec], false).unwrap() {
                assert!(stage.pass, "{what}: {stage:?}");
                let is_compared = stage.compared > 0 || stage.stage == "vertex integrals";
                assert!(is_compared, "{what}: {stage:?}");
            }
        }
    }
}

/// The largest difference of the engines' fields of single networks, in units of their size.
fn largest_difference(gpu: &GpuEngine, spec: &EnsembleSpec) -> f64 {
    let mut largest = 0.0f64;
    for block in [0, 1] {
        let got = Stages::draw_networks(gpu, spec, block, 64).unwrap();
        let want = CpuEngine::new().draw_networks(spec, block, 64).unwrap();
        assert!(!got.is_empty() && got.len() == want.len());
        let size =
            (want.iter().flat_map(|network| &network.field)).fold(0.0, |a: f64, f| a.max(f.abs()));
        for (got, want) in got.iter().zip(&want) {
            assert_eq!(got.field.len(), want.field.len());
            for (a, b) in got.field.iter().zip(&want.field) {
                largest = largest.max((a - b).abs() / size);
            }
        }
    }
    largest
}

#[test]
fn networks_are_those_of_the_f64_engine() {
    let mut gpu = gpu();
    for spec in nets() {
        let mut all = vec![spec.clone()];
        if spec.net.has_gaussian_readout() {
            all.push(connected(spec.with_d_out(1)));
        }
        for spec in all {
            for form in [Form::Staged, Form::Looped] {
                gpu.set_form(Some(form));
                // Along a direction with 2^-22 of the variance, which f32 cannot tell from none, a
                // path is off by the root of that, 5 10^-4, times a normal. Wrong words would move
                // it by its size.
                let difference = largest_difference(&gpu, &spec);
                assert!(difference < 3e-3, "{} {form:?}: {difference}", spec.net);
            }
        }
    }
}

fn run(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Accumulator {
    engine::run(engine, spec, &|_| {}).unwrap()
}

#[test]
fn no_batch_and_no_memory_changes_a_bit() {
    let few = EnsembleSpec {
        nets: 7,
        experiments: 40,
        ..spec("tanh", &[20, 37], 3)
    };
    let by_weights = EnsembleSpec {
        nets: 2050,
        experiments: 1,
        ..spec("tanh", &[2, 37], 3)
    };
    let by_covariance = EnsembleSpec {
        nets: 2050,
        ..connected(spec("erf", &[37, 20], 3))
    };
    for spec in [few, by_weights, by_covariance] {
        for form in [Form::Staged, Form::Looped] {
            let mut gpu = gpu();
            gpu.set_form(Some(form));
            let whole = run(&mut gpu, &spec);
            gpu = gpu.with_batch_blocks(3);
            assert_eq!(whole, run(&mut gpu, &spec));
            gpu = gpu.with_largest_buffer(256 << 10);
            assert_eq!(whole, run(&mut gpu, &spec));
        }
    }
}

#[test]
fn singular_covariances_have_the_same_averages() {
    // Repeated points, and points on one ray of a homogeneous net.
    for (arch, points) in [
        ("tanh", "0.5,1;0.5,1;-1,0.3"),
        ("linear", "0.5,1;1,2;-1,0.3;0.5,1"),
    ] {
        let spec = EnsembleSpec {
            inputs: Inputs::parse(points).unwrap(),
            nets: 4096,
            ..spec(arch, &[30, 30], 1)
        };
        for spec in [spec.clone().with_sigma_b(0.0), connected(spec)] {
            let spec = spec.validate().unwrap();
            let got = run(&mut gpu(), &spec).total().unwrap();
            let want = run(&mut CpuEngine::new(), &spec).total().unwrap();
            for (e, error) in want.std_err().unwrap().iter().enumerate() {
                // A pivot that is zero in one precision alone moves a path by 5 10^-4 of its size.
                let difference = (got.mean[e] - want.mean[e]).abs();
                assert!(
                    difference <= 1e-2 * error + 1e-6 * want.mean[e].abs(),
                    "{arch} {e}: {difference} {error}"
                );
            }
        }
    }
}

#[test]
fn the_factor_of_a_covariance_gives_it_back() {
    // Pre-activations of a second layer are its hidden values. With as many units as their normals need,
    // the factor follows from both, whatever its condition.
    let points = "0.5,1;0.5,1.001;-1,0.3;0.5,1;1,2";
    let spec = EnsembleSpec {
        inputs: Inputs::parse(points).unwrap(),
        ..spec("linear", &[40, 64], 1)
    };
    let networks = Stages::hidden_values(&gpu(), &spec, 0, 20).unwrap();
    let normals = second_layer(&spec, 5);
    for (network, normals) in networks.iter().zip(normals) {
        let (first, second) = network.split_at(40);
        let variance = |p: usize, q: usize| {
            let sum: f64 = first.iter().map(|h| h[p] * h[q]).sum();
            0.36 + 1.69 * sum / 40.0
        };
        let n = nalgebra::DMatrix::from_fn(64, 5, |j, c| normals[c][j]);
        let z = nalgebra::DMatrix::from_fn(64, 5, |j, p| second[j][p]);
        let inverse = (n.transpose() * &n).try_inverse().unwrap();
        let r = z.transpose() * &n * inverse;
        let back = &r * r.transpose();
        for p in 0..5 {
            for q in 0..5 {
                let size = (variance(p, p) * variance(q, q)).sqrt();
                let error = (back[(p, q)] - variance(p, q)).abs() / size;
                // What is less than 2^-22 of a variance is left, and there are some roundings of 2^-24.
                assert!(error < 1e-6, "{p} {q}: {error}");
            }
        }
    }
}

/// The normals of the second layer's units of the first networks, `[network][component][unit]`.
fn second_layer(spec: &EnsembleSpec, points: usize) -> Vec<Vec<Vec<f64>>> {
    let layer = layout(points, 64);
    let blocks = |first: u64, count: u64| {
        let cpu = CpuEngine::new();
        let stream = layer.stream(0);
        cpu.draws(spec.seed, stream, first as u32, count as u32, Law::Gaussian)
            .unwrap()
            .1
    };
    (0..20)
        .map(|network| {
            let all = blocks(network * layer.blocks(), layer.blocks());
            (0..points)
                .map(|c| {
                    (0..64)
                        .map(|j| all[(j / 16 * points + c) * 16 + j % 16])
                        .collect()
                })
                .collect()
        })
        .collect()
}

/// The places of the second layer in the random stream.
fn layout(points: usize, units: u64) -> InnerLayout {
    InnerLayout {
        layer: 1,
        units,
        components: points as u64,
    }
}

#[test]
fn a_wrong_layer_is_noticed() {
    for (value, wrong, red) in [
        // The factor of a covariance, the place of a layer's words, and a pre-activation.
        ("covariance", "1.001 * right", "hidden values"),
        ("owned", "right + vec2u(1u, 0u)", "hidden values"),
        ("value", "1.001 * right", "network outputs"),
    ] {
        let mut gpu = gpu().with_fault(Fault::Shader {
            stage: "deep",
            value,
            wrong,
        });
        let spec = spec("tanh", &[20, 37], 3).validate().unwrap();
        let stages = check_stages(&mut gpu, &[spec], false).unwrap();
        let is_red = stages.iter().any(|s| s.stage == red && !s.pass);
        assert!(is_red, "{value}: {stages:?}");
    }
}

#[test]
fn networks_that_one_thread_cannot_draw_are_refused() {
    let mut gpu = gpu();
    let mut refused = |spec: EnsembleSpec, parts: &[&str]| {
        let plan = Plan::new(spec).unwrap();
        let error = gpu.prepare(&plan, &|| false).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    };
    let points = EnsembleSpec {
        orders: vec![2],
        ..spec("tanh", &[50, 50], 17)
    };
    refused(points, &["17 points", "at most 16", "cpu"]);
    refused(spec("tanh", &[1_000_000; 2], 3), &["one thread", "cpu"]);
    let laws = connected(spec("tanh", &[5, 5], 2));
    let net = laws
        .net
        .clone()
        .with_law_w(vec![Law::Gaussian, Law::Gaussian, Law::Uniform]);
    let laws = EnsembleSpec {
        net: net.unwrap(),
        ..laws
    };
    refused(laws, &["connected", "normal weights", "cpu"]);
}
