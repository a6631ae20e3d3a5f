//! `eft` and `rg` as a user calls them.

mod common;

use std::fs;

use common::cli::{json, numbers, refused, run};

#[test]
fn exact_couplings_of_the_source() {
    let document = json(&[
        "eft",
        "--arch",
        "erf",
        "--moments",
        "exact",
        "--cutoffs",
        "1000,10,100",
        "--json",
    ]);
    assert_eq!(document["schema"], "nnqft.eft/1");
    assert_eq!(document["vertex"], "full");
    assert_eq!(document["moments"], "exact");
    assert_eq!(document["spec"]["width"], 5);
    let cutoffs = document["cutoffs"].as_array().unwrap();
    let order: Vec<f64> = cutoffs
        .iter()
        .map(|c| c["cutoff"].as_f64().unwrap())
        .collect();
    assert_eq!(order, [1000.0, 10.0, 100.0]);
    let at = &cutoffs[2];
    let lambda = at["lambda"]["mean"].as_f64().unwrap();
    assert!((lambda / -1.1699e-5 - 1.0).abs() < 5e-5);
    assert_eq!(numbers(&at["lambda"]["values"]).len(), 126);
    assert_eq!(at["lambda"]["verdict"], "function");
    let six = &at["six_point"];
    let number = |name: &str| six[name].as_f64().unwrap();
    assert!((number("delta_mean") - 0.98638).abs() < 5e-6);
    assert!(
        number("delta_min") < number("delta_mean") && number("delta_mean") < number("delta_max")
    );
    let mean = numbers(&six["ratio"]).iter().sum::<f64>() / 462.0;
    assert!((mean - number("ratio_mean")).abs() < 1e-12);
}

#[test]
fn sampled_relu_predicts_its_six_point_function() {
    let document = json(&[
        "eft",
        "--arch",
        "relu",
        "--nets",
        "1e6",
        "--cutoffs",
        "100",
        "--json",
    ]);
    let six = &document["cutoffs"][0]["six_point"];
    let (delta, error) = (
        six["delta_mean"].as_f64().unwrap(),
        six["delta_std_err"].as_f64().unwrap(),
    );
    assert!(error > 0.0 && error < 0.02);
    assert!((delta - 1.1467).abs() < 3.0 * error, "{delta} +- {error}");
    assert!(document["unconverged"].as_array().unwrap().is_empty());
}

#[test]
fn an_ensemble_on_disk_gives_the_same_couplings() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let sampling = [
        "--arch",
        "relu",
        "--width",
        "20",
        "--nets",
        "1e4",
        "--experiments",
        "4",
    ];
    run(&[&["ensemble", "--out", folder][..], &sampling].concat());
    let common = ["eft", "--cutoffs", "7,100", "--json"];
    let fresh = json(&[&common[..], &sampling].concat());
    let read = json(&[&common[..], &["--from", folder]].concat());
    assert_eq!(fresh["spec"], read["spec"]);
    for k in 0..2 {
        for (part, name) in [
            ("lambda", "mean"),
            ("lambda", "std_err"),
            ("six_point", "delta_mean"),
        ] {
            let of = |d: &serde_json::Value| d["cutoffs"][k][part][name].as_f64().unwrap();
            let (a, b) = (of(&fresh), of(&read));
            assert!((a / b - 1.0).abs() < 1e-9, "{part} {name} {a} {b}");
        }
    }
    refused(
        &["eft", "--from", folder, "--moments", "exact"],
        &["leave out"],
    );
    let output = run(&["eft", "--from", folder, "--width", "7"]);
    assert_eq!(output.status.code(), Some(2));

    // Damaged in every way that comes to mind.
    let npz = dir.path().join("moments.npz");
    let whole = fs::read(&npz).unwrap();
    for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(&npz, &whole[..cut]).unwrap();
        refused(&["eft", "--from", folder], &["moments.npz"]);
    }
    fs::remove_file(&npz).unwrap();
    refused(&["eft", "--from", folder], &["moments.npz"]);
    let json_file = dir.path().join("ensemble.json");
    let text = fs::read_to_string(&json_file).unwrap();
    fs::write(&npz, &whole).unwrap();
    fs::write(
        &json_file,
        text.replace("\"experiments\":4", "\"experiments\":5"),
    )
    .unwrap();
    refused(
        &["eft", "--from", folder],
        &["shape [4, 126] instead of [5, 126]"],
    );
    fs::write(&json_file, "[]").unwrap();
    refused(&["eft", "--from", folder], &["several widths"]);
    fs::write(&json_file, "{").unwrap();
    refused(&["eft", "--from", folder], &["ensemble.json"]);
    refused(&["eft", "--from", "/nowhere"], &["ensemble --out"]);
}

