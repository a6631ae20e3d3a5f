//! Runs that are stopped, killed, split and starved, as a user sees them.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::cli::{numbers, refused};
use common::runs::{
    document, limited, run, signal, start, stderr, succeeded, text, wait_for, with,
};
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::{BlockPlan, Engine, Queue};
use nnqft_gpu::state::{self, EnsembleState, State, StateFile, frame};
use serde_json::Value;

/// Two million networks, a second or two on two threads.
#[rustfmt::skip]
const RUN: [&str; 9] = [
    "ensemble", "--backend", "cpu", "--nets", "2e5", "--arch", "relu", "--width", "30",
];
/// Runs for hours.
const LONG: [&str; 5] = ["ensemble", "--backend", "cpu", "--nets", "4e9"];

/// Networks that a state file holds, if it is there.
fn saved(path: &Path) -> u64 {
    match path.exists() {
        true => state::read::<EnsembleState>(path).unwrap().networks().0,
        false => 0,
    }
}

#[test]
fn a_stopped_run_goes_on_to_the_same_result() {
    let dir = tempfile::tempdir().unwrap();
    let several = with(&RUN, &["--width", "7", "--json"]);
    let whole = succeeded(&several);
    assert_eq!(whole.as_array().unwrap().len(), 2);
    for name in ["INT", "TERM"] {
        let path = dir.path().join(format!("{name} run.state"));
        let keep = ["--checkpoint-interval", "0.02", "--checkpoint", text(&path)];
        let child = start(&with(&several, &keep));
        wait_for("progress", || saved(&path) > 0);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{message}");
        assert!(output.stdout.is_empty());
        let go_on = format!("ensemble --resume '{}'", path.display());
        assert!(
            message.contains("interrupted") && message.contains(&go_on),
            "{message}"
        );
        let done = saved(&path);
        assert!(done > 0 && done < 2 * 2_000_000, "{done}");
        // Everything but the output options comes from the file, the backend too.
        let resume = ["ensemble", "--resume", text(&path), "--json"];
        assert_eq!(succeeded(&resume), whole);
        // And again: there is nothing left to draw.
        assert_eq!(succeeded(&resume), whole);
    }
}

/// A block of these networks takes many seconds.
#[test]
fn a_batch_that_takes_long_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    let wide = [
        "ensemble",
        "--width",
        "1e8",
        "--nets",
        "64",
        "--backend",
        "cpu",
    ];
    let child = start(&with(&wide, &["--checkpoint", text(&path)]));
    wait_for("file", || path.exists());
    std::thread::sleep(Duration::from_millis(200));
    let begin = Instant::now();
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let took = begin.elapsed();
    // Two seconds, and as much for a busy machine.
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("interrupted: 0 of 640 networks are in"));
    assert_eq!(saved(&path), 0);
}

#[test]
fn without_a_file_nothing_is_saved_and_that_is_said() {
    // Nothing shows when its handlers are there: before that a signal ends it with no code.
    let stopped = |after: u64| {
        let child = start(&LONG);
        std::thread::sleep(Duration::from_millis(after));
        signal(&child, "TERM");
        child.wait_with_output().unwrap()
    };
    let output = ([100, 1000, 10_000].into_iter().map(stopped))
        .find(|output| output.status.code().is_some())
        .expect("a run that listens to signals within ten seconds");
    assert_eq!(output.status.code(), Some(130));
    let message = stderr(&output);
    assert!(
        message.contains("nothing was saved") && message.contains("--checkpoint"),
        "{message}"
    );
}

