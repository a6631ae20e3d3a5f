//! Results on the disk: not written over, not half written, and said.

mod common;

use std::fs;
use std::path::Path;

use common::cli::{refused, run};

/// A few networks at two points.
#[rustfmt::skip]
const SMALL: [&str; 8] = [
    "--arch", "relu", "--inputs", "1;2", "--nets", "64", "--backend", "cpu",
];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The files with their contents.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = names(folder).into_iter();
    names
        .map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap()))
        .collect()
}

/// The lines on stderr that say what was written.
fn written(arguments: &[&str]) -> Vec<String> {
    let output = run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{arguments:?}: {message}"
    );
    let lines = message.lines().filter_map(|l| l.strip_prefix("wrote "));
    let mut lines: Vec<String> = lines.map(String::from).collect();
    lines.sort();
    lines
}

#[test]
fn results_of_another_run_are_not_written_over() {
    let commands: [(&str, &[&str]); 7] = [
        ("ensemble", &SMALL),
        ("falloff", &[&SMALL[..], &["--width", "2,5"]].concat()),
        ("symmetry", &[&SMALL[..], &["--d-out", "1,2"]].concat()),
        (
            "train",
            &[
                "--data", "1=0.5", "--width", "3", "--nets", "512", "--steps", "0,2",
            ],
        ),
        ("theory", &["--arch", "relu"]),
        (
            "eft",
            &["--arch", "relu", "--moments", "exact", "--cutoffs", "10"],
        ),
        (
            "rg",
            &["--arch", "relu", "--moments", "exact", "--cutoffs", "10,20"],
        ),
    ];
    for (command, options) in commands {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("results");
        let folder = out.to_str().unwrap();
        let arguments = [&[command, "--out", folder], options].concat();
        let said = written(&arguments);
        let files = contents(&out);
        let paths: Vec<String> = (files.iter())
            .map(|(name, _)| format!("{folder}/{name}"))
            .collect();
        assert_eq!(said, paths, "{command}");
        assert!(
            files
                .iter()
                .any(|(name, _)| *name == format!("{command}.json"))
        );

        // The same command, and any other.
        let json = format!("{command}.");
        refused(&arguments, &["--out", folder, &json, "--force"]);
        refused(&["theory", "--out", folder], &["--out", folder, "--force"]);
        assert_eq!(contents(&out), files, "{command}");
        assert_eq!(written(&[&arguments[..], &["--force"]].concat()), paths);
    }
    // Files of the user's are no results.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("points.csv"), "1\n2\n").unwrap();
    let folder = dir.path().to_str().unwrap();
    assert_eq!(written(&["theory", "--out", folder]).len(), 1);
}

#[test]
fn refused_before_anything_is_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    fs::write(dir.path().join("ensemble.json"), "{}").unwrap();
    let svg = dir.path().join("figure.svg");
    fs::write(&svg, "").unwrap();
    let state = dir.path().join("run.state");
    // A run of this size would take days.
    let long = ["ensemble", "--nets", "4e9", "--width", "1e6"];
    let keep = ["--checkpoint", state.to_str().unwrap()];
    let file = svg.to_str().unwrap();
    refused(
        &[&long[..], &keep, &["--out", folder]].concat(),
        &["ensemble.json"],
    );
    refused(
        &[&long[..], &keep, &["--plot", file]].concat(),
        &["figure.svg", "exists", "--force"],
    );
    refused(
        &[&long[..], &keep, &["--out", file]].concat(),
        &["this is a file"],
    );
    assert_eq!(names(dir.path()), ["ensemble.json", "figure.svg"]);
}

#[test]
fn a_figure_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("figure.svg");
    let file = file.to_str().unwrap();
    let plot = ["rg", "--arch", "relu", "--moments", "exact", "--plot", file];
    assert_eq!(written(&plot), [file]);
    let figure = fs::read(file).unwrap();
    refused(&plot, &["--plot", file, "--force"]);
    assert_eq!(fs::read(file).unwrap(), figure);
    assert_eq!(written(&[&plot[..], &["--force"]].concat()), [file]);
    // One that is among the files of --out is written once.
    let out = dir.path().join("out");
    let (inside, out) = (out.join("rg.svg"), out.to_str().unwrap());
    let both = [&plot[..6], &[inside.to_str().unwrap(), "--out", out]].concat();
    assert_eq!(written(&both).len(), 3);
    assert_eq!(names(Path::new(out)), ["rg.csv", "rg.json", "rg.svg"]);
}

#[test]
fn couplings_may_stand_beside_the_ensemble_that_they_are_read_from() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    written(&[&["ensemble", "--out", folder][..], &SMALL].concat());
    let ensemble = fs::read(dir.path().join("ensemble.json")).unwrap();
    let read = ["eft", "--cutoffs", "10", "--from", folder, "--out", folder];
    assert!(!written(&read).is_empty());
    refused(&read, &["eft.json", "--force"]);
    assert_eq!(
        fs::read(dir.path().join("ensemble.json")).unwrap(),
        ensemble
    );
    // Not beside one that they have nothing to do with.
    let other = ["eft", "--moments", "exact", "--out", folder];
    refused(&other, &["eft.json", "--force"]);
}

#[test]
fn a_run_that_fails_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new/folder");
    let figure = dir.path().join("figure.svg");
    let files = [
        "--out",
        out.to_str().unwrap(),
        "--plot",
        figure.to_str().unwrap(),
    ];
    refused(
        &[&["ensemble", "--width", "0"], &files[..]].concat(),
        &["--width"],
    );
    refused(
        &[&["ensemble", "--width", "2,3"], &files[..]].concat(),
        &["2 figures"],
    );
    refused(
        &[&["merge", "/no/such.state"], &files[..]].concat(),
        &["cannot read"],
    );
    assert!(names(dir.path()).is_empty());
}

/// A disk that fills up while the results are written: the folder is as it was.
#[test]
#[cfg(unix)]
fn results_are_written_all_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let folder = out.to_str().unwrap();
    let write = [
        "ensemble",
        "--out",
        folder,
        "--force",
        "--nets",
        "64",
        "--backend",
        "cpu",
    ];
    written(&write);
    let before = contents(&out);
    // No file may grow beyond 4 kB: the figure fits, the document does not.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_nnqft-gpu")])
        .args([&write[..], &["--seed", "1"]].concat())
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("writing ") && !message.contains("wrote"),
        "{message}"
    );
    assert_eq!(contents(&out), before);
}

#[test]
fn measurements_of_another_plan_are_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    let other = data.join("falloff-erf-n2.json");
    fs::write(&other, "{\"schema\":\"nnqft.falloff/2\"}").unwrap();
    let reproduce = ["reproduce", "--quick", "--backend", "cpu", "--out", out];
    refused(
        &reproduce,
        &["--out", "another scale, seed or version", "--force"],
    );
    assert_eq!(names(&data), ["falloff-erf-n2.json"]);
}
