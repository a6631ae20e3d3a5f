//! What the build is made of, held against deny.toml without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;
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

/// A package of the build.
struct Package {
    name: String,
    version: String,
    licence: String,
    /// What cargo says of a package that is not from the registry.
    place: Option<String>,
}

/// The packages that cargo builds on this machine, tests included, but not those of the Python package alone, which
/// plain cargo commands do not fetch.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package"])
        .args([env!("CARGO_PKG_NAME"), "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: BTreeSet<&str> = str::from_utf8(&output.stdout).unwrap().lines().collect();
    let packages: Vec<Package> = (lines.into_iter().filter(|line| !line.is_empty()))
        .map(|line| {
            let (package, licence) = line.split_once('|').unwrap();
            let mut words = package.splitn(3, ' ').map(String::from);
            Package {
                name: words.next().unwrap(),
                version: words.next().unwrap(),
                place: words.next().filter(|word| word != "(proc-macro)"),
                // What has been listed before.
                licence: licence.trim_end_matches(" (*)").into(),
            }
        })
        .collect();
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
        .filter(|p| !allowed(&p.licence, &allow))
        .map(|p| format!("{} {}: {}", p.name, p.version, p.licence))
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
    for Package { name, place, .. } in packages() {
        match place {
            Some(place) => assert_eq!(name, env!("CARGO_PKG_NAME"), "{place}"),
            None => assert_ne!(name, env!("CARGO_PKG_NAME")),
        }
    }
}

#[test]
fn duplicates_are_those_that_are_known() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Package { name, version, .. } in packages() {
        versions.entry(name).or_default().insert(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let known: BTreeSet<String> = deny().bans.skip.into_iter().map(|s| s.name).collect();
    versions.retain(|name, _| !known.contains(name));
    assert!(versions.is_empty(), "{versions:?}");
}
