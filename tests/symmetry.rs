//! Several outputs: index bookkeeping, exact values, SO(d_out), the coupling over d_out.

mod common;

use common::cli::{json, numbers, refused, run};
use common::gpu;
use nnqft_gpu::analysis::{
    Interactions, SymmetryCheck, correlators, output_couplings, symmetry_checks,
};
use nnqft_gpu::engine::cpu::{CpuEngine, draw_networks};
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::tensor::{Accumulator, Tuple};
use nnqft_gpu::theory::{
    Exact, Vertex, gp_correlator, kernel_matrix, loop_integrals, vertex_integrals,
};
use proptest::prelude::*;

fn spec(arch: &str, d_out: usize, points: &[f64]) -> EnsembleSpec {
    EnsembleSpec {
        nets: 2000,
        experiments: 50,
        orders: vec![2, 4],
        inputs: Inputs::new(points.iter().map(|&x| vec![x]).collect()).unwrap(),
        ..EnsembleSpec::preset(arch, 1)
            .unwrap()
            .with_width(10)
            .with_d_out(d_out)
    }
}

fn all_pass(checks: &[SymmetryCheck]) {
    for c in checks {
        assert_eq!(
            c.pass,
            Some(true),
            "{} at {}: {:?}",
            c.name,
            c.d_out,
            c.test
        );
    }
}

/// The checks of a run of a spec.
fn checks_of(spec: &EnsembleSpec, run: &Accumulator) -> Vec<SymmetryCheck> {
    let plan = Plan::new(spec.clone()).unwrap();
    symmetry_checks(
        &plan,
        &Exact::with_kernel(plan.spec(), plan.kernel().clone()),
        run,
        None,
    )
    .unwrap()
}

#[test]
fn both_engines_have_the_symmetry_and_the_exact_values() {
    let mut gpu = gpu();
    for arch in ["erf", "relu"] {
        let spec = spec(arch, 3, &[0.3, 0.9]).validate().unwrap();
        for engine in [&mut CpuEngine::new() as &mut dyn Engine, &mut gpu] {
            let moments = engine::run(engine, &spec, &|_| {}).unwrap();
            let checks = checks_of(&spec, &moments);
            let names: Vec<&str> = checks.iter().map(|c| &*c.name).collect();
            assert_eq!(names, ["exact", "unpaired", "rotation", "placements"]);
            all_pass(&checks);
            let worst = (correlators(&spec, &moments).unwrap().iter())
                .flat_map(|c| c.pulls().flatten().map(f64::abs).collect::<Vec<_>>())
                .fold(0.0, f64::max);
            assert!(worst < 4.5, "{arch}: {worst}");
        }
    }
}

/// Means per block, from networks that someone may have tampered with.
fn accumulate(spec: &EnsembleSpec, tamper: impl Fn(&mut Vec<f64>)) -> Accumulator {
    let tuples = Plan::new(spec.clone())
        .unwrap()
        .measurement()
        .tuples()
        .fields(spec.inputs.len());
    let mut all = Accumulator::new();
    for experiment in 0..spec.experiments {
        let mut means = vec![0.0; tuples.len()];
        for mut network in draw_networks(spec, experiment, 0, spec.nets as usize) {
            tamper(&mut network.field);
            let products =
                (tuples.iter()).map(|i| i.iter().map(|&f| network.field[f]).product::<f64>());
            for (mean, x) in means.iter_mut().zip(products) {
                *mean += x / spec.nets as f64;
            }
        }
        all.add_block(experiment, 0, spec.nets, means);
    }
    all
}

#[test]
fn broken_symmetries_are_seen() {
    let spec = spec("erf", 2, &[0.2, 1.0]);
    let failed = |tamper: &dyn Fn(&mut Vec<f64>)| -> Vec<String> {
        let checks = checks_of(&spec, &accumulate(&spec, tamper));
        let failed = checks
            .iter()
            .filter(|c| c.pass == Some(false))
            .map(|c| c.name.to_string());
        failed.collect()
    };
    let has = |all: &[String], name: &str| all.iter().any(|n| n == name);
    assert!(failed(&|_| {}).is_empty());
    // One output 5% too large.
    let scaled = failed(&|f| f[2..].iter_mut().for_each(|x| *x *= 1.05));
    assert!(has(&scaled, "rotation") && has(&scaled, "exact"));
    // Both 5% too large: still symmetric, but wrong.
    let both = failed(&|f| f.iter_mut().for_each(|x| *x *= 1.05));
    assert!(has(&both, "exact") && !has(&both, "rotation"));
    // Outputs that know of each other.
    let mixed = failed(&|f| f[2] += 0.1 * f[0]);
    assert!(has(&mixed, "unpaired"));
}