/// Whatever it is in the middle of: batches, stages of a comparison, blocks that take minutes.
#[test]
fn every_command_that_draws_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report");
    let out = dir.path().join("new");
    let cpu = ["--backend", "cpu"];
    let many = with(&cpu, &["--nets", "1e9"]);
    let wide = with(&cpu, &["--width", "1e8", "--nets", "64"]);
    let reproduce = with(&["reproduce", "--out", text(&report)], &cpu);
    for arguments in [
        with(&["falloff", "--out", text(&out)], &many),
        with(&["eft"], &many),
        with(&["rg"], &wide),
        with(&["symmetry", "--d-out", "2"], &many),
        vec!["compare-cpu", "--thorough"],
        reproduce.clone(),
    ] {
        // Nothing shows when its handlers are there: before that a signal ends it with no code.
        let stopped = |after: u64| {
            let child = start(&arguments);
            std::thread::sleep(Duration::from_millis(after));
            let begin = Instant::now();
            signal(&child, "INT");
            (child.wait_with_output().unwrap(), begin.elapsed())
        };
        let (output, took) = ([300, 2000, 10_000].into_iter().map(stopped))
            .find(|(output, _)| output.status.code().is_some())
            .expect("a run that listens to signals within ten seconds");
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{arguments:?}: {message}");
        // Two seconds, and as much for a busy machine.
        assert!(took < Duration::from_secs(4), "{arguments:?}: {took:?}");
        assert!(message.contains("interrupted: this measurement is lost"));
        assert!(output.stdout.is_empty());
        if arguments == reproduce {
            assert!(message.contains("the same command goes on"), "{message}");
        }
    }
    assert!(!out.exists());
    // What reproduce keeps are whole documents.
    for entry in fs::read_dir(report.join("data")).unwrap() {
        let path = entry.unwrap().path();
        serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // A block of this width takes minutes: one signal would be waited on for a second.
    let signalled = |after: u64| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.state");
        let wide = [
            "ensemble",
            "--backend",
            "cpu",
            "--width",
            "1e8",
            "--nets",
            "1000",
        ];
        let child = start(&with(&wide, &["--checkpoint", text(&path)]));
        wait_for("file", || path.exists());
        std::thread::sleep(Duration::from_millis(after));
        signal(&child, "INT");
        std::thread::sleep(Duration::from_millis(300));
        signal(&child, "INT");
        let begin = Instant::now();
        let output = child.wait_with_output().unwrap();
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(5));
        assert_eq!(output.status.code(), Some(130));
        assert_eq!(stderr(&output).matches("interrupted").count(), 1);
        assert_eq!(saved(&path), 0);
        took
    };
    // 700 ms are left of that second.
    let quickest = [300, 1000, 2000].into_iter().map(signalled).min();
    assert!(
        quickest.unwrap() < Duration::from_millis(500),
        "{quickest:?}"
    );
}

#[test]
fn a_hundred_kills_lose_nothing_but_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    let whole = succeeded(&with(&RUN, &["--json"]));
    let file = text(&path);
    let options = [
        "--checkpoint",
        file,
        "--resume",
        file,
        "--checkpoint-interval",
        "0.005",
        "--json",
    ];
    let again = with(&RUN, &options);
    // Any sequence will do; this one is the same every time.
    let mut random = 12345u64;
    let (mut kills, mut finished, mut before) = (0, 0, 0);
    while kills < 100 {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let mut child = start(&again);
        std::thread::sleep(Duration::from_micros(2000 + (random >> 40) % 100_000));
        let running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if running && output.status.code().is_none() {
            kills += 1;
            // Whole after every kill, and never less than before.
            let now = saved(&path);
            assert!(now >= before, "{now} after {before}");
            before = now;
        } else {
            assert_eq!(document(&output), whole);
            finished += 1;
            before = 0;
            fs::remove_file(&path).unwrap();
        }
    }
    assert!(finished > 0 || before > 0, "no run came to its first save");
    assert_eq!(succeeded(&again), whole);
}

