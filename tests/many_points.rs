//! Order 2 of as many points as a kernel has rows.

mod common;

use std::fmt::Write;
use std::fs;
use std::time::Instant;

use common::cli::{json, numbers, refused, run};

const POINTS: usize = 1000;

/// 1000 points on a spiral, as numpy.savetxt writes them.
fn points() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    let text = (0..POINTS).fold(String::from("x,y\n"), |mut text, p| {
        let t = p as f64 / 50.0;
        writeln!(
            text,
            "{:.18e},{:.18e}",
            t.cos() * t / 10.0,
            t.sin() * t / 10.0
        )
        .unwrap();
        text
    });
    fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn the_kernel_of_a_thousand_points_is_measured() {
    let file = points();
    let start = Instant::now();
    let document = json(&[
        "ensemble",
        "--inputs",
        file.path().to_str().unwrap(),
        "--orders",
        "2",
        "--nets",
        "640",
        "--experiments",
        "2",
        "--width",
        "10",
        "--backend",
        "cpu",
        "--json",
    ]);
    // Twenty times what it takes: an algorithm that is quadratic in the elements takes hours.
    assert!(start.elapsed().as_secs() < 120);
    let c = &document["correlators"][0];
    let (mean, gp, error) = (
        numbers(&c["mean"]),
        numbers(&c["gp"]),
        numbers(&c["std_err"]),
    );
    assert_eq!(mean.len(), POINTS * (POINTS + 1) / 2);
    assert_eq!(c["exact"], c["gp"]);
    // Elements are correlated: few are far, and the mean square is that of one.
    let square = |e: usize| ((mean[e] - gp[e]) / error[e]).powi(2);
    let average = (0..mean.len()).map(square).sum::<f64>() / mean.len() as f64;
    assert!((0.05..5.0).contains(&average), "{average}");
}

#[test]
fn theory_of_a_thousand_points_is_short_to_read() {
    let file = points();
    let inputs = file.path().to_str().unwrap();
    let output = run(&["theory", "--elements", "--inputs", inputs, "--orders", "2"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.lines().count() < 1100);
    for part in [
        "first 30 of 1000 points",
        "first 1000 of 500500 elements",
        "the JSON document has all",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn memory_is_the_limit() {
    let file = points();
    let inputs = file.path().to_str().unwrap();
    refused(
        &["ensemble", "--inputs", inputs, "--orders", "2,4"],
        &["GiB of memory", "--orders"],
    );
}
