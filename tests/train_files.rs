//! Training that is stopped and split, as a user sees it.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;

use common::cli::refused;
use common::runs::{run, signal, start, stderr, succeeded, text, wait_for, with};
use nnqft_gpu::state::{self, State, TrainState};

/// A second or so on two threads.
#[rustfmt::skip]
const TRAIN: [&str; 15] = [
    "train", "--backend", "cpu", "--arch", "tanh", "--width", "20,30", "--nets", "4000",
    "--data", "-1=0.5;0.2=-0.3", "--inputs", "1", "--steps", "0,150",
];
const SMALL: [&str; 13] = [
    "train",
    "--backend",
    "cpu",
    "--width",
    "4",
    "--nets",
    "600",
    "--data",
    "-1=0.5",
    "--inputs",
    "1",
    "--steps",
    "3",
];

fn networks(path: &Path) -> (u64, u64) {
    let state: State<TrainState> = state::read(path).unwrap();
    state.networks()
}

#[test]
fn a_stopped_training_goes_on_to_the_same_result() {
    let dir = tempfile::tempdir().unwrap();
    let json = with(&TRAIN, &["--json"]);
    let whole = succeeded(&json);
    assert_eq!(whole["checks"].as_array().unwrap().len(), 8);
    for name in ["INT", "TERM"] {
        let path = dir.path().join(format!("{name} run.state"));
        let keep = ["--checkpoint-interval", "0.02", "--checkpoint", text(&path)];
        let child = start(&with(&json, &keep));
        wait_for("progress", || path.exists() && networks(&path).0 > 0);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{message}");
        assert!(output.stdout.is_empty());
        let go_on = format!("train --resume '{}'", path.display());
        assert!(
            message.contains("interrupted") && message.contains(&go_on),
            "{message}"
        );
        let (done, all) = networks(&path);
        assert!(done > 0 && done < all, "{done} of {all}");
        // Everything but the output options comes from the file.
        let resume = ["train", "--resume", text(&path), "--json"];
        assert_eq!(succeeded(&resume), whole);
        // And again: there is nothing left to train.
        assert_eq!(succeeded(&resume), whole);
    }
}

#[test]
fn shards_of_a_training_merge_to_its_result() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..3)
        .map(|i| dir.path().join(format!("part{i}.state")))
        .collect();
    let names: Vec<&str> = files.iter().map(|f| text(f)).collect();
    for (i, file) in names.iter().enumerate() {
        let shard = format!("{i}/3");
        let kept = ["--shard", &shard, "--checkpoint", file];
        let output = run(&with(&SMALL, &kept));
        assert!(output.status.success(), "{}", stderr(&output));
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        let partial = format!("PARTIAL: shard {shard}: ");
        assert!(
            table.contains(&partial) && table.contains("checks are made once all are there"),
            "{table}"
        );
        assert!(!table.contains("p-value"), "{table}");
    }
    let out = dir.path().join("results");
    let merged = with(&["merge", "--json", "--out", text(&out)], &names);
    let whole = succeeded(&with(&SMALL, &["--json"]));
    assert_eq!(whole["checks"].as_array().unwrap().len(), 4);
    assert_eq!(succeeded(&merged), whole);
    assert!(out.join("train.json").exists() && out.join("train.npz").exists());

    let two = with(&["merge"], &[names[2], names[0]]);
    let output = run(&two);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(output.stdout.is_empty());
    for part in [
        "missing: width 4, experiment 0, networks",
        "missing: width 4, for the check zero, experiment 0, networks",
        "no file has shard 1/3",
        "--partial",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let partial = succeeded(&with(&two, &["--partial", "--json"]));
    assert_eq!(partial["partial"]["of"], 600);
    assert!(partial["checks"].as_array().unwrap().is_empty());

    // A shard that was trained twice, one of another training, and one of no training.
    refused(
        &with(&two, &[names[0]]),
        &["part0.state", "the same networks", "leave one out"],
    );
    let other = dir.path().join("other.state");
    let rate = ["--shard", "1/3", "--checkpoint", text(&other)];
    assert!(
        run(&with(&with(&SMALL, &["--rate", "0.3"]), &rate))
            .status
            .success()
    );
    refused(
        &with(&two, &[text(&other)]),
        &["--rate", "the default in ", "0.3 in ", "other.state"],
    );
    let drawn = dir.path().join("drawn.state");
    let ensemble = ["ensemble", "--backend", "cpu", "--nets", "100"];
    assert!(
        run(&with(&ensemble, &["--checkpoint", text(&drawn)]))
            .status
            .success()
    );
    refused(
        &with(&two, &[text(&drawn)]),
        &["drawn.state holds a run of ensemble", "one of train"],
    );
    refused(
        &["train", "--resume", text(&drawn)],
        &["drawn.state", "a run of ensemble, not of train"],
    );
    refused(
        &["ensemble", "--resume", names[0]],
        &["part0.state", "a run of train, not of ensemble"],
    );
    refused(
        &["merge", text(&drawn), "--allow-diverged"],
        &["--allow-diverged", "not trained"],
    );
    refused(
        &with(&["merge", "--elements"], &names),
        &["--elements", "--json"],
    );
}