#[test]
fn outputs_that_do_not_share_their_hidden_layer_are_seen() {
    // Each output is right by itself, and the outputs are independent.
    let spec = spec("relu", 2, &[0.2, 1.0]).with_width(2);
    let last = std::cell::Cell::new([0.0; 2]);
    let moments = accumulate(&spec, |f| {
        let other = last.replace([f[2], f[3]]);
        f[2..].copy_from_slice(&other);
    });
    let checks = checks_of(&spec, &moments);
    for c in &checks {
        assert_eq!(c.pass, Some(c.name == "unpaired"), "{}", c.name);
    }
}

#[test]
fn outputs_share_the_hidden_layer_and_nothing_else() {
    let at = |d_out| spec("gauss", d_out, &[0.3, 0.9]).with_width(37);
    let (one, three) = (&at(1), &at(3));
    // D, the hidden layer, is the same whatever hangs on it.
    let connected = |spec: &EnsembleSpec| EnsembleSpec {
        estimator: Estimator::Connected,
        ..spec.clone()
    };
    assert_eq!(
        draw_networks(&connected(one), 1, 5, 3),
        draw_networks(&connected(three), 1, 5, 3)
    );
    let network = &draw_networks(three, 1, 5, 1)[0];
    let distinct = |a: usize, b: usize| network.field[a] != network.field[b];
    assert_eq!(network.field.len(), 6);
    assert!(distinct(0, 2) && distinct(0, 4) && distinct(2, 4));
}

#[test]
fn connected_and_direct_agree_component_by_component() {
    let direct = spec("relu", 2, &[0.4, 1.1]);
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        seed: 1,
        ..direct.clone()
    };
    let of = |spec: &EnsembleSpec| {
        let moments = engine::run(&mut CpuEngine::new(), spec, &|_| {}).unwrap();
        correlators(spec, &moments).unwrap().remove(1)
    };
    let (d, c) = (of(&direct), of(&connected));
    let mut seen = 0;
    for e in 0..c.mean.len() {
        let same = |k: &usize| d.indices[*k] == c.indices[e] && d.outputs[*k] == c.outputs[e];
        let k = (0..d.mean.len())
            .find(same)
            .expect("direct measures it too");
        let error = d.std_err[k].hypot(c.std_err[e]);
        assert!((d.mean[k] - c.mean[e]).abs() < 4.0 * error);
        let exact = [(&d, k), (&c, e)].map(|(c, e)| c.reference.exact().unwrap().mean[e]);
        assert!((exact[0] - exact[1]).abs() < 1e-12);
        assert!(c.pull_of(e).unwrap().abs() < 4.0);
        seen += usize::from(c.outputs[e] == [0, 0, 1, 1]);
    }
    assert_eq!((c.mean.len(), seen), (5 + 6, 6));
}

#[test]
fn exact_components_of_a_small_network() {
    // E[f_0 f_0 f_1 f_1] = E[C_12 C_34] with C from the drawn networks themselves.
    let spec = EnsembleSpec {
        estimator: Estimator::Connected,
        ..spec("erf", 2, &[-0.5, 0.8]).with_width(2)
    };
    let kernel = kernel_matrix(&spec);
    let exact = Exact::new(&spec);
    let mut samples: Vec<f64> = Vec::new();
    for network in draw_networks(&spec, 0, 0, 200_000) {
        // Fields: D_00, D_01, D_11.
        let c00 = kernel[0][0] + network.field[0];
        let c11 = kernel[1][1] + network.field[2];
        samples.push(c00 * c11);
    }
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let var = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let want = exact.correlator(Tuple::new(&[0, 0, 1, 1], &[0, 0, 1, 1]));
    let pull = (mean - want) / (var / n).sqrt();
    assert!(pull.abs() < 3.5, "{pull}");
    let none = exact.correlator(Tuple::new(&[0, 0, 1, 1], &[0, 0, 0, 1]));
    assert_eq!(none, 0.0);
}

