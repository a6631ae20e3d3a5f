//! This module decides where results go.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use nnqft_gpu::report::figure::Figure;
use nnqft_gpu::state::Replacement;
use nnqft_gpu::{Error, Result};

use super::interrupt;

/// `OutputOptions` says how results are given.
#[derive(Args)]
pub struct OutputOptions {
    /// One JSON document on stdout instead of tables
    #[arg(long)]
    json: bool,
    /// Also write <command>.json, and what belongs to it (tensors, figures), to this folder,
    /// which must not hold the results of another run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

/// `Force` is leave to write over results.
#[derive(Args, Clone, Copy)]
pub struct Force {
    /// Write over the results of another run
    #[arg(long)]
    pub force: bool,
}

/// `PlotOptions` asks for a figure.
#[derive(Args)]
pub struct PlotOptions {
    /// Draw the result to this SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

impl OutputOptions {
    /// Refuses what cannot or must not be written, before the run. `source` is the folder that the
    /// ensemble is read from, whose results may stand beside those of its ensemble.
    pub fn prepare(&self, plot: Option<&PlotOptions>, source: Option<&Path>) -> Result<Files> {
        let plot = plot.and_then(|p| p.plot.as_deref());
        let mut files = Files {
            json: self.json,
            dir: self.out.clone(),
            plot: plot.map(Path::to_path_buf),
            made: Vec::new(),
            written: Vec::new(),
        };
        if let Some(dir) = &self.out {
            let real = |path: &Path| path.canonicalize().ok();
            let is_source = source.is_some_and(|s| real(s).is_some() && real(s) == real(dir));
            refuse_other_results(dir, is_source, self.force)?;
            files.made = make_folder(dir)?;
        }
        // It may be in that folder.
        if let Some(path) = plot {
            check_plot(path, self.force)?;
        }
        Ok(files)
    }
}

/// `OF_ENSEMBLE` and `OF_OTHERS` list the files that commands write to `--out`, by the start of
/// their names.
const OF_ENSEMBLE: [&str; 2] = ["ensemble", "moments"];
const OF_OTHERS: [&str; 8] = [
    "theory",
    "falloff",
    "eft",
    "rg",
    "symmetry",
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
                || ["-width", "_width", "-depth", "_depth", "-hidden", "_hidden"]
                    .iter()
                    .any(|w| rest.starts_with(w))
        })
    };
    let of_ensemble = OF_ENSEMBLE.iter().any(|start| of(&start)) && !but_ensembles;
    ["json", "npz", "svg", "csv", "html"].contains(&extension)
        && (of_ensemble || OF_OTHERS.iter().any(|start| of(&start)))
}

fn refuse_other_results(dir: &Path, is_source: bool, force: Force) -> Result<()> {
    if force.force {
        return Ok(());
    }
    let mut found: Vec<String> = match std::fs::read_dir(dir) {
        Ok(entries) => (entries.flatten())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| is_result(name, is_source))
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
    let reason = format!(
        "the folder holds results ({}{more}); give another folder, or add --force to write over them",
        found.join(", ")
    );
    Err(Error::invalid("out", dir.display(), reason))
}

/// Makes a folder, proves that it can be written, and tells which folders were not there.
fn make_folder(dir: &Path) -> Result<Vec<PathBuf>> {
    let made: Vec<PathBuf> = (dir.ancestors())
        .take_while(|d| !d.as_os_str().is_empty() && !d.exists())
        .map(Path::to_path_buf)
        .collect();
    let probe = dir.join(".nnqft-gpu-probe");
    let refuse = |e: io::Error| {
        remove_folders(&made);
        let reason = match dir.is_file() {
            true => "this is a file; give a folder".into(),
            false => format!("the folder cannot be written: {e}"),
        };
        Error::invalid("out", dir.display(), reason)
    };
    (std::fs::create_dir_all(dir))
        .and_then(|()| Replacement::write(&probe, b""))
        .map_err(refuse)?;
    let empty = made.clone();
    interrupt::on_end(move || remove_folders(&empty));
    Ok(made)
}

