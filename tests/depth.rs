//! Networks of several hidden layers, against exact values, first order, and themselves.

mod common;

use std::path::Path;

use common::cli::{json, numbers, run};
use nnqft_gpu::analysis::{Agreement, Correlator, Coupling, Interactions, correlators};
use nnqft_gpu::engine;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, Law};
use nnqft_gpu::theory::{Layers, Vertex, critical, vertex_integrals};

/// Makes an ensemble of a net at its critical point, at three points.
fn spec(arch: &str, hidden: &[u64], estimator: Estimator, points: &str) -> EnsembleSpec {
    let spec = EnsembleSpec::preset(arch, 1).unwrap();
    let point = critical(spec.net.activation()).unwrap();
    let net = (spec.net.with_sigma_w(point.sigma_w)).with_sigma_b(point.sigma_b);
    EnsembleSpec {
        net: net.with_hidden(hidden).unwrap(),
        estimator,
        nets: 20_000,
        seed: 3,
        ..spec
    }
    .with_inputs(Inputs::parse(points).unwrap())
}

fn measure(spec: &EnsembleSpec) -> Vec<Correlator> {
    let run = engine::run(&mut CpuEngine::new(), spec, &|_| {}).unwrap();
    correlators(spec, &run).unwrap()
}

#[test]
fn linear_and_homogeneous_nets_have_their_exact_values() {
    for estimator in [Estimator::Direct, Estimator::Connected] {
        for (arch, hidden, per_unit) in [
            ("linear", &[12, 9, 15][..], [2.0, 6.0, 8.0]),
            ("relu", &[30, 40][..], [5.0, 15.0, 44.0]),
        ] {
            let spec = spec(arch, hidden, estimator, "0.5;1;1.5");
            let all = measure(&spec);
            let product = |of: &dyn Fn(f64) -> f64| -> f64 {
                hidden.iter().map(|n| 1.0 + of(*n as f64)).product::<f64>() - 1.0
            };
            let [a, b, c] = per_unit;
            let want = [0.0, product(&|n| a / n), product(&|n| b / n + c / (n * n))];
            for (function, want) in all.iter().zip(want) {
                let exact = function.reference.exact().expect("an exact value");
                let mean = exact.deviation_mean.unwrap();
                assert!((mean - want).abs() < 1e-9, "{arch} {mean} {want}");
                let pull = function.mean_pull().unwrap();
                assert!(
                    pull.abs() < 4.0,
                    "{arch} {estimator} {}: {pull}",
                    function.order
                );
            }
        }
    }
}

#[test]
fn a_linear_net_with_biases_at_any_points_has_its_exact_values() {
    let spec = EnsembleSpec {
        estimator: Estimator::Connected,
        ..spec("linear", &[8, 11], Estimator::Direct, "0.5;-1;1.5")
    };
    let spec = EnsembleSpec {
        net: spec.net.with_sigma_w(0.9).with_sigma_b(0.4),
        ..spec
    };
    for function in measure(&spec) {
        assert!(function.reference.exact().is_some());
        // Of 46 elements the largest.
        assert!(function.largest_pull().unwrap() < 4.5, "{}", function.order);
    }
}

#[test]
fn measured_means_and_covariances_approach_first_order() {
    let of = |width: u64| {
        let spec = EnsembleSpec {
            nets: 40_000,
            orders: vec![2, 4],
            ..spec("tanh", &[width; 3], Estimator::Connected, "0.5;1.2")
        };
        let layers = Layers::new(&spec.net, spec.inputs.points(), 4).unwrap();
        (spec, layers)
    };
    for width in [20, 80] {
        let (spec, layers) = of(width);
        let all = measure(&spec);
        let (last, pairs) = (&layers.layers()[2], layers.pairs());
        let strength = 3.0 / width as f64;
        for (pair, index) in pairs.iter().zip(&all[0].indices) {
            assert_eq!(pair[..], index[..]);
        }
        for (k, got) in all[0].delta.iter().enumerate() {
            let want = last.mean_correction[k];
            let bound = 4.0 * all[0].std_err[k] + 2.0 * strength * want.abs();
            assert!((got - want).abs() < bound, "{width} {k}: {got} {want}");
            // What is measured is no rounding.
            assert!(got.abs() > 10.0 * all[0].std_err[k]);
        }
        let connected = all[1].connected.as_ref().unwrap();
        for (e, index) in all[1].indices.iter().enumerate() {
            if index.iter().any(|i| *i != index[0]) {
                continue;
            }
            let k = pairs.iter().position(|p| *p == [index[0]; 2]).unwrap();
            let (got, want) = (connected.mean[e], 3.0 * last.covariance[k][k]);
            let error = connected.std_err.as_ref().unwrap()[e];
            let bound = 4.0 * error + 2.0 * strength * want;
            assert!((got - want).abs() < bound, "{width} {e}: {got} {want}");
        }
        for function in &all {
            assert_eq!(function.first_order_verdict, Some(Agreement::AsPredicted));
            assert!(function.pull.is_none());
        }
    }
}

