//! Runs of the program that are watched, stopped and read.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub fn with<'a>(start: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [start, more].concat()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The documents on stdout, without how long they took.
pub fn document(output: &Output) -> Value {
    let mut value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", stderr(output)));
    let documents = match &mut value {
        Value::Array(all) => all.iter_mut().collect(),
        one => vec![one],
    };
    for document in documents {
        document.as_object_mut().unwrap().remove("timing").unwrap();
    }
    value
}

pub fn succeeded(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    document(&output)
}

/// On two threads: no machine is so fast that a run is over before it can be disturbed.
pub fn limited(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("RAYON_NUM_THREADS", "2");
    command
}

pub fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_nnqft-gpu");
    limited(program).args(arguments).output().unwrap()
}

pub fn start(arguments: &[&str]) -> Child {
    limited(env!("CARGO_BIN_EXE_nnqft-gpu"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {}", child.id())])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Waits for something that the run does, at most a minute.
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
