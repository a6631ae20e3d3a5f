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
    assert_eq!(document["schema"], "nnqft.eft/2");
    assert_eq!(document["command"], "eft");
    assert_eq!(document["vertex"], "full");
    assert_eq!(document["moments"], "exact");
    assert_eq!(document["spec"]["hidden"], serde_json::json!([5]));
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
            ("exact", "lambda"),
            ("exact", "delta_mean"),
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
    refused(
        &["eft", "--from", "/nowhere"],
        &["a folder that ensemble has written"],
    );
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
    assert_eq!(document["schema"], "nnqft.rg/2");
    assert_eq!(document["command"], "rg");
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
fn a_coupling_that_is_zero_within_its_error_is_unmeasured() {
    let noise = ["--arch", "erf", "--nets", "1e4", "--seed", "8"];
    let one = ["eft", "--cutoffs", "100"];
    let output = run(&[&one[..], &noise, &["--json"]].concat());
    // -48.61 with an error of 0.22 where the exact delta is 0.986.
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("lambda is unmeasured"), "{message}");
    assert!(message.contains("the connected estimator"), "{message}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let at = &document["cutoffs"][0];
    let lambda = &at["lambda"];
    assert!(lambda["mean"].as_f64().unwrap().abs() < 3.0 * lambda["std_err"].as_f64().unwrap());
    assert_eq!(lambda["measured"], false);
    assert_eq!(lambda["degrees_of_freedom"], 9);
    let six = &at["six_point"];
    for name in [
        "delta_mean",
        "delta_std_err",
        "delta_interval",
        "delta_min",
        "delta_max",
        "ratio_mean",
    ] {
        assert!(six[name].is_null(), "{name}: {}", six[name]);
    }
    assert!(six["gp_ratio_mean"].as_f64().is_some());
    let text = String::from_utf8(run(&[&one[..], &noise].concat()).stdout).unwrap();
    assert!(text.contains("UNMEASURED: lambda is unmeasured"), "{text}");

    let output = run(&[&["rg"][..], &noise, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["fit"].is_null() && document["asymptotic_slope"].is_null());
    for end in ["uv", "ir"] {
        assert!(document[end]["relative_beta"].is_null() && document[end]["reached"].is_null());
    }
    let points = document["points"].as_array().unwrap();
    assert!(
        points
            .iter()
            .all(|p| p["slope"].is_null() && p["beta_std_err"].is_number())
    );
    let text = String::from_utf8(run(&[&["rg"][..], &noise].concat()).stdout).unwrap();
    assert!(!text.contains("fit of log"), "{text}");
    assert!(text.contains("21 of 21 cutoffs"), "{text}");
}

#[test]
fn errors_of_sampled_couplings_say_what_they_are() {
    let sampled = [
        "--arch",
        "erf",
        "--estimator",
        "connected",
        "--nets",
        "2000",
    ];
    let rg = json(&[&["rg", "--json"][..], &sampled].concat());
    let fit = &rg["fit"];
    assert_eq!(fit["error_of"], "experiments");
    let slope = |d: &serde_json::Value| d["fit"]["slope"].as_f64().unwrap();
    let exact = json(&["rg", "--arch", "erf", "--moments", "exact", "--json"]);
    assert_eq!(exact["fit"]["error_of"], "line");
    assert_eq!(exact["fit"]["std_err"], exact["fit"]["line_std_err"]);
    // The networks' error, not how well a straight line fits.
    let error = fit["std_err"].as_f64().unwrap();
    assert!((slope(&rg) - slope(&exact)).abs() < 4.1 * error);
    assert!(error < 0.1 * fit["line_std_err"].as_f64().unwrap());
    assert!(rg["asymptotic_slope_std_err"].as_f64().unwrap() > 0.0);
    assert!(exact["asymptotic_slope_std_err"] == 0.0);

    let text = |more: &[&str]| {
        let output = run(&[&["eft", "--cutoffs", "100"][..], &sampled, more].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(text(&[]).contains("9 degrees of freedom, 98.5%"));
    assert!(text(&["--experiments", "2"]).contains("1 degree of freedom, 79.5%"));
    assert!(text(&["--experiments", "1"]).contains("one experiment has no error"));
}

#[test]
fn fits_of_lambda_have_errors_and_name_noise() {
    let fit = ["eft", "--fit", "--arch", "erf", "--json"];
    let sampled = json(&[&fit[..], &["--estimator", "connected", "--nets", "1000"]].concat());
    let exact = json(&[&fit[..], &["--moments", "exact"]].concat());
    for (sampled, exact) in (sampled["fits"].as_array().unwrap().iter())
        .zip(exact["fits"].as_array().unwrap())
        .take(2)
    {
        let of = |d: &serde_json::Value, name: &str| d[name][0].as_f64().unwrap();
        let error = of(sampled, "coefficients_std_err");
        let off = of(sampled, "coefficients") - of(exact, "coefficients");
        assert!(error > 0.0 && off.abs() < 4.1 * error, "{off} {error}");
        assert_eq!(of(exact, "coefficients_std_err"), 0.0);
        let test = &sampled["test"];
        let off = test["mape"].as_f64().unwrap() - exact["test"]["mape"].as_f64().unwrap();
        assert!(
            off.abs() < 4.1 * test["std_err"].as_f64().unwrap(),
            "{test}"
        );
        assert_eq!(test["unmeasured"], 0);
    }
    let output = run(&[&fit[..], &["--nets", "1000"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let fit = &document["fits"][0];
    assert_eq!(fit["measured"], false);
    assert!(fit["test"]["mape"].is_null() && fit["train"]["max"].is_null());
}

#[test]
fn cutoffs_out_of_range_are_refused() {
    for command in ["eft", "rg", "symmetry"] {
        for (arch, cutoff, part) in [
            ("erf", "1e300", "--cutoffs 1e300: "),
            ("erf", "1e-300", "--cutoffs 1e-300: "),
            ("relu", "1e99", "of order 1e49"),
            ("relu", "1e-60", "of order 1e-30"),
            ("erf", "1e400", "beyond the range"),
            ("erf", "1e-400", "below the range"),
        ] {
            refused(
                &[
                    command,
                    "--arch",
                    arch,
                    "--moments",
                    "exact",
                    "--cutoffs",
                    cutoff,
                ],
                &[part, "range of f64"],
            );
        }
    }
    // The source's network, where the answer is a power of the cutoff.
    let document = json(&[
        "eft",
        "--arch",
        "relu",
        "--moments",
        "exact",
        "--cutoffs",
        "1e20,1e-20",
        "--json",
    ]);
    for (k, power) in [(0, -90), (1, 110)] {
        let lambda = document["cutoffs"][k]["lambda"]["mean"].as_f64().unwrap();
        assert!((lambda / (-6.25 * 10f64.powi(power - 11)) - 1.0).abs() < 1e-9);
    }
    // Long numbers are written short.
    let text = run(&["eft", "--moments", "exact", "--cutoffs", "1e30,1e-30"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains(" 1e30 ") && text.contains("1e-30 "), "{text}");
    assert!(text.lines().all(|l| l.chars().count() < 160), "{text}");
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