#[test]
fn relu_coupling_in_closed_form() {
    // d_in = 1, sigma_b = 0, positive inputs: k(x, y) = x y / 2, so I1 = prod x L^5 / 80,
    // I2 = prod x L^10 / 1600 and dG^(4) = 3 prod x / 4 x 5 / N.
    let spec = spec("relu", 1, &[0.2, 0.7, 1.3]).with_width(20);
    let l: f64 = 10.0;
    let vertex = vertex_integrals(&spec, Vertex::Full, &[l])
        .unwrap()
        .remove(0);
    let loops = loop_integrals(&spec, Vertex::Full, l).unwrap();
    let four = Interactions::exact_four(&spec, &Exact::new(&spec));
    let all = output_couplings(3, &four, &vertex, &loops, &[1, 8], true).unwrap();
    for (c, d) in all.iter().zip([1.0, 8.0]) {
        let (i1, i2, dg) = (l.powi(5) / 80.0, 3.0 * l.powi(10) / 1600.0, 0.1875);
        let tree = -dg / (24.0 * i1);
        assert!((c.lambda_tree / tree - 1.0).abs() < 1e-9);
        let (a, b) = (32.0 * (d + 8.0) * i2, -24.0 * i1);
        let root = (-b - (b * b + 4.0 * a * dg).sqrt()) / (2.0 * a);
        assert!((c.lambda_one_loop.unwrap() / root - 1.0).abs() < 1e-9);
        assert_eq!(c.undefined, 0);
    }
}

proptest! {
    #[test]
    fn elements_are_counted_as_they_are_listed(
        points in 1usize..4, d_out in 1usize..5, order in 1usize..7, connected: bool,
    ) {
        let estimator = match connected && order % 2 == 0 {
            true => Estimator::Connected,
            false => Estimator::Direct,
        };
        let spec = EnsembleSpec {
            estimator,
            orders: vec![order],
            ..spec("erf", d_out, &[0.1, 0.2, 0.3][..points])
        };
        let tuples = Plan::new(spec.clone()).unwrap().measurement().tuples().clone();
        prop_assert_eq!(tuples.len() as u64, spec.elements());
        let labels: std::collections::BTreeSet<Vec<(usize, usize)>> = (0..tuples.len())
            .map(|e| {
                let output = |k: usize| tuples.outputs.get(e).map_or(0, |o| o[k]);
                (0..order).map(|k| (output(k), tuples.points[e][k])).collect()
            })
            .collect();
        prop_assert_eq!(labels.len(), tuples.len(), "an element twice");
        for label in &labels {
            prop_assert!(label.is_sorted());
            prop_assert!(label.iter().all(|&(a, p)| a < d_out && p < points));
        }
        if estimator == Estimator::Connected {
            prop_assert!(tuples.iter().all(|t| !t.pairings().is_empty()));
        }
    }

    #[test]
    fn correlators_do_not_depend_on_the_order_of_their_arguments(
        fields in proptest::collection::vec((0usize..3, 0usize..3), 6), swap in 0usize..5,
    ) {
        let spec = spec("erf", 3, &[0.1, -0.6, 0.9]);
        let kernel = kernel_matrix(&spec);
        let exact = Exact::new(&EnsembleSpec { orders: vec![4], ..spec });
        let mut permuted = fields.clone();
        permuted.swap(swap, swap + 1);
        permuted[..4].reverse();
        let value = |fields: &[(usize, usize)], n: usize| -> f64 {
            let (p, o): (Vec<usize>, Vec<usize>) = fields[..n].iter().copied().unzip();
            let t = Tuple::new(&p, &o);
            gp_correlator(&kernel, t) + if n == 4 { exact.deviation(t) } else { 0.0 }
        };
        prop_assert!((value(&fields, 6) - value(&permuted, 6)).abs() < 1e-12);
        let mut four = fields[..4].to_vec();
        four.rotate_left(1);
        prop_assert!((value(&fields, 4) - value(&four, 4)).abs() < 1e-12);
        // Renaming outputs changes nothing.
        let renamed: Vec<(usize, usize)> = fields.iter().map(|&(p, o)| (p, (o + 1) % 3)).collect();
        prop_assert!((value(&fields, 6) - value(&renamed, 6)).abs() < 1e-12);
    }
}