#[test]
fn shards_merge_into_the_single_run() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..4)
        .map(|i| dir.path().join(format!("part{i}.state")))
        .collect();
    let names: Vec<&str> = files.iter().map(|f| text(f)).collect();
    for (i, name) in names.iter().enumerate() {
        let shard = format!("{i}/4");
        let output = run(&with(&RUN, &["--shard", &shard, "--checkpoint", name]));
        assert!(output.status.success(), "{}", stderr(&output));
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = format!("PARTIAL: shard {shard}: ");
        assert!(
            table.contains(&line) && table.contains("of 2000000 networks (25.0%)"),
            "{table}"
        );
    }
    let whole = succeeded(&with(&RUN, &["--json"]));
    let out = dir.path().join("results");
    let merged = with(&["merge"], &names);
    let merged = with(&merged, &["--json", "--force", "--out", text(&out)]);
    assert_eq!(succeeded(&merged), whole);
    assert!(out.join("ensemble.json").exists() && out.join("moments.npz").exists());

    let three = with(&["merge"], &[names[3], names[0], names[1]]);
    let output = run(&three);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(output.stdout.is_empty());
    for part in [
        "missing: width 30, experiment",
        "no file has shard 2/4",
        "--partial",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let partial = succeeded(&with(&three, &["--partial", "--json"]));
    assert_eq!(partial["partial"]["of"], 2_000_000);
    assert!(partial["partial"]["networks"].as_u64().unwrap() < 2_000_000);

    // A shard that was run twice, and one of another run.
    refused(
        &with(&merged, &[names[1]]),
        &["part1.state", "the same networks", "leave one out"],
    );
    let other = dir.path().join("other.state");
    let seed = [
        "--seed",
        "1",
        "--shard",
        "2/4",
        "--checkpoint",
        text(&other),
    ];
    assert!(run(&with(&RUN, &seed)).status.success());
    refused(
        &with(&three, &[text(&other)]),
        &["--seed", "0 in ", "1 in ", "other.state"],
    );

    // A shard that has not come to its end.
    let mut unfinished: State = state::read(&files[2]).unwrap();
    unfinished.ensembles[0].elements = Default::default();
    fs::write(&files[2], unfinished.to_bytes()).unwrap();
    let message = stderr(&run(&merged));
    assert!(message.contains("part2.state has 0 of its"), "{message}");
    // Resumed, it is itself again: its shard is in the file.
    assert!(run(&["ensemble", "--resume", names[2]]).status.success());
    assert_eq!(succeeded(&merged), whole);
}

#[test]
fn wrong_options_are_refused_before_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    let file = text(&path);
    for shard in ["1", "4/4", "a/b", "-1/4", "0/0"] {
        refused(
            &with(&RUN, &["--checkpoint", file, "--shard", shard]),
            &["--shard"],
        );
    }
    refused(
        &with(&RUN, &["--shard", "0/4"]),
        &["--shard", "--checkpoint"],
    );
    refused(
        &with(&RUN, &["--checkpoint", file, "--shard", "0/1000000"]),
        &["--shard", "use at most"],
    );
    for interval in ["0", "-1", "x", "nan", "1e300"] {
        refused(
            &with(
                &RUN,
                &["--checkpoint", file, "--checkpoint-interval", interval],
            ),
            &["--checkpoint-interval"],
        );
    }
    refused(
        &["ensemble", "--resume", file],
        &["--resume", "no such file"],
    );
    refused(
        &with(&RUN, &["--checkpoint", "/no/such/folder/run.state"]),
        &["run.state", "cannot be written"],
    );
    refused(&["merge", file], &[file, "cannot read"]);
    assert!(!path.exists());

    let mut cpu = CpuEngine::new();
    let small = [
        "ensemble",
        "--backend",
        "cpu",
        "--nets",
        "100",
        "--checkpoint",
        file,
    ];
    assert!(run(&small).status.success());
    refused(&small, &["--checkpoint", "exists", "--resume"]);
    refused(
        &["ensemble", "--resume", file, "--nets", "50"],
        &["--nets", "100", "50", "not cut short"],
    );
    // Only what was given is to blame: the file's orders are no mistake of the user's.
    for (option, value, parts) in [
        ("--seed", "7", ["has 0", "not 7"]),
        ("--arch", "relu", ["has erf", "not relu"]),
        ("--inputs", "1,2;3,4", ["has -1;", "not 1,2;3,4"]),
        ("--width", "3,4", ["has 100", "not 3,4"]),
        ("--sigma-b", "0.5", ["has 1,", "not 0.5"]),
    ] {
        let message = format!("error: {option}: the run of ");
        let can = "only --nets and --experiments can change";
        refused(
            &["ensemble", "--resume", file, option, value],
            &[&message, parts[0], parts[1], can],
        );
    }
    // A command that may start a run says all of it, its defaults too.
    refused(
        &with(&small, &["--resume", file, "--width", "7"]),
        &["--width: the run of ", "has 100, not 7"],
    );
    refused(
        &[
            "ensemble",
            "--checkpoint",
            file,
            "--resume",
            file,
            "--seed",
            "0",
        ],
        &["--nets: the run of ", "has 100, not 1000000, the default"],
    );
    refused(
        &["ensemble", "--resume", file, "--shard", "0/2"],
        &["--shard", "none", "0/2"],
    );
    refused(
        &["ensemble", "--resume", file, "--backend", "gpu"],
        &["--backend cpu"],
    );
    // The same options are no contradiction.
    assert!(
        run(&["ensemble", "--resume", file, "--nets", "1e2"])
            .status
            .success()
    );

    // Another version's file, an older format, a file of something else.
    let state: State = state::read(&path).unwrap();
    let bytes = state.to_bytes();
    let end = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let at = bytes
        .windows(version.len())
        .position(|w| w == version)
        .unwrap();
    let older = frame(&[&bytes[end..at], b"0.0.1", &bytes[at + version.len()..]].concat());
    let format = [b"nnqft-gpu state 0", &bytes[17..]].concat();
    let half = bytes[..bytes.len() / 2].to_vec();
    for (bytes, word) in [
        (older, "0.0.1"),
        (format, "older version"),
        (half, "truncated"),
        (b"PK\x03\x04".to_vec(), "no state file"),
    ] {
        fs::write(&path, &bytes).unwrap();
        refused(&["ensemble", "--resume", file], &[file, word]);
        refused(&["merge", file], &[file, word]);
        assert_eq!(
            fs::read(&path).unwrap(),
            bytes,
            "a refused file is left alone"
        );
    }

    // A result of less than two blocks has no error bar: a shard that small has none.
    let spec = state.ensembles[0].spec.clone();
    let blocks = BlockPlan::new(&spec).blocks();
    let tiny: State = State::new(
        vec![spec.clone()],
        Some(format!("0/{blocks}").parse().unwrap()),
        cpu.device(),
    );
    let queue = Queue::resume(&spec, tiny.blocks(0), Default::default());
    cpu.accumulate(&nnqft_gpu::plan::Plan::new(spec.clone()).unwrap(), &queue)
        .unwrap();
    assert_eq!(queue.elements().subtrees().count(), 1);
    fs::write(&path, tiny.to_bytes()).unwrap();
    let output = run(&["ensemble", "--resume", file]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("merge has it") && output.stdout.is_empty());
}

