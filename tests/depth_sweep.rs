//! The program on networks of several hidden layers: sweeps over depth and width, layers, refusals.

mod common;

use common::cli::{json, numbers, refused, run};

#[test]
fn a_sweep_over_depths_finds_the_slopes() {
    let sweep = |arch: &str, more: &[&str]| {
        let options = [
            "--critical",
            "--depth",
            "1,2,4",
            "--nets",
            "2000",
            "--backend",
            "cpu",
            "--json",
        ];
        json(&[&["depth", "--arch", arch], &options[..], more].concat())
    };
    // n v / K^2 at leading order: 5 L, 2 L.
    for (arch, slope, inputs) in [("relu", 5f64, "0.5;1"), ("linear", 2.0, "0.5;-1")] {
        let document = sweep(arch, &["--inputs", inputs, "--width", "200"]);
        for depth in document["depths"].as_array().unwrap() {
            let (l, vertex) = (depth["depth"].as_f64().unwrap(), &depth["vertex"]);
            let want = 200.0 * ((1.0 + slope / 200.0).powf(l) - 1.0);
            assert!(
                (vertex["exact"].as_f64().unwrap() - want).abs() < 1e-6,
                "{arch} {vertex}"
            );
            let (mean, error) = (
                vertex["mean"].as_f64().unwrap(),
                vertex["std_err"].as_f64().unwrap(),
            );
            assert!((mean - want).abs() < 4.0 * error, "{arch} {vertex}");
        }
        let fits = document["fits"].as_array().unwrap();
        let fit = fits.last().unwrap();
        assert!(fit["order"].is_null());
        let (got, error) = (
            fit["slope"].as_f64().unwrap(),
            fit["std_err"].as_f64().unwrap(),
        );
        let want = fit["predicted_slope"].as_f64().unwrap();
        assert!((got - want).abs() < 4.0 * error && (want - 1.0).abs() < 0.05);
    }
    // Depth over width is what counts.
    let document = sweep(
        "tanh",
        &["--inputs", "0.3", "--aspect", "0.02", "--orders", "2,4"],
    );
    let widths: Vec<u64> = (document["depths"].as_array().unwrap().iter())
        .map(|d| d["width"].as_u64().unwrap())
        .collect();
    assert_eq!(widths, [50, 100, 200]);
}

#[test]
fn widths_collapse_in_depth_over_width() {
    let document = json(&[
        "depth",
        "--arch",
        "relu",
        "--critical",
        "--inputs",
        "0.5;1",
        "--depth",
        "1,2,4",
        "--width",
        "20,40,80",
        "--orders",
        "4",
        "--nets",
        "4000",
        "--backend",
        "cpu",
        "--json",
    ]);
    let depths = document["depths"].as_array().unwrap();
    let shape =
        |d: &serde_json::Value| (d["depth"].as_u64().unwrap(), d["width"].as_u64().unwrap());
    assert_eq!(depths.len(), 9);
    assert_eq!(shape(&depths[1]), (1, 40));
    // Networks of one L/N have one m_4, up to what is of higher order in 1/N.
    let of_aspect = |aspect: f64| -> Vec<(f64, f64, f64)> {
        (depths.iter())
            .filter(|d| shape(d).0 as f64 / shape(d).1 as f64 == aspect)
            .map(|d| {
                let four = &d["orders"][0];
                let number = |name: &str| four[name].as_f64().unwrap();
                let width = shape(d).1 as f64;
                (number("deviation_mean"), number("std_err"), 5.0 / width)
            })
            .collect()
    };
    let same = of_aspect(0.05);
    assert_eq!(same.len(), 3);
    // m_4 = (1 + 5/N)^L - 1 is e^(5 L/N) - 1 at small L/N, less a part (5/N) / 2 of its logarithm's.
    for (mean, error, part) in same {
        let collapsed = 0.25f64.exp() - 1.0;
        let higher = 0.5 * part * 0.25 * 0.25f64.exp();
        assert!(
            (mean - collapsed).abs() < higher + 4.0 * error,
            "{mean} {error}"
        );
    }
    // Each width has its own slopes.
    let fits = document["fits"].as_array().unwrap();
    let widths: Vec<u64> = fits.iter().map(|f| f["width"].as_u64().unwrap()).collect();
    assert_eq!(widths, [20, 20, 40, 40, 80, 80]);
}

#[test]
fn theory_has_the_layers() {
    let layers = ["--layers", "--json", "--depth", "3", "--width", "1000"];
    let net = [
        "theory",
        "--activation",
        "sin(z)",
        "--sigma-w",
        "1.224744871391589",
        "--sigma-b",
        "0.31622776601683794",
        "--inputs",
        "0.7,-0.4;0.3,1.1",
    ];
    let document = json(&[&net[..], &layers].concat());
    let last = &document["layers"][2];
    let kernel = numbers(&last["kernel"][0]);
    // Independent values of three layers.
    for (got, want) in kernel.iter().zip([0.6382189, 0.20860683]) {
        assert!((got - want).abs() < 1e-7);
    }
    let mean = numbers(&last["mean_correction"]);
    for (got, want) in mean.iter().zip([-0.1608341, 0.0573127, -0.1419239]) {
        assert!((1000.0 * got - want).abs() < 1e-6);
    }
    let row = numbers(&last["covariance"][0]);
    for (got, want) in row.iter().zip([0.2883281, 0.0505823, 0.0065779]) {
        assert!((1000.0 * got - want).abs() < 1e-6);
    }
    let point = &document["critical"];
    assert_eq!(point["class"], "zero-kernel");
    assert!((point["sigma_w"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    let none = json(&[
        "theory", "--arch", "step", "--layers", "--json", "--orders", "2",
    ]);
    assert!(none["critical"].is_null());
    let correlators = document["correlators"].as_array().unwrap();
    for function in correlators {
        assert_eq!(function["reference"], "first order");
        assert!(function["exact"].is_null());
    }
}

#[test]
fn what_deep_nets_do_not_have_is_refused() {
    let deep = |command: &[&'static str], more: &[&'static str], parts: &[&str]| {
        refused(&[command, &["--depth", "2"], more].concat(), parts);
    };
    deep(&["ensemble"], &["--depth", "0"], &["depth", "1 to 1000"]);
    deep(&["ensemble"], &["--sigma-w", "1,2"], &["--sigma-w", "3"]);
    deep(
        &["ensemble", "--arch", "gauss"],
        &[],
        &["--depth", "log-normal"],
    );
    let tilt = ["--estimator", "connected", "--tilt", "auto"];
    deep(&["ensemble"], &tilt, &["--tilt", "one hidden layer"]);
    deep(
        &["eft", "--moments", "exact"],
        &[],
        &["--moments", "sampled"],
    );
    deep(&["rg", "--orders", "4"], &[], &["--orders", "include 2"]);
    deep(&["symmetry"], &[], &["--depth", "one hidden layer"]);
    refused(
        &["ensemble", "--critical", "--arch", "cos"],
        &["--activation", "cos(z)"],
    );
    refused(
        &["falloff", "--hidden", "3,4"],
        &["--hidden", "--depth and --width"],
    );
    refused(
        &["depth", "--hidden", "3,4"],
        &["--hidden", "--depth and --width"],
    );
    for aspect in ["0", "-1"] {
        refused(&["depth", "--aspect", aspect], &["--aspect", "above 0"]);
    }
    let both = run(&["ensemble", "--hidden", "3,4", "--width", "5"]);
    assert_eq!(both.status.code(), Some(2));
}
