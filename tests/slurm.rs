//! `slurm`: the script that it writes does what it says, run by bash with stand-ins for Slurm's
//! commands. `scripts/slurm-test` submits it to a real Slurm.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::cli::{refused, run};

/// A folder with a script for 8 shards and programs that note how they were called.
struct Cluster {
    dir: tempfile::TempDir,
    run: PathBuf,
}

impl Cluster {
    fn new(options: &[&str]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("it's a \"test\" ")
            .tempdir()
            .unwrap();
        let run_dir = dir.path().join("run");
        let out = run_dir.to_str().unwrap();
        let written = run(&[&["slurm", "--shards", "8", "--out", out], options].concat());
        assert!(
            written.status.success(),
            "{}",
            String::from_utf8_lossy(&written.stderr)
        );
        let cluster = Self { dir, run: run_dir };
        fs::create_dir(cluster.dir.path().join("bin")).unwrap();
        fs::create_dir(cluster.run.join("shards")).unwrap();
        // The array is job 41, what comes after it 42.
        cluster.program(
            "sbatch",
            r#"case "$*" in *--array*) echo "41;here";; *) echo 42;; esac"#,
        );
        cluster.program("scontrol", "");
        cluster.program("nnqft-gpu", "");
        cluster
    }

    /// A stand-in that writes its arguments to NAME.calls, one in brackets each, and then does
    /// `then`.
    fn program(&self, name: &str, then: &str) {
        let path = self.dir.path().join("bin").join(name);
        let text = format!(
            "#!/usr/bin/env bash\n{{ printf '[%s]' \"$@\"; echo; }} >>\"${{0%/*}}/../{name}.calls\"\n{then}\n"
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(format!("{name}.calls"))).unwrap_or_default()
    }

    fn script(&self, part: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command
            .arg(self.run.join("slurm.sh"))
            .arg(part)
            .current_dir(&self.run)
            .env("SLURM_ARRAY_JOB_ID", "41")
            .env("SLURM_ARRAY_TASK_ID", "3")
            .env(
                "PATH",
                format!("{}:{path}", self.dir.path().join("bin").display()),
            );
        command
    }

    fn output(&self, part: &str) -> Output {
        self.script(part).output().unwrap()
    }
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "no {}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_would_fail_in_the_queue_is_refused_now() {
    let with = |options: &[&'static str], parts: &[&str]| {
        refused(
            &[&["slurm", "--nets", "1000", "--experiments", "2"], options].concat(),
            parts,
        );
    };
    with(&["--shards", "8", "--width", "0"], &["--width"]);
    with(&["--shards", "8", "--inputs", "1;x"], &["--inputs", "'x'"]);
    with(
        &["--shards", "8", "--tilt", "auto"],
        &["--tilt", "connected"],
    );
    with(
        &["--shards", "8", "--backend", "cpu", "--adapter", "x"],
        &["--adapter"],
    );
    with(&["--shards", "0"], &["--shards", "from 1"]);
    with(&["--shards", "-1"], &["--shards", "from 1"]);
    with(&["--shards", "1e6"], &["--shards", "blocks of networks"]);
    with(&["--shards", "8", "--retries", "-1"], &["--retries"]);
    for own in ["--array=1-9", "-a1-9", "-N1 --signal=TERM", "-D /tmp"] {
        with(&["--shards", "8", "--sbatch", own], &["--sbatch", "edit"]);
    }
    for bad in ["partition=gpu", "", "--time=1\ntouch x"] {
        with(
            &["--shards", "8", "--sbatch", bad],
            &["--sbatch", "one line"],
        );
    }
    with(
        &["--shards", "8", "--out", "/dev/null/run"],
        &["--out", "cannot be written"],
    );
}

#[test]
fn sbatch_reads_the_users_lines_before_any_command() {
    let output = run(&[
        "slurm",
        "--shards",
        "8",
        "--sbatch=--partition=gpu",
        "--sbatch=-G 1 --time=01:00:00",
    ]);
    let script = String::from_utf8(output.stdout).unwrap();
    let head: Vec<&str> = script
        .lines()
        .take_while(|line| line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("#SBATCH "))
        .collect();
    assert_eq!(
        head,
        [
            "--job-name=nnqft-gpu",
            "--partition=gpu",
            "-G 1 --time=01:00:00"
        ]
    );
}

