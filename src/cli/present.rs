//! Every result is given in the same way: table or JSON, files, figure, exit code.

use std::path::Path;

use clap::Args;
use nnqft_gpu::Result;
use nnqft_gpu::report::outcome::Outcome;

use super::output::{Files, OutputOptions, PlotOptions};
use super::shell::{columns, emit, emit_folded};

/// `ResultOptions` says how a result that has a figure is given.
#[derive(Args)]
pub struct ResultOptions {
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    plot: PlotOptions,
}

impl ResultOptions {
    /// Refuses what cannot or must not be written; `source` is the folder that the ensemble is read
    /// from, if it is read from one.
    pub fn prepare(&self, source: Option<&Path>) -> Result<Files> {
        self.output.prepare(Some(&self.plot), source)
    }
}

/// `EXIT_CODES` says in `--help` when a result that was printed makes the command fail.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 the run failed, or what the command concludes (a slope, a
coupling, a check) does not hold or rests on averages that are NOT CONVERGED;
2 a mistake in options or files; 130 interrupted. ensemble, merge and reproduce
conclude nothing from averages that have not converged: they mark them, and
exit with 0.";

/// Returns the columns for a table: in a pipe as many as it takes.
fn room() -> usize {
    columns().unwrap_or(usize::MAX)
}

/// Prints a result that has no files beside it as JSON or as its table; fails if what it concludes
/// does.
pub fn print<T: Outcome>(document: &T, json: bool) -> anyhow::Result<()> {
    match json {
        true => emit(&(serde_json::to_string(document)? + "\n"))?,
        false => emit_folded(&document.table(room()))?,
    }
    Ok(T::verdict(std::slice::from_ref(document))?)
}

/// A presentation brings results to stdout and files.
pub struct Presentation<T> {
    files: Files,
    elements: bool,
    /// Number of results that there will be.
    expected: usize,
    documents: Vec<T>,
}

impl<T: Outcome> Presentation<T> {
    /// Makes a presentation of one result, unless more are [expected](Self::expect); with a line
    /// for each of its `elements` if asked for.
    pub fn new(files: Files, elements: bool) -> Self {
        Self {
            files,
            elements,
            expected: 1,
            documents: Vec::new(),
        }
    }

    /// Expects so many results, and refuses what they cannot be written to.
    pub fn expect(&mut self, documents: usize) -> Result<()> {
        self.expected = documents;
        self.files.expect_figures(documents)
    }

    /// Takes a result, and prints its table.
    pub fn add(&mut self, document: T) -> anyhow::Result<()> {
        if !self.files.json {
            emit_folded(&document.table(room()))?;
            if self.elements {
                emit_folded(&document.elements())?;
            }
            if T::FIGURE_BESIDE_TABLE
                && let Some(figure) = document.figure(self.expected)
            {
                emit(&format!("\n{}", figure.text(columns().unwrap_or(80))))?;
            }
        }
        self.documents.push(document);
        Ok(())
    }

    /// Writes the results and what belongs to them; fails if what they conclude does.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let (files, all) = (&mut self.files, &self.documents);
        files.documents(&format!("{}.json", T::NAME), all)?;
        let figures: Vec<_> = all.iter().filter_map(|d| d.figure(all.len())).collect();
        files.figures(&figures)?;
        for document in all {
            if let Some(name) = document.arrays(all.len()) {
                files.beside(&name, |part| document.write_arrays(part))?;
            }
        }
        self.files.finish()?;
        Ok(T::verdict(&self.documents)?)
    }
}
