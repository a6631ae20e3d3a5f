//! A finished report holds verdicts, page and figures.

use std::io;

use super::claims::claims;
use super::document::{ReproductionDocument, ReproductionSpec};
use super::documents::Documents;
use super::figures::figures;
use super::folder::Folder;
use super::page;
use super::plan::Plan;
use super::verdict::Section;
use crate::engine::DeviceInfo;
use crate::report::figure::Figure;
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
    /// Figures by section of the page.
    pub figures: Vec<(Section, Figure)>,
    documents: Documents,
}

impl Report {
    /// Judges and plots the documents and renders the page; `options` are those of the command
    /// line beyond scale and seed.
    pub fn new(plan: &Plan, device: DeviceInfo, documents: Documents, options: &str) -> Self {
        let nets = documents.nets();
        let figures = figures(&nets);
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
            figures: figures.iter().map(|(_, f)| f.name.clone()).collect(),
            documents: documents.each().map(|(name, _)| name.into()).collect(),
        };
        Self {
            html: page::render(&document, &documents, &nets, &figures),
            document,
            figures,
            documents,
        }
    }

    /// Writes `report.html`, `reproduce.json`, the joined falloffs and the figures.
    ///
    /// # Errors
    /// Those of writing the files.
    pub fn write(&self, folder: &Folder) -> io::Result<()> {
        let dir = folder.path();
        for (_, figure) in &self.figures {
            figure.write(&dir.join("figures"))?;
            figure.write_json(&dir.join("figures"))?;
        }
        for (name, document) in self.documents.falloffs() {
            folder.write(&name, document)?;
        }
        let text = serde_json::to_string(&self.document)? + "\n";
        replace(&dir.join("reproduce.json"), text.as_bytes())?;
        replace(&dir.join("report.html"), self.html.as_bytes())
    }
}