#[test]
fn a_finished_run_is_extended_to_the_larger_one() {
    let dir = tempfile::tempdir().unwrap();
    let base: [&[&str]; 3] = [
        &["--width", "5", "--orders", "2,4"],
        // Two widths, and the whole run in one subtree of blocks with a short one at its end.
        &[
            "--arch",
            "relu",
            "--width",
            "3,4",
            "--estimator",
            "connected",
        ],
        &[
            "--backend",
            "gpu",
            "--arch",
            "relu",
            "--width",
            "3",
            "--orders",
            "4",
        ],
    ];
    for (k, model) in base.into_iter().enumerate() {
        let path = dir.path().join(format!("{k}.state"));
        let file = text(&path);
        let sized = |nets, experiments| {
            let size = ["--nets", nets, "--experiments", experiments, "--json"];
            let backend = if model[0] == "--backend" {
                &[][..]
            } else {
                &["--backend", "cpu"]
            };
            [&["ensemble"], backend, model, &size].concat()
        };
        succeeded(&with(&sized("65500", "2"), &["--checkpoint", file]));
        let steps = [
            (&["--experiments", "4"][..], ("65500", "4")),
            (&["--nets", "70001"], ("70001", "4")),
            (&["--nets", "72k", "--experiments", "5"], ("72000", "5")),
        ];
        for (more, (nets, experiments)) in steps {
            let resume = ["ensemble", "--resume", file, "--json"];
            let output = run(&with(&resume, more));
            let message = stderr(&output);
            assert!(message.contains(": extended, "), "{message}");
            assert_eq!(
                document(&output),
                succeeded(&sized(nets, experiments)),
                "{k} {nets}"
            );
        }
    }
    // Small runs have small blocks.
    let path = dir.path().join("small.state");
    let small = ["ensemble", "--backend", "cpu", "--nets", "100"];
    succeeded(&with(&small, &["--json", "--checkpoint", text(&path)]));
    let resume = ["ensemble", "--resume", text(&path), "--nets"];
    refused(
        &with(&resume, &["1024"]),
        &["at most 1023", "--experiments"],
    );
    assert!(run(&with(&resume, &["1023"])).status.success());
    // A shard's share is of the run that it was begun with.
    let path = dir.path().join("shard.state");
    let shard = ["--shard", "0/2", "--checkpoint", text(&path)];
    assert!(run(&with(&small, &shard)).status.success());
    let resume = ["ensemble", "--resume", text(&path), "--experiments", "20"];
    refused(&resume, &["--experiments", "shard 0/2"]);
}

