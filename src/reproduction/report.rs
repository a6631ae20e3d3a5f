//! A finished report holds verdicts, page and figures.

use std::io;

use super::claims::claims;
use super::document::{ReproductionDocument, ReproductionSpec};
use super::documents::Documents;
use super::figures::{Plot, figures};
use super::folder::Folder;
use super::page;
use super::plan::Plan;
use crate::engine::DeviceInfo;
use crate::run::{Timing, VERSION, schema};
use crate::state::replace;

/// A report is a reproduction that is finished.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Document of the verdicts.
    pub document: ReproductionDocument,
    /// Page of the report, in HTML.
    pub html: String,
    /// Figures in the order of the page.
    pub plots: Vec<Plot>,
    documents: Documents,
    /// Views of the documents, by name.
    views: Vec<(String, String)>,
}

impl Report {
    /// Judges and plots the documents and renders the page; `options` are those of the command
    /// line beyond scale and seed.
    pub fn new(plan: &Plan, device: DeviceInfo, documents: Documents, options: &str) -> Self {
        let nets = documents.nets();
        let plots = figures(&nets);
        let quick = if plan.scale.quick { " --quick" } else { "" };
        let seed = match plan.seed {
            0 => String::new(),
            seed => format!(" --seed {seed}"),
        };
        let document = ReproductionDocument {
            schema: schema(ReproductionDocument::COMMAND),
            version: VERSION,
            command: ReproductionDocument::COMMAND,
            command_line: format!("nnqft-gpu reproduce{quick}{seed}{options}"),
            spec: ReproductionSpec {
                scale: plan.scale,
                seed: plan.seed,
            },
            device,
            timing: Timing::theory(documents.seconds()),
            claims: claims(&nets),
            figures: plots.iter().map(|p| p.figure.name.clone()).collect(),
            documents: documents.each().map(|(name, _)| name.into()).collect(),
        };
        let page::Rendered { html, views } = page::render(&document, &documents, &nets, &plots);
        Self {
            document,
            html,
            plots,
            documents,
            views,
        }
    }

    /// Writes `report.html`, `reproduce.json`, the joined falloffs, the figures, and the views of all documents.
    ///
    /// # Errors
    /// Those of writing the files.
    pub fn write(&self, folder: &Folder) -> io::Result<()> {
        let dir = folder.path();
        for Plot { figure, .. } in &self.plots {
            figure.write(&dir.join("figures"))?;
            figure.write_json(&dir.join("figures"))?;
        }
        for (name, document) in self.documents.falloffs() {
            folder.write(&name, document)?;
        }
        for (name, html) in &self.views {
            replace(&folder.view(name), html.as_bytes())?;
        }
        let text = serde_json::to_string(&self.document)? + "\n";
        replace(&dir.join("reproduce.json"), text.as_bytes())?;
        replace(&dir.join("report.html"), self.html.as_bytes())
    }
}