#[test]
fn both_estimators_agree_where_theory_is_first_order_only() {
    let of = |estimator| {
        let spec = spec("gelu", &[6, 9, 4], estimator, "0.5;-1.2");
        measure(&EnsembleSpec {
            nets: 40_000,
            net: spec.net.with_sigma_b(0.3),
            ..spec
        })
    };
    let (direct, connected) = (of(Estimator::Direct), of(Estimator::Connected));
    for (a, b) in direct.iter().zip(&connected) {
        for e in 0..a.mean.len() {
            let error = a.std_err[e].hypot(b.std_err[e]);
            let pull = (a.mean[e] - b.mean[e]) / error;
            assert!(pull.abs() < 4.5, "{} {e}: {pull}", a.order);
            // At higher orders narrow networks are rare events, whose errors scatter.
            assert!(a.order > 2 || b.std_err[e] < a.std_err[e]);
        }
    }
}

#[test]
fn both_estimators_agree_with_readouts_of_any_law() {
    use Law::{Gaussian, Laplace, Rademacher, Uniform};
    for (readout, bias, outputs) in [
        (Rademacher, Gaussian, 1),
        (Gaussian, Uniform, 1),
        (Laplace, Rademacher, 2),
    ] {
        let of = |estimator| {
            let spec = spec("tanh", &[5, 3, 4], estimator, "0.5;-1.2");
            let net = (spec.net.with_sigma_w(1.5).with_sigma_b(0.4)).with_d_out(outputs);
            let laws = |last| vec![Gaussian, Gaussian, Gaussian, last];
            let net = net.with_law_w(laws(readout)).unwrap();
            measure(&EnsembleSpec {
                nets: 40_000,
                net: net.with_law_b(laws(bias)).unwrap(),
                orders: vec![2, 4, 6],
                ..spec
            })
        };
        let (direct, connected) = (of(Estimator::Direct), of(Estimator::Connected));
        for (a, b) in direct.iter().zip(&connected) {
            // The connected estimator has the elements whose outputs pair.
            for e in 0..b.mean.len() {
                let is_same = |&k: &usize| {
                    a.indices[k] == b.indices[e] && a.outputs.get(k) == b.outputs.get(e)
                };
                let k = (0..a.mean.len()).find(is_same).unwrap();
                let error = a.std_err[k].hypot(b.std_err[e]);
                let pull = (a.mean[k] - b.mean[e]) / error;
                assert!(pull.abs() < 4.5, "{readout} {bias} {} {e}: {pull}", a.order);
            }
            // One point and output: a cumulant of one number, from either.
            let Some(of_b) = &b.connected else { continue };
            let moment = |n: usize| {
                let c = direct.iter().find(|c| c.order == n).unwrap();
                (c.mean[0], c.std_err[0])
            };
            let ((m2, e2), (m4, e4), (m6, e6)) = (moment(2), moment(4), moment(6));
            let (cumulant, error) = match a.order {
                4 => (m4 - 3.0 * m2 * m2, e4.hypot(6.0 * m2 * e2)),
                _ => {
                    let slope = 15.0 * m4 - 90.0 * m2 * m2;
                    let value = m6 - 15.0 * m4 * m2 + 30.0 * m2.powi(3);
                    (value, e6.hypot(15.0 * m2 * e4).hypot(slope * e2))
                }
            };
            let error = error.hypot(of_b.std_err.as_ref().unwrap()[0]);
            let pull = (of_b.mean[0] - cumulant) / error;
            assert!(pull.abs() < 4.5, "{readout} {bias} {}: {pull}", a.order);
        }
    }
}

const NET: [&str; 12] = [
    "--activation",
    "sin(z)",
    "--hidden",
    "7,20,5",
    "--law-b",
    "gaussian,phase,laplace,gaussian",
    "--nets",
    "3000",
    "--experiments",
    "4",
    "--backend",
    "cpu",
];

#[test]
fn shards_and_resumed_runs_have_the_bits_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_string();
    let whole = json(&[&["ensemble", "--json"], &NET[..]].concat());
    let states = ["0/3", "1/3", "2/3"].map(|shard| {
        let state = path(&shard.replace('/', "-"));
        let options = ["--shard", shard, "--checkpoint", &state, "-q"];
        let output = run(&[&["ensemble"], &NET[..], &options].concat());
        assert!(output.status.success(), "{output:?}");
        state
    });
    let merged = json(&["merge", &states[2], &states[0], &states[1], "--json"]);
    for key in ["correlators", "spec"] {
        assert_eq!(whole[key], merged[key]);
    }
    assert_eq!(whole["spec"]["hidden"], serde_json::json!([7, 20, 5]));
    let state = path("half");
    let (some, options) = (&NET[..6], ["--nets", "3000", "--backend", "cpu", "-q"]);
    let few = ["--experiments", "2", "--checkpoint", &state];
    assert!(
        run(&[&["ensemble"], some, &options, &few].concat())
            .status
            .success()
    );
    let more = json(&[
        "ensemble",
        "--resume",
        &state,
        "--experiments",
        "4",
        "--json",
        "--backend",
        "cpu",
    ]);
    assert_eq!(whole["correlators"], more["correlators"]);
}