#[test]
fn nothing_of_a_training_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    let file = text(&path);
    refused(
        &with(&SMALL, &["--shard", "0/2"]),
        &["--shard", "--checkpoint"],
    );
    refused(
        &with(&SMALL, &["--shard", "0/1000", "--checkpoint", file]),
        &["--shard", "use at most 38 shards"],
    );
    refused(&["train"], &["--data", "give points with their targets"]);
    refused(&["train", "--resume", file], &["--resume", "no such file"]);
    assert!(!path.exists());
    let whole = succeeded(&with(&SMALL, &["--json", "--checkpoint", file]));
    refused(
        &with(&SMALL, &["--checkpoint", file]),
        &["--checkpoint", "exists", "--resume"],
    );
    for (option, value, parts) in [
        ("--nets", "1200", ["has 600", "not 1200"]),
        ("--seed", "7", ["has 0", "not 7"]),
        ("--width", "4,5", ["has 4", "not 4,5"]),
        ("--inputs", "2", ["has 1,", "not 2"]),
        ("--rate", "0.5", ["has the default", "not 0.5"]),
        ("--steps", "4,3", ["has 3", "not 3,4"]),
        ("--train", "readout", ["has all", "not readout"]),
        ("--data", "-1=0.25", ["has -1=0.5", "not -1=0.25"]),
    ] {
        let message = format!("error: {option}: the run of ");
        let can = "of a training nothing can change";
        refused(
            &["train", "--resume", file, option, value],
            &[&message, parts[0], parts[1], can],
        );
    }
    // A command that may start a run says all of it, its defaults too.
    let both = ["--checkpoint", file, "--resume", file];
    refused(
        &with(&["train", "--data", "-1=0.5", "--nets", "600"], &both),
        &["--width: the run of ", "has 4, not 100, the default"],
    );
    assert_eq!(succeeded(&with(&SMALL, &with(&both, &["--json"]))), whole);
    // The same options are no contradiction.
    let same = ["train", "--resume", file, "--steps", "3", "--nets", "6e2"];
    assert_eq!(succeeded(&with(&same, &["--json"])), whole);
}

#[test]
fn networks_that_diverge_are_allowed_when_parts_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = "train --backend cpu --arch linear --sigma-w 1 --sigma-b 0 --width 2 --nets 2000 --data 1=1 --inputs 0.5 --rate 0.7 --steps 200";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let files = ["0", "1"].map(|i| dir.path().join(format!("{i}.state")));
    for (i, path) in files.iter().enumerate() {
        let shard = format!("{i}/2");
        let kept = ["--shard", &shard, "--checkpoint", text(path)];
        let strict = with(&arguments, &kept);
        refused(&strict, &["--rate 0.7", "add --allow-diverged"]);
        // What it has trained is there, and goes on.
        assert!(networks(path).0 > 900);
        let resume = ["train", "--resume", text(path), "--allow-diverged"];
        let output = run(&resume);
        assert!(output.status.success(), "{}", stderr(&output));
        let (done, all) = networks(path);
        assert_eq!(done, all);
    }
    let merge = ["merge", text(&files[0]), text(&files[1])];
    refused(&merge, &["--rate 0.7: 85 of 2000", "--allow-diverged"]);
    let allowed = ["--allow-diverged", "--json"];
    assert_eq!(
        succeeded(&with(&merge, &allowed)),
        succeeded(&with(&arguments, &allowed))
    );
    fs::remove_file(&files[0]).unwrap();
}
