//! Results of one run stand in a folder of their own.

use std::io;
use std::path::Path;

use crate::sentence::sentence;
use crate::{Error, Result};

/// `OF_ENSEMBLE` and `OF_OTHERS` list the files that commands write to `--out`, by the start of
/// their names.
const OF_ENSEMBLE: [&str; 2] = ["ensemble", "moments"];
const OF_OTHERS: [&str; 10] = [
    "theory",
    "falloff",
    "depth",
    "eft",
    "rg",
    "symmetry",
    "train",
    "compare-cpu",
    "reproduce",
    "report",
];

/// Tells whether a command has written a file of this name, or one of its widths' files.
fn is_result(name: &str, but_ensembles: bool) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let of = |start: &&&str| {
        (stem.strip_prefix(**start)).is_some_and(|rest| {
            rest.is_empty()
                || (["-width", "-depth", "-hidden"].iter()).any(|shape| rest.starts_with(shape))
        })
    };
    let of_ensemble = OF_ENSEMBLE.iter().any(|start| of(&start)) && !but_ensembles;
    ["json", "npz", "svg", "csv", "html"].contains(&extension)
        && (of_ensemble || OF_OTHERS.iter().any(|start| of(&start)))
}

/// Refuses a folder that holds results of another run; with `but_ensembles` an ensemble may stand there, as couplings
/// measured on it may stand beside it.
///
/// # Errors
/// [`Error::Invalid`] with the first of their names.
pub fn check_folder(dir: &Path, but_ensembles: bool) -> Result<()> {
    let mut found: Vec<String> = match std::fs::read_dir(dir) {
        Ok(entries) => (entries.flatten())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| is_result(name, but_ensembles))
            .collect(),
        Err(e) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&e.kind()) => {
            Vec::new()
        }
        Err(e) => {
            let reason = format!("the folder cannot be read: {e}");
            return Err(Error::invalid("out", dir.display(), reason));
        }
    };
    found.sort();
    let more = match found.len() {
        0 => return Ok(()),
        1..=3 => String::new(),
        n => format!(" and {} more", n - 3),
    };
    found.truncate(3);
    let reason = sentence!(
        "the folder holds results ({}); give another folder, or use `force` to write over them",
        found.join(", ") + &more
    );
    Err(Error::invalid("out", dir.display(), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_known_by_their_names() {
        for name in [
            "ensemble.json",
            "ensemble-width20.svg",
            "moments.npz",
            "moments-width20.npz",
            "falloff.csv",
            "compare-cpu.json",
            "report.html",
        ] {
            assert!(is_result(name, false), "{name}");
        }
        for name in [
            "points.csv",
            "ensemble",
            "eft.state",
            "my-eft.json",
            "rgb.svg",
        ] {
            assert!(!is_result(name, false), "{name}");
        }
        assert!(!is_result("ensemble.json", true) && is_result("eft.json", true));
    }
}
