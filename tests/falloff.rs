//! `falloff`: slopes against exact ones, and the command as a user calls it.

mod common;

use std::fs;

use nnqft_gpu::analysis::{self, Falloff, FalloffWidth, connected_spec};
use nnqft_gpu::engine::{self, cpu::CpuEngine};
use nnqft_gpu::model::{EnsembleSpec, source_nets};

use common::cli::{json, refused, run};

fn sweep(arch: &str, widths: &[u64], nets: u64) -> Falloff {
    let mut cpu = CpuEngine::new();
    let mut draw = |spec: &EnsembleSpec| {
        let moments = engine::run(&mut cpu, spec, &|_| {}).unwrap();
        analysis::correlators(spec, &moments).unwrap()
    };
    let all = widths.iter().map(|&width| {
        let preset = EnsembleSpec::preset(arch, 1).unwrap();
        let spec = EnsembleSpec {
            nets,
            ..preset.with_width(width)
        };
        let connected = connected_spec(&spec, true).unwrap().unwrap();
        let (a, b) = (draw(&spec), draw(&connected));
        FalloffWidth::new((&spec, &a), Some((&connected, &b)))
    });
    Falloff::new(all.collect())
}

#[test]
fn the_slope_of_m_4_is_minus_one_and_that_of_m_6_what_exact_moments_have() {
    for arch in source_nets() {
        let falloff = sweep(arch, &[3, 10, 30, 100], 20_000);
        assert!(
            falloff.unconverged().is_empty(),
            "{:?}",
            falloff.unconverged()
        );
        let [four, six] = &falloff.connected_fits[..] else {
            panic!("orders 4 and 6 fall off");
        };
        // The connected 4-point function is 1/N exactly.
        assert!((four.exact_slope.unwrap() + 1.0).abs() < 1e-9);
        for fit in [four, six] {
            assert_eq!(fit.widths_used, [3, 10, 30, 100], "{arch}");
            let pull = (fit.slope.unwrap() - fit.exact_slope.unwrap()) / fit.std_err.unwrap();
            // Errors from ten experiments: Student's t.
            assert!(pull.abs() < 6.0, "{arch} m_{}: {fit:?}", fit.order);
            assert!(fit.std_err.unwrap() < 0.02);
        }
        // 1/N^2 makes m_6 steeper where all terms are positive.
        assert!(six.exact_slope.unwrap() < -1.0);
    }
}

#[test]
fn tilting_can_be_refused() {
    let base = "falloff --arch gauss --nets 1e3 --width 2,4 --orders 4 --json";
    let base: Vec<&str> = base.split(' ').collect();
    let second = |more: &[&str]| {
        let output = run(&[&base[..], more].concat());
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        document["connected_spec"].clone()
    };
    assert_eq!(second(&[])["nets"], 10_000);
    assert!(second(&[])["tilt"].is_object());
    refused(
        &[&base[..], &["--tilt", "some"]].concat(),
        &["use auto or none"],
    );
    assert_eq!(second(&["--tilt", "none"])["nets"], 1000);
    assert!(second(&["--tilt", "none"])["tilt"].is_null());
}

#[test]
fn the_direct_estimator_sees_relu_above_the_background_and_misses_gauss() {
    let relu = sweep("relu", &[2, 5, 10, 1000], 20_000);
    let four = &relu.fits[0];
    assert_eq!((four.order, &four.widths_used[..]), (4, &[2, 5, 10][..]));
    assert!((four.slope.unwrap() + 1.0).abs() < 6.0 * four.std_err.unwrap());
    assert!(four.unconverged.is_empty());

    let gauss = sweep("gauss", &[2, 5, 10], 20_000);
    let six = &gauss.fits[1];
    assert!(!six.unconverged.is_empty());
    // The measured curve is far too low, by many of its own errors, and no slope of it counts.
    assert_eq!(six.unconverged, six.widths_used);
    for w in &gauss.widths {
        let p = &w.orders[2];
        let (m, exact) = (p.deviation_mean.unwrap(), p.exact_mean.unwrap());
        assert!(m < 0.5 * exact && exact - m > 5.0 * p.std_err.unwrap());
        assert!(p.unconverged.is_some());
    }
    let truth = &gauss.widths[0].orders[2];
    assert!((truth.exact_mean.unwrap() - 5101.0).abs() < 1.0);
    assert!(truth.deviation_mean.unwrap() < 1000.0);
    let tilted = truth.connected.as_ref().unwrap();
    let off = (tilted.deviation_mean.unwrap() - 5101.0) / tilted.std_err.unwrap();
    assert!(
        off.abs() < 5.0 && tilted.unconverged.is_none(),
        "{tilted:?}"
    );
}

#[test]
fn one_connected_network_is_worth_what_theory_says() {
    // Measured in PHYSICS: 1.4e7 for one element of Erf-net at N = 100; the gain grows as N^2.
    let erf = sweep("erf", &[50, 100], 20_000);
    let gain = |w: usize| {
        erf.widths[w].orders[1]
            .connected
            .as_ref()
            .unwrap()
            .gain
            .unwrap()
    };
    assert!((3e6..3e7).contains(&gain(1)), "{:e}", gain(1));
    assert!(
        (3.0..5.0).contains(&(gain(1) / gain(0))),
        "{}",
        gain(1) / gain(0)
    );
}