#[test]
fn a_sample_has_the_networks_that_an_ensemble_averages() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("draws.npy");
    let options = ["--out", file.to_str().unwrap(), "--inputs", "0.5;-1"];
    assert!(
        run(&[&["sample"], &NET[..], &options].concat())
            .status
            .success()
    );
    let of = ["--inputs", "0.5;-1", "--orders", "2", "--json"];
    let mean = numbers(&json(&[&["ensemble"], &NET[..], &of].concat())["correlators"][0]["mean"]);
    let draws = values(&file);
    assert_eq!(draws.len(), 24_000);
    let product = |p: usize, q: usize| -> f64 {
        draws.chunks(2).map(|f| f[p] * f[q]).sum::<f64>() / 12_000.0
    };
    for (got, want) in mean
        .iter()
        .zip([product(0, 0), product(0, 1), product(1, 1)])
    {
        assert!((got - want).abs() < 1e-12, "{got} {want}");
    }
}

/// Reads the numbers of an array of f64.
fn values(file: &Path) -> Vec<f64> {
    let bytes = std::fs::read(file).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let numbers = bytes[header..].chunks_exact(8);
    numbers
        .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

/// On one ray a deep linear net has G4 = 3 K^2 (1 + m_4) and G6 = 15 K^3 (1 + m_6), K = x y: then lambda =
/// -m_4 / (8 int y^4) and delta = m_6 / (3 m_4).
#[test]
fn couplings_of_deep_linear_nets_are_those_of_their_exact_moments() {
    let net = [
        "--arch",
        "linear",
        "--critical",
        "--hidden",
        "12,9",
        "--inputs",
        "0.5;1",
    ];
    let draws = [
        "--estimator",
        "connected",
        "--nets",
        "4000",
        "--backend",
        "cpu",
        "--json",
    ];
    let of = |command: &str, cutoffs: &str| {
        json(&[&[command, "--cutoffs", cutoffs][..], &net, &draws].concat())
    };
    let [m_4, m_6] = [[2.0, 0.0], [6.0, 8.0]].map(|[a, b]| {
        let layer = |n: f64| 1.0 + a / n + b / (n * n);
        layer(12.0) * layer(9.0) - 1.0
    });
    let eft = of("eft", "10");
    let point = &eft["cutoffs"][0];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let (lambda, delta) = (
        number(&point["exact"]["lambda"]),
        number(&point["exact"]["delta_mean"]),
    );
    let want = -m_4 / (8.0 * 2.0 * 1e5 / 5.0);
    assert!((lambda / want - 1.0).abs() < 1e-9, "{lambda} {want}");
    assert!((delta - m_6 / (3.0 * m_4)).abs() < 1e-9, "{delta}");
    for (measured, error, exact) in [
        (
            &point["lambda"]["mean"],
            &point["lambda"]["std_err"],
            lambda,
        ),
        (
            &point["six_point"]["delta_mean"],
            &point["six_point"]["delta_std_err"],
            delta,
        ),
    ] {
        let pull = (number(measured) - exact) / number(error);
        // Nine degrees of freedom.
        assert!(pull.abs() < 5.0, "{measured} {error} {exact}");
    }
    let rg = of("rg", "10,100");
    assert_eq!(rg["theory_slope"], -5.0);
    assert!((number(&rg["fit"]["slope"]) + 5.0).abs() < 1e-9);
}

/// The mean correction of a deep net is no interaction: the coupling is that of the connected function.
#[test]
fn couplings_of_deep_nets_are_of_the_connected_function() {
    let mut spec = spec("tanh", &[30, 30], Estimator::Connected, "1");
    spec.net = spec.net.with_sigma_w(1.5).with_sigma_b(0.3);
    spec.orders = vec![2, 4];
    let correlators = measure(&spec);
    let connected = correlators[1].connected.as_ref().unwrap().mean[0];
    // The correction of the mean is larger than errors by far.
    let rest = correlators[1].delta[0] / connected - 1.0;
    assert!(rest.abs() > 0.05, "{rest}");
    let interactions = Interactions::measured(&spec, &correlators).unwrap();
    let vertex = vertex_integrals(&spec, Vertex::Full, &[10.0])
        .unwrap()
        .remove(0);
    let coupling = Coupling::measure(1, &interactions.four, &vertex).unwrap();
    let want = -connected / (24.0 * vertex.integral(&[0; 4]));
    // The square of the mean that was measured has a part of order one over the networks.
    assert!(
        (coupling.mean / want - 1.0).abs() < 1e-3,
        "{coupling:?} {want}"
    );
}