#[test]
fn submits_the_array_and_a_merge_that_depends_on_it() {
    let cluster = Cluster::new(&[]);
    let output = cluster.output("submit");
    assert!(output.status.success());
    let calls = cluster.calls("sbatch");
    let lines: Vec<&str> = calls.lines().collect();
    assert_eq!(lines.len(), 2, "{calls}");
    let script = format!("[{}]", cluster.run.join("slurm.sh").display());
    for part in [
        "[--array=0-7]",
        "[--requeue]",
        "[--signal=B:USR1@120]",
        "[shard]",
        &script,
    ] {
        assert!(lines[0].contains(part), "no {part} in {}", lines[0]);
    }
    for part in [
        "[--dependency=afterok:41]",
        "[--kill-on-invalid-dep=yes]",
        "[merge]",
        &script,
    ] {
        assert!(lines[1].contains(part), "no {part} in {}", lines[1]);
    }
}

#[test]
fn a_merge_that_cannot_be_submitted_takes_the_array_back() {
    let cluster = Cluster::new(&[]);
    cluster.program(
        "sbatch",
        r#"case "$*" in *--array*) echo 41;; *) exit 1;; esac"#,
    );
    cluster.program("scancel", "");
    assert_eq!(cluster.output("submit").status.code(), Some(1));
    assert_eq!(cluster.calls("scancel"), "[41]\n");
}

#[test]
fn a_shard_gets_the_options_word_by_word_and_its_state() {
    let folder = tempfile::Builder::new().prefix("a 'b' ").tempdir().unwrap();
    let points = folder.path().join("$(points).csv");
    fs::write(&points, "1\n2\n").unwrap();
    let inputs = format!("@{}", points.display());
    let options = ["--arch", "relu", "--inputs", &inputs, "--sigma-b", "0.5"];
    let cluster = Cluster::new(&options);
    assert!(cluster.output("shard").status.success());
    let call = cluster.calls("nnqft-gpu");
    for part in [
        "[ensemble]",
        "[--arch][relu]",
        &format!("[--inputs][{inputs}]"),
        "[--sigma-b][0.5]",
        "[--backend][auto]",
        "[--shard][3/8][--checkpoint][shards/3.state][--resume][shards/3.state]",
    ] {
        assert!(call.contains(part), "no {part} in {call}");
    }
    assert_eq!(cluster.calls("scontrol"), "");
}

#[test]
fn networks_are_trained_if_there_are_data() {
    let folder = tempfile::tempdir().unwrap();
    let points = folder.path().join("points.csv");
    fs::write(&points, "-1,0.5\n1,0\n").unwrap();
    let data = points.display().to_string();
    let cluster = Cluster::new(&["--data", &data, "--steps", "0,10", "--allow-diverged"]);
    assert!(cluster.output("shard").status.success());
    assert!(cluster.output("merge").status.success());
    let calls = cluster.calls("nnqft-gpu");
    let lines: Vec<&str> = calls.lines().collect();
    for part in [
        "[train][--arch][erf]",
        &format!("[--data][@{data}]"),
        "[--steps][0,10]",
        "[--allow-diverged]",
        "[--shard][3/8][--checkpoint][shards/3.state][--resume][shards/3.state]",
    ] {
        assert!(lines[0].contains(part), "no {part} in {calls}");
    }
    assert!(
        lines[1].contains("[shards/7.state][--allow-diverged][--out][merged]"),
        "{calls}"
    );
    // Ten thousand networks have forty blocks.
    refused(
        &["slurm", "--data", &data, "--shards", "41"],
        &["--shards", "from 1 to 40"],
    );
    refused(&["slurm", "--steps", "10", "--shards", "2"], &["--data"]);
}