#[test]
fn the_command_finds_the_symmetry_and_the_falling_coupling() {
    let document = json(&["symmetry", "--arch", "relu", "--width", "20", "--json"]);
    assert_eq!(document["schema"], "nnqft.symmetry/2");
    assert_eq!(document["command"], "symmetry");
    assert_eq!(document["cutoff"], 100.0);
    assert_eq!(document["moments"], "sampled");
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1 + 3 * 4);
    for c in checks {
        assert_eq!(c["pass"], true, "{c}");
        let p = c["p_value"].as_f64().unwrap();
        assert!((1e-4..=1.0).contains(&p));
    }
    let rows = document["d_out"].as_array().unwrap();
    let of = |key: &str| -> Vec<f64> { rows.iter().map(|r| r[key].as_f64().unwrap()).collect() };
    assert_eq!(of("d_out"), [1.0, 2.0, 4.0, 8.0]);
    for (value, exact) in [
        ("lambda_tree", "lambda_tree_exact"),
        ("lambda_one_loop", "lambda_one_loop_exact"),
    ] {
        let errors = of(&format!("{value}_std_err"));
        for ((v, x), e) in of(value).iter().zip(of(exact)).zip(errors) {
            assert!(e > 0.0 && (v - x).abs() < 4.0 * e, "{value}: {v} {x} {e}");
        }
    }
    assert!((of("lambda_tree")[0] / -6.25e-11 - 1.0).abs() < 0.02);
    let falling = of("lambda_one_loop");
    assert!(falling.windows(2).all(|w| w[1].abs() < 0.99 * w[0].abs()));
}

#[test]
fn exact_moments_need_no_networks() {
    let arguments = [
        "symmetry",
        "--arch",
        "gauss",
        "--moments",
        "exact",
        "--d-out",
        "16,2",
        "--json",
    ];
    let document = json(&arguments);
    assert_eq!(document["device"]["backend"], "cpu");
    assert_eq!(document["ensembles"].as_array().unwrap().len(), 0);
    let rows = document["d_out"].as_array().unwrap();
    let lambda: Vec<f64> = rows
        .iter()
        .map(|r| r["lambda_one_loop"].as_f64().unwrap())
        .collect();
    assert_eq!(
        (&rows[0]["d_out"], &rows[1]["d_out"]),
        (&16.into(), &2.into())
    );
    assert!(lambda[0].abs() < lambda[1].abs());
    assert!((rows[0]["lambda_tree"].as_f64().unwrap() / -2.9422e-4 - 1.0).abs() < 5e-5);
    assert_eq!(document["checks"].as_array().unwrap().len(), 0);
}

