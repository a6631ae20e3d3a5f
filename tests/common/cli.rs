//! Calling the program.

use std::process::{Command, Output};

use serde_json::Value;

pub fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Must be refused with exit code 2 and one line that names what is wrong.
pub fn refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed a result");
    let errors: Vec<&str> = message
        .lines()
        .filter(|l| l.starts_with("error: "))
        .collect();
    assert!(!errors.is_empty(), "{arguments:?}: {message}");
    for part in parts {
        assert!(
            errors.iter().any(|e| e.contains(part)),
            "{arguments:?}: no '{part}' in {message}"
        );
    }
}

pub fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {message}");
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}
