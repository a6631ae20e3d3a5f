//! Where results go.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use nnqft_gpu::report::figure::Figure;
use nnqft_gpu::{Error, Result};

/// How results are given.
#[derive(Args)]
pub struct OutputOptions {
    /// One JSON document on stdout instead of tables
    #[arg(long)]
    pub json: bool,
    /// Also write <command>.json, and what belongs to it (tensors, figures), to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl OutputOptions {
    /// Makes the folder and proves that it can be written, before the run.
    pub fn prepare(&self) -> Result<Option<&Path>> {
        let Some(dir) = self.out.as_deref() else {
            return Ok(None);
        };
        let probe = dir.join(".nnqft-gpu-probe");
        std::fs::create_dir_all(dir)
            .and_then(|()| std::fs::write(&probe, b""))
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| {
                Error::invalid(
                    "--out",
                    dir.display(),
                    format!("the folder cannot be written: {e}"),
                )
            })?;
        Ok(Some(dir))
    }

    /// Prints documents as one JSON document or array, if asked for, and writes them to the
    /// folder, if one was given.
    pub fn finish<T: serde::Serialize>(
        &self,
        dir: Option<&Path>,
        name: &str,
        documents: &[T],
    ) -> anyhow::Result<()> {
        let json = match documents {
            [one] => serde_json::to_string(one)?,
            several => serde_json::to_string(several)?,
        } + "\n";
        if self.json {
            super::emit(&json)?;
        }
        self.write(dir, name, &json)
    }

    /// Writes a document to the folder, if one was asked for.
    fn write(&self, dir: Option<&Path>, name: &str, text: &str) -> anyhow::Result<()> {
        let Some(dir) = dir else { return Ok(()) };
        let path = dir.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

/// A figure on request.
#[derive(Args)]
pub struct PlotOptions {
    /// Draw the result to this SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

impl PlotOptions {
    /// Refuses what cannot be written, before the run; `figures`: how many there will be.
    pub fn prepare(&self, figures: usize) -> Result<()> {
        let Some(path) = &self.plot else {
            return Ok(());
        };
        let refuse = |reason: String| Err(Error::invalid("--plot", path.display(), reason));
        if figures > 1 {
            return refuse(format!(
                "{figures} widths make {figures} figures; use --out DIR, or give one width"
            ));
        }
        if path.extension().is_none_or(|e| e != "svg") {
            return refuse("figures are SVG files; give a name that ends in .svg".into());
        }
        let existed = path.exists();
        match std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
        {
            Ok(_) if existed => Ok(()),
            // A run that fails leaves nothing behind.
            Ok(_) => std::fs::remove_file(path).or_else(|e| refuse(e.to_string())),
            Err(e) => refuse(format!("the file cannot be written: {e}")),
        }
    }

    /// Writes the figure, and all of them with their data to the output folder.
    pub fn finish(&self, out: Option<&Path>, figures: &[Figure]) -> anyhow::Result<()> {
        for figure in figures {
            if let Some(path) = &self.plot {
                if figure.is_empty() {
                    eprintln!("--plot {}: there is nothing to draw", path.display());
                }
                std::fs::write(path, figure.svg())
                    .with_context(|| format!("writing {}", path.display()))?;
            }
            if let Some(dir) = out {
                (figure.write(dir)).with_context(|| format!("writing to {}", dir.display()))?;
            }
        }
        Ok(())
    }
}