/// Removes those of the folders that are empty; the innermost come first.
fn remove_folders(made: &[PathBuf]) {
    for dir in made {
        let _ = std::fs::remove_dir(dir);
    }
}

fn check_plot(path: &Path, force: Force) -> Result<()> {
    let refuse = |reason: String| Err(Error::invalid("plot", path.display(), reason));
    if path.extension().is_none_or(|e| e != "svg") {
        return refuse("figures are SVG files; give a name that ends in .svg".into());
    }
    if path.is_dir() {
        return refuse("this is a folder; give the name of a file".into());
    }
    if path.exists() && !force.force {
        return refuse(
            "the file exists; give another name, or add --force to write over it".into(),
        );
    }
    match Replacement::write(path, b"") {
        Ok(_) => Ok(()),
        Err(e) => refuse(format!("the file cannot be written: {e}")),
    }
}

/// `Files` are the files of a run on their way to the disk: all are written beside their places
/// before the first takes its own. If `Files` is dropped before that, nothing is left behind.
pub struct Files {
    /// Whether the documents are printed as JSON instead of tables.
    pub json: bool,
    dir: Option<PathBuf>,
    plot: Option<PathBuf>,
    /// Folders that were made for the run.
    made: Vec<PathBuf>,
    written: Vec<Replacement>,
}

impl Files {
    /// Refuses `--plot` for several figures.
    pub fn expect_figures(&self, figures: usize) -> Result<()> {
        match &self.plot {
            Some(path) if figures > 1 => Err(Error::invalid(
                "plot",
                path.display(),
                format!(
                    "{figures} widths make {figures} figures; use --out DIR, or give one width"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Prints documents as one JSON document or array, if asked for, and writes them to the
    /// folder, if one was given.
    pub fn documents<T: serde::Serialize>(
        &mut self,
        name: &str,
        documents: &[T],
    ) -> anyhow::Result<()> {
        let json = match documents {
            [one] => serde_json::to_string(one)?,
            several => serde_json::to_string(several)?,
        } + "\n";
        if self.json {
            super::shell::emit(&json)?;
        }
        self.beside(name, |part| std::fs::write(part, &json))
    }

    /// Writes the figure of `--plot`, and all figures with their data to the folder.
    pub fn figures(&mut self, figures: &[Figure]) -> anyhow::Result<()> {
        for figure in figures {
            let svg = figure.svg();
            if let Some(path) = self.plot.clone() {
                if figure.is_empty() {
                    say!("--plot {}: there is nothing to draw", path.display());
                }
                self.write(&path, |part| std::fs::write(part, &svg))?;
            }
            let name = &figure.name;
            self.beside(&format!("{name}.svg"), |part| std::fs::write(part, &svg))?;
            self.beside(&format!("{name}.csv"), |part| {
                std::fs::write(part, figure.csv())
            })?;
        }
        Ok(())
    }

    /// Writes a file beside the documents, if there is a folder, by a function of the file's path.
    pub fn beside(
        &mut self,
        name: &str,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        match self.dir.as_ref().map(|dir| dir.join(name)) {
            Some(path) => self.write(&path, write),
            None => Ok(()),
        }
    }

    fn write(
        &mut self,
        path: &Path,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        interrupt::check()?;
        // --plot may name a file of --out.
        let place = |path: &Path| {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        };
        let is_other = |r: &Replacement| place(r.path()) != place(path);
        self.written.retain(is_other);
        let written = Replacement::write_with(path, write);
        (self.written).push(written.with_context(|| format!("writing {}", path.display()))?);
        Ok(())
    }

    /// Puts all files in their places, and says where they are.
    pub fn finish(mut self) -> anyhow::Result<()> {
        interrupt::check()?;
        interrupt::would_cost("some files of this result may not have got their names");
        self.made.clear();
        for file in std::mem::take(&mut self.written) {
            let path = file.path().to_path_buf();
            (file.commit()).with_context(|| format!("writing {}", path.display()))?;
            note!("wrote {}", path.display());
        }
        interrupt::would_cost("this result is complete");
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.written.clear();
        remove_folders(&self.made);
    }
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
            "moments_width20.npz",
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