#[test]
fn fits_of_lambda_as_a_function() {
    let document = json(&[
        "eft",
        "--fit",
        "--arch",
        "gauss",
        "--moments",
        "exact",
        "--json",
    ]);
    let fits = document["fits"].as_array().unwrap();
    assert_eq!(fits.len(), 3);
    assert_eq!(fits[1]["terms"], serde_json::json!(["l0", "l2"]));
    let l0 = fits[0]["coefficients"][0].as_f64().unwrap();
    assert!((l0 / -0.0053462 - 1.0).abs() < 2e-5);
    let text =
        String::from_utf8(run(&["eft", "--fit", "--arch", "relu", "--moments", "exact"]).stdout)
            .unwrap();
    assert!(
        text.contains("1 of 3") && text.contains("not determined"),
        "{text}"
    );
    refused(
        &["eft", "--fit", "--moments", "exact", "--cutoffs", "7,10"],
        &["--fit uses one cutoff"],
    );
    refused(
        &[
            "eft",
            "--fit",
            "--moments",
            "exact",
            "--inputs",
            "0.3",
            "--orders",
            "2,4,6",
        ],
        &["cannot fix 2 coefficients"],
    );
}

#[test]
fn relu_runs_with_slope_minus_seven_in_three_dimensions() {
    let start = std::time::Instant::now();
    let document = json(&[
        "rg",
        "--arch",
        "relu",
        "--d-in",
        "3",
        "--moments",
        "exact",
        "--json",
    ]);
    assert!(start.elapsed().as_secs_f64() < 20.0);
    assert_eq!(document["schema"], "nnqft.rg/1");
    assert_eq!(document["points"].as_array().unwrap().len(), 21);
    for name in ["asymptotic_slope", "theory_slope"] {
        assert!((document[name].as_f64().unwrap() + 7.0).abs() < 1e-6);
    }
    assert!((document["fit"]["slope"].as_f64().unwrap() + 7.0).abs() < 1e-6);
    assert_eq!(document["uv"]["reached"], true);
}

#[test]
fn the_flow_of_an_ensemble_has_errors() {
    let document = json(&[
        "rg",
        "--arch",
        "relu",
        "--nets",
        "1e4",
        "--cutoffs",
        "100,7",
        "--json",
    ]);
    let points = document["points"].as_array().unwrap();
    for p in points {
        assert!(p["lambda_std_err"].as_f64().unwrap() > 0.0);
    }
    // One set of moments: the ratio of couplings is that of the integrals.
    let lambda = |k: usize| points[k]["lambda_mean"].as_f64().unwrap();
    assert!((lambda(0) / lambda(1) * (100f64 / 7.0).powi(5) - 1.0).abs() < 1e-9);
}

#[test]
fn couplings_of_an_unconverged_ensemble_are_not_claimed() {
    let output = run(&[
        "eft",
        "--arch",
        "gauss",
        "--width",
        "2",
        "--nets",
        "1e5",
        "--cutoffs",
        "100",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("NOT CONVERGED: 6-point function"), "{text}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("not to be relied on"), "{message}");
}

#[test]
fn bad_requests_say_what_to_do() {
    for command in ["eft", "rg"] {
        refused(
            &[command, "--moments", "exact", "--cutoffs", "0"],
            &["--cutoffs 0", "positive"],
        );
        refused(
            &[command, "--moments", "exact", "--cutoffs", "-5"],
            &["--cutoffs -5"],
        );
        refused(
            &[command, "--moments", "exact", "--cutoffs", "ten"],
            &["not a number"],
        );
        refused(
            &[command, "--moments", "exact", "--cutoffs", "nan"],
            &["positive"],
        );
        refused(&[command, "--vertex", "half"], &["use full or weight"]);
        refused(&[command, "--orders", "2", "--nets", "100"], &["include 4"]);
    }
    refused(
        &[
            "eft",
            "--arch",
            "relu",
            "--moments",
            "exact",
            "--cutoffs",
            "inf",
        ],
        &["grows like |y|"],
    );
    refused(
        &[
            "eft",
            "--arch",
            "gauss",
            "--moments",
            "exact",
            "--cutoffs",
            "inf",
        ],
        &["--vertex weight"],
    );
    refused(
        &["rg", "--arch", "gauss", "--cutoffs", "inf"],
        &["does not run"],
    );
    // Refused before an hour of sampling.
    let start = std::time::Instant::now();
    refused(
        &["eft", "--nets", "1e9", "--cutoffs", "7,inf"],
        &["diverges"],
    );
    assert!(start.elapsed().as_secs_f64() < 5.0);
    // Antipodal points share no y: said, not hidden.
    let text = run(&[
        "eft",
        "--arch",
        "relu",
        "--inputs",
        "-0.5;1",
        "--moments",
        "exact",
        "--cutoffs",
        "10",
    ]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("vanishes for 3 of 5 tuples"), "{text}");
}