#[test]
fn unconverged_couplings_are_not_claimed() {
    let gauss = |rest: &[&str]| {
        let head = [
            "symmetry", "--arch", "gauss", "--d-out", "2", "--nets", "1000",
        ];
        run(&[&head[..], rest].concat())
    };
    let output = gauss(&["--width", "2"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("couplings, 4-point function"), "{message}");
    let output = gauss(&["--tilt", "auto"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}");
    // The tests themselves have no cure for the tail, and say so.
    assert!(
        table.contains("weak test at d_out = 2: 4-point function"),
        "{table}"
    );
}

#[test]
fn a_test_that_fails_on_an_unconverged_ensemble_is_undecided() {
    let output = run(&[
        "symmetry", "--arch", "gauss", "--d-out", "8", "--nets", "1000", "--seed", "3", "--tilt",
        "auto", "--json",
    ]);
    let message = String::from_utf8(output.stderr).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let exact = &document["checks"][0];
    assert_eq!(exact["name"], "exact");
    assert!(exact["p_value"].as_f64().unwrap() < 1e-4, "{exact}");
    assert!(exact["pass"].is_null(), "{exact}");
    let reason = exact["reason"].as_str().unwrap();
    assert!(reason.contains("4-point function"), "{reason}");
    assert!(document["checks"][1]["pass"].is_boolean());
    assert!(document["checks"][1].get("reason").is_none());
    // Neither a success nor a violation.
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("exact at d_out = 8 is undecided"),
        "{message}"
    );
    assert!(
        !message.contains("not consistent with what is exact"),
        "{message}"
    );
}

#[test]
fn ensembles_carry_output_indices() {
    let document = json(&[
        "ensemble", "--d-out", "2", "--inputs", "0.5;1", "--orders", "2,4", "--nets", "1e3",
        "--json",
    ]);
    assert_eq!(document["spec"]["d_out"], 2);
    let two = &document["correlators"][0];
    let outputs: Vec<Vec<f64>> = two["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .collect();
    let indices: Vec<Vec<f64>> = two["indices"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .collect();
    assert_eq!(outputs.len(), 10);
    assert_eq!(
        (&outputs[2][..], &indices[2][..]),
        (&[0.0, 1.0][..], &[0.0, 0.0][..])
    );
    assert_eq!(two["gp"][2], 0.0);
    assert_eq!(
        document["correlators"][1]["outputs"]
            .as_array()
            .unwrap()
            .len(),
        35
    );
    let one = json(&["ensemble", "--nets", "100", "--orders", "2", "--json"]);
    assert!(one["correlators"][0].get("outputs").is_none());
}

#[test]
fn wrong_input_is_refused() {
    refused(
        &["ensemble", "--d-out", "0"],
        &["--d-out 0", "from 1 to 64"],
    );
    refused(&["ensemble", "--d-out", "65"], &["--d-out 65"]);
    refused(
        &["ensemble", "--d-out", "1,2"],
        &["--d-out 1,2", "symmetry"],
    );
    refused(&["ensemble", "--d-out", "x"], &["--d-out 'x'"]);
    refused(
        &["ensemble", "--d-out", "16"],
        &["1271108952 unique elements", "--estimator connected"],
    );
    refused(
        &["eft", "--d-out", "2", "--moments", "exact"],
        &["--d-out 2", "symmetry"],
    );
    refused(&["symmetry", "--orders", "6"], &["--orders 6"]);
    refused(
        &["symmetry", "--experiments", "10"],
        &["--experiments 10", "at least 20"],
    );
    refused(
        &["symmetry", "--d-out", "2,64"],
        &["--d-out 64", "768560 unique elements"],
    );
    refused(&["symmetry", "--d-out", "2,0"], &["--d-out 0"]);
    refused(&["symmetry", "--cutoffs", "1,2"], &["one cutoff"]);
    refused(&["symmetry", "--cutoffs", "-1"], &["--cutoffs -1"]);
    refused(&["symmetry", "--vertex", "half"], &["--vertex 'half'"]);
    refused(
        &["symmetry", "--arch", "relu", "--cutoffs", "inf"],
        &["--cutoffs inf"],
    );
}

#[test]
fn outputs_are_written_for_numpy_and_not_taken_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let sampling = [
        "--d-out", "2", "--inputs", "1", "--nets", "1000", "--orders", "4",
    ];
    let output = run(&[&["ensemble", "--out", folder][..], &sampling].concat());
    assert!(output.status.success());
    let file = std::fs::File::open(dir.path().join("moments.npz")).unwrap();
    let mut npz = zip::ZipArchive::new(file).unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut npz.by_name("G4_outputs.npy").unwrap(), &mut bytes).unwrap();
    let array = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(array.shape(), [5, 4]);
    let outputs: Vec<i64> = array.into_vec().unwrap();
    assert_eq!(outputs[4..12], [0, 0, 0, 1, 0, 0, 1, 1]);
    refused(
        &["eft", "--from", folder],
        &["the run has d_out 2", "symmetry"],
    );
}

#[test]
fn theory_lists_the_components_that_pair() {
    let document = json(&[
        "theory", "--d-out", "8", "--arch", "relu", "--width", "20", "--json",
    ]);
    let correlators = document["correlators"].as_array().unwrap();
    let counts: Vec<usize> = (correlators.iter())
        .map(|c| c["exact"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [21, 357, 4879]);
    // One dimension, equal signs: m_4 = 5/N in every component that pairs.
    assert!(
        numbers(&correlators[1]["deviation"])
            .iter()
            .all(|m| (m - 0.25).abs() < 1e-9)
    );
}