#[test]
fn files_are_given_by_their_full_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("points.csv"), "1\n2\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
        .args(["slurm", "--shards", "2", "--inputs", "@points.csv"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    let full = folder.path().canonicalize().unwrap().join("points.csv");
    assert!(script.contains(&format!("@{}", full.display())), "{script}");
}

#[test]
fn a_failed_shard_is_requeued_as_often_as_asked_for() {
    let cluster = Cluster::new(&["--retries", "2"]);
    cluster.program("nnqft-gpu", "exit 1");
    for requeued in 1..=2 {
        assert!(cluster.output("shard").status.success());
        assert_eq!(
            cluster.calls("scontrol"),
            "[requeue][41_3]\n".repeat(requeued)
        );
    }
    assert_eq!(cluster.output("shard").status.code(), Some(1));
    assert_eq!(cluster.calls("scontrol").lines().count(), 2);
    // Another submission counts from zero.
    let again = cluster
        .script("shard")
        .env("SLURM_ARRAY_JOB_ID", "411")
        .output()
        .unwrap();
    assert!(again.status.success());
    assert!(cluster.calls("scontrol").ends_with("[requeue][411_3]\n"));
}

#[test]
fn mistakes_and_interrupts_are_not_retried() {
    let cluster = Cluster::new(&[]);
    for code in [2, 130] {
        cluster.program("nnqft-gpu", &format!("exit {code}"));
        assert_eq!(cluster.output("shard").status.code(), Some(code));
    }
    // Where requeueing is not allowed the task fails, and says so.
    cluster.program("nnqft-gpu", "exit 1");
    cluster.program("scontrol", "exit 1");
    assert_eq!(cluster.output("shard").status.code(), Some(1));
    assert_eq!(cluster.calls("scontrol").lines().count(), 1);
}

#[test]
fn before_the_time_limit_the_program_saves_and_the_shard_is_requeued() {
    let cluster = Cluster::new(&["--retries", "0"]);
    // As the program does: TERM ends it with a saved state and exit code 130.
    cluster.program(
        "nnqft-gpu",
        "trap 'echo >shards/3.state; exit 130' TERM; echo >ready; while :; do sleep 0.05; done",
    );
    for signal in ["USR1", "TERM"] {
        let _ = fs::remove_file(cluster.run.join("ready"));
        let _ = fs::remove_file(cluster.run.join("shards/3.state"));
        let mut task = cluster
            .script("shard")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(&cluster.run.join("ready"));
        let kill = Command::new("bash")
            .args(["-c", &format!("kill -{signal} {}", task.id())])
            .status();
        assert!(kill.unwrap().success());
        let status = task.wait().unwrap();
        assert!(cluster.run.join("shards/3.state").exists(), "{signal}");
        // After scancel nothing is added: the job stays cancelled.
        assert_eq!(cluster.calls("scontrol"), "[requeue][41_3]\n", "{signal}");
        assert_eq!(status.success(), signal == "USR1");
    }
}

#[test]
fn merge_names_every_shard() {
    let cluster = Cluster::new(&[]);
    cluster.program("nnqft-gpu", "exit 1");
    assert_eq!(cluster.output("merge").status.code(), Some(1));
    let states: String = (0..8).map(|i| format!("[shards/{i}.state]")).collect();
    assert_eq!(
        cluster.calls("nnqft-gpu"),
        format!("[merge]{states}[--out][merged][--force]\n")
    );
}

#[test]
fn another_script_does_not_take_over_a_folder_with_shards() {
    let cluster = Cluster::new(&[]);
    let out = cluster.run.to_str().unwrap();
    let same = ["slurm", "--shards", "8", "--out", out];
    assert!(run(&same).status.success());
    let other = [&same[..], &["--seed", "1"]].concat();
    refused(&other, &["--out", "another script", "--force"]);
    assert!(run(&[&other[..], &["--force"]].concat()).status.success());
}

#[test]
fn an_edited_script_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let write = ["slurm", "--shards", "8", "--out", out];
    let written = run(&write);
    let path = folder.path().join("slurm.sh");
    let message = String::from_utf8(written.stderr).unwrap();
    assert!(
        message.contains(&format!("wrote {}", path.display())),
        "{message}"
    );
    let edited = fs::read_to_string(&path).unwrap() + "# mine\n";
    fs::write(&path, &edited).unwrap();
    refused(&write, &["--out", "another slurm.sh", "--force"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    assert!(run(&[&write[..], &["--force"]].concat()).status.success());
    assert_ne!(fs::read_to_string(&path).unwrap(), edited);
}

#[test]
fn arrays_that_slurm_would_refuse_are_warned_of() {
    for (shards, warned) in [("1001", false), ("1002", true), ("2000", true)] {
        let output = run(&["slurm", "--nets", "1e9", "--shards", shards]);
        assert!(output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            message.contains("MaxArraySize"),
            warned,
            "{shards}: {message}"
        );
        assert_eq!(
            message.contains("--shards 1001"),
            warned,
            "{shards}: {message}"
        );
    }
}
