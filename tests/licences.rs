//! What the build is made of, held against deny.toml without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
}

fn deny() -> Deny {
    toml::from_str(include_str!("../deny.toml")).unwrap()
}

/// The packages that cargo resolves for this machine, tests included.
fn packages() -> Vec<Value> {
    let version = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = (version.lines())
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    assert!(packages.len() > 50, "{} packages", packages.len());
    packages
}

fn allowed(licence: &str, allow: &[Licensee]) -> bool {
    Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|e| e.evaluate(|wanted| allow.iter().any(|a| a.satisfies(wanted))))
}

fn allow_list() -> Vec<Licensee> {
    (deny().licenses.allow.iter())
        .map(|name| Licensee::parse(name).unwrap())
        .collect()
}

#[test]
fn every_licence_is_on_the_list() {
    let allow = allow_list();
    let refused: Vec<String> = (packages().iter())
        .filter(|p| !p["license"].as_str().is_some_and(|l| allowed(l, &allow)))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn the_list_refuses_what_binds_the_user() {
    let allow = allow_list();
    for licence in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "my own", ""] {
        assert!(!allowed(licence, &allow), "{licence}");
    }
    for licence in ["MIT/Apache-2.0", "GPL-2.0-only OR MIT", "Zlib AND ISC"] {
        assert!(allowed(licence, &allow), "{licence}");
    }
}

#[test]
fn every_package_comes_from_the_registry() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        match package["source"].as_str() {
            Some(source) => assert!(source.contains("crates.io-index"), "{name}: {source}"),
            None => assert_eq!(name, env!("CARGO_PKG_NAME")),
        }
    }
}

#[test]
fn duplicates_are_those_that_are_known() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let text = |key: &str| package[key].as_str().unwrap().to_string();
        versions
            .entry(text("name"))
            .or_default()
            .insert(text("version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let known: BTreeSet<String> = deny().bans.skip.into_iter().map(|s| s.name).collect();
    versions.retain(|name, _| !known.contains(name));
    assert!(versions.is_empty(), "{versions:?}");
}