#[test]
fn one_width_or_nothing_above_the_background_gives_no_slope() {
    let one = sweep("relu", &[10], 2000);
    assert_eq!((one.fits[0].slope, one.fits[0].std_err), (None, None));
    let none = sweep("erf", &[100, 1000], 2000);
    assert_eq!(none.fits[0].slope, None);
    assert!(none.connected_fits[0].slope.is_some());
}

#[test]
fn the_document_that_scripts_read() {
    let common = [
        "falloff", "--arch", "relu", "--width", "2,10", "--nets", "2000", "--json",
    ];
    let document = json(&[&common[..], &["--backend", "cpu"]].concat());
    assert_eq!(document["schema"], "nnqft.falloff/2");
    assert_eq!(document["command"], "falloff");
    for key in ["version", "spec", "device", "timing"] {
        assert!(!document[key].is_null(), "{key}");
    }
    assert_eq!(document["widths"][1]["width"], 10);
    let point = &document["widths"][0]["orders"][1];
    assert_eq!(point["order"], 4);
    for key in ["deviation_mean", "std_err", "background", "exact_mean"] {
        assert!(point[key].is_f64(), "{key}: {point}");
    }
    assert_eq!(document["fits"][0]["order"], 4);
    assert!(document["fits"][0]["slope"].is_f64() && document["fits"][0]["std_err"].is_f64());
    assert_eq!(
        document["fits"][0]["widths_used"].as_array().unwrap().len(),
        2
    );
    assert!(document["connected_fits"][0]["slope"].is_f64());
    assert_eq!(document["connected_spec"]["estimator"], "connected");
    // One estimator on request.
    let one = json(
        &[
            &common[..],
            &["--backend", "cpu", "--estimator", "connected"],
        ]
        .concat(),
    );
    assert_eq!(one["spec"]["estimator"], "connected");
    assert!(
        one["connected_fits"].is_null() && one["widths"][0]["orders"][1]["connected"].is_null()
    );
}

#[test]
fn plots_of_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let small = ["--nets", "1000", "--backend", "cpu"];
    for (command, options, parts) in [
        (
            "ensemble",
            &small[..],
            &["direct", "background", "exact", "n = 4", "n = 6"][..],
        ),
        (
            "falloff",
            &["--nets", "1000", "--backend", "cpu", "--width", "2,5,50"],
            &["connected, n = 6", "width N"],
        ),
        ("eft", &["--moments", "exact"], &["cutoff Λ", "δ"]),
        (
            "eft",
            &["--moments", "exact", "--cutoffs", "100"],
            &["GP / G⁽⁶⁾"],
        ),
        ("rg", &["--moments", "exact"], &["slope −5", "|λ|"]),
        (
            "symmetry",
            &["--moments", "exact"],
            &["one loop, exact", "number of outputs"],
        ),
    ] {
        let file = dir.path().join("figure.svg");
        let out = dir.path().join("out");
        let plot = [
            "--arch",
            "relu",
            "--plot",
            file.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        let output = run(&[&[command][..], options, &plot].concat());
        assert!(output.status.success(), "{command}: {output:?}");
        let svg = fs::read_to_string(&file).unwrap();
        for part in parts {
            assert!(svg.contains(part), "{command}: no '{part}'");
        }
        // Marks or lines, and their values.
        assert!(svg.matches("<title>").count() >= 4, "{command}");
        assert_eq!(
            fs::read_to_string(out.join(format!("{command}.svg"))).unwrap(),
            svg
        );
        let csv = fs::read_to_string(out.join(format!("{command}.csv"))).unwrap();
        assert!(csv.starts_with("series,"), "{csv}");
        // The document beside them is the command's.
        let document = fs::read(out.join(format!("{command}.json"))).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["schema"], format!("nnqft.{command}/2"));
        fs::remove_dir_all(out).unwrap();
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn the_terminal_shows_the_curves() {
    for command in [
        &[
            "falloff",
            "--arch",
            "relu",
            "--nets",
            "1000",
            "--width",
            "2,10,100",
            "--backend",
            "cpu",
        ][..],
        &["rg", "--arch", "relu", "--moments", "exact"],
    ] {
        let output = run(command);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains('┤') && text.contains('└'), "{text}");
        let plot = text.split("\n\n|").nth(1).unwrap();
        assert!(plot.lines().all(|l| l.chars().count() <= 80), "{plot}");
    }
}

#[test]
fn refusals() {
    let dir = tempfile::tempdir().unwrap();
    let png = dir.path().join("figure.png");
    let png = png.to_str().unwrap();
    refused(&["falloff", "--plot", png], &["--plot", ".svg"]);
    refused(
        &["ensemble", "--width", "2,3", "--plot", "a.svg"],
        &["--plot a.svg", "2 figures", "--out"],
    );
    refused(
        &["rg", "--moments", "exact", "--plot", "/proc/nowhere.svg"],
        &["cannot be written"],
    );
    refused(&["falloff", "--width", "0"], &["--width 0"]);
    refused(
        &["falloff", "--tilt", "auto"],
        &["--tilt auto", "--estimator connected"],
    );
    assert!(!dir.path().join("figure.png").exists());
}