#[test]
fn one_file_belongs_to_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    let mut child = start(&with(&LONG, &["--checkpoint", text(&path)]));
    wait_for("file", || path.exists());
    let before = fs::read(&path).unwrap();
    refused(
        &["ensemble", "--resume", text(&path)],
        &["another run is using it"],
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    // A killed run holds no lock.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(StateFile::claim(&path).unwrap().is_locked());
}

#[test]
fn a_full_disk_does_not_end_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    // No file may grow beyond a few kilobytes: the first state fits, those with moments do
    // not. The signal that comes with it is ignored, as on a disk that is full.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let options = [
        "--json",
        "--checkpoint-interval",
        "0.05",
        "--checkpoint",
        text(&path),
    ];
    let output = limited("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_nnqft-gpu")])
        .args(with(&RUN, &options))
        .output()
        .unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.matches("tries again").count() >= 2, "{message}");
    assert!(
        message.contains("does not hold the end of the run"),
        "{message}"
    );
    // The result is there, and so is the last good file.
    assert_eq!(document(&output), succeeded(&with(&RUN, &["--json"])));
    assert_eq!(saved(&path), 0);
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let resume = ["ensemble", "--resume", text(&path), "--json"];
    assert_eq!(succeeded(&resume), document(&output));
}

#[test]
fn a_folder_that_vanishes_does_not_end_the_run() {
    let dir = tempfile::tempdir().unwrap();
    for comes_back in [true, false] {
        let (here, away) = (dir.path().join("here"), dir.path().join("away"));
        fs::create_dir(&here).unwrap();
        let path = here.join("run.state");
        let options = ["--checkpoint-interval", "0.02", "--checkpoint", text(&path)];
        let child = start(&with(&RUN, &options));
        wait_for("progress", || saved(&path) > 0);
        fs::rename(&here, &away).unwrap();
        std::thread::sleep(Duration::from_millis(150));
        if comes_back {
            fs::rename(&away, &here).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let message = stderr(&output);
        assert!(
            message.contains("warning") && message.contains("tries again"),
            "{message}"
        );
        // The result is printed in either case.
        assert!(String::from_utf8_lossy(&output.stdout).contains("networks/s"));
        assert!(!String::from_utf8_lossy(&output.stdout).contains("PARTIAL"));
        if comes_back {
            assert_eq!(output.status.code(), Some(0), "{message}");
            assert_eq!(saved(&path), 2_000_000);
            fs::remove_dir_all(&here).unwrap();
        } else {
            assert_eq!(output.status.code(), Some(1), "{message}");
            assert!(message.contains("does not hold the end"), "{message}");
        }
    }
}

#[test]
fn clocks_are_not_asked() {
    // A file from the future, as after a clock was set back: saved over all the same.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.state");
    let child = start(&with(
        &RUN,
        &["--checkpoint-interval", "0.02", "--checkpoint", text(&path)],
    ));
    let far = std::time::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    wait_for("progress", || {
        let file = fs::File::options().append(true).open(&path);
        saved(&path) > 0 && file.unwrap().set_modified(far).is_ok()
    });
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    for name in ["run.state", "run.state.lock"] {
        let file = fs::File::options()
            .append(true)
            .open(dir.path().join(name))
            .unwrap();
        file.set_modified(far).unwrap();
    }
    assert!(run(&["ensemble", "--resume", text(&path)]).status.success());
    assert_eq!(saved(&path), 2_000_000);
    assert!(fs::metadata(&path).unwrap().modified().unwrap() < far);
}

#[test]
fn all_adapters_are_an_adapter() {
    let small = ["ensemble", "--nets", "2000", "--json"];
    let one = succeeded(&with(&small, &["--backend", "gpu"]));
    let all = succeeded(&with(&small, &["--adapter", "all"]));
    let four = |d: &Value, what: &str| numbers(&d["correlators"][1][what]);
    let pairs = four(&one, "mean").into_iter().zip(four(&all, "mean"));
    for ((one, all), error) in pairs.zip(four(&one, "std_err")) {
        // Adapters of different kinds round differently.
        assert!((one - all).abs() < 1e-3 * error, "{one} {all} +- {error}");
    }
    assert_eq!(all["device"]["backend"], "gpu");
}
