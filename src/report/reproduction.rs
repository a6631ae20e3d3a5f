use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::claims::{Claim, Data, claims};
use super::figure::Figure;
use super::{
    EftDocument, FalloffDocument, RgDocument, SymmetryDocument, Timing, VERSION, coupling_figure,
    delta_figure, falloff_figure, fixed_point_figure, flow_figure, gain_figure, odd_figure, page,
    six_point_figure, symmetry_figure,
};
use crate::analysis::Falloff;
use crate::engine::DeviceInfo;
use crate::model::{net_title, source_nets};
use crate::state::replace;

/// How many networks a reproduction draws, per experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// Whether it is the quick one.
    pub quick: bool,
    /// Experiments of every ensemble but those of the symmetry tests, which have 100.
    pub experiments: u32,
    /// Each width of a falloff.
    pub falloff: u64,
    /// Couplings, direct estimator.
    pub couplings: u64,
    /// Couplings and function fits, connected estimator.
    pub connected: u64,
    /// Symmetry tests.
    pub symmetry: u64,
}

impl Scale {
    /// The source's: 10 experiments of 10^6 networks.
    pub const FULL: Self = Self {
        quick: false,
        experiments: 10,
        falloff: 1_000_000,
        couplings: 1_000_000,
        connected: 100_000,
        symmetry: 100_000,
    };
    /// About a minute on two cores.
    pub const QUICK: Self = Self {
        quick: true,
        experiments: 10,
        falloff: 20_000,
        couplings: 100_000,
        connected: 10_000,
        symmetry: 1000,
    };
}

/// `nnqft.reproduce/1`: verdicts, and where everything is.
#[derive(Debug, Clone, Serialize)]
pub struct ReproductionDocument {
    schema: &'static str,
    version: &'static str,
    /// The command that makes it.
    pub command: String,
    /// Scale and seed.
    pub spec: ReproductionSpec,
    /// What ran last; each document in `data` names its own.
    pub device: DeviceInfo,
    /// Sum over all measurements, those of earlier runs included.
    pub timing: Timing,
    /// The results with their verdicts.
    pub claims: Vec<Claim>,
    /// Figures: `figures/<name>.svg`, `.csv`, `.json`.
    pub figures: Vec<String>,
    /// Documents: `data/<name>.json`.
    pub documents: Vec<String>,
}

/// What a reproduction draws.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ReproductionSpec {
    /// Networks.
    #[serde(flatten)]
    pub scale: Scale,
    /// Key of the random stream.
    pub seed: u64,
}

/// All measurements of a reproduction, by name of their document.
#[derive(Debug, Clone)]
pub struct Reproduction {
    spec: ReproductionSpec,
    device: DeviceInfo,
    widths: Vec<FalloffDocument>,
    falloff: BTreeMap<String, FalloffDocument>,
    eft: BTreeMap<String, EftDocument>,
    rg: BTreeMap<String, RgDocument>,
    symmetry: BTreeMap<String, SymmetryDocument>,
    fits: BTreeMap<String, EftDocument>,
    data: Data,
    seconds: f64,
}

/// A finished report.
#[derive(Debug, Clone)]
pub struct Report {
    /// Verdicts.
    pub document: ReproductionDocument,
    /// The page.
    pub html: String,
    /// Figures by section of the page.
    pub figures: Vec<(&'static str, Figure)>,
    falloff: BTreeMap<String, FalloffDocument>,
}

fn value<T: Serialize>(document: &T) -> Value {
    serde_json::to_value(document).expect("documents have string keys")
}

impl Reproduction {
    /// Nothing yet.
    pub fn new(scale: Scale, seed: u64, device: DeviceInfo) -> Self {
        Self {
            spec: ReproductionSpec { scale, seed },
            device,
            widths: Vec::new(),
            falloff: BTreeMap::new(),
            eft: BTreeMap::new(),
            rg: BTreeMap::new(),
            symmetry: BTreeMap::new(),
            fits: BTreeMap::new(),
            data: Data::default(),
            seconds: 0.0,
        }
    }

    fn add(&mut self, name: &str, document: Value) {
        self.seconds += document["timing"]["wall_s"].as_f64().unwrap_or(0.0);
        self.data.0.insert(name.into(), document);
    }

    /// One width of a falloff.
    pub fn add_width(&mut self, name: String, document: FalloffDocument) {
        self.add(&name, value(&document));
        self.widths.push(document);
    }

    /// Coupling and 6-point prediction.
    pub fn add_eft(&mut self, name: String, document: EftDocument) {
        // Its ensemble is the flow's, which is counted.
        self.data.0.insert(name.clone(), value(&document));
        self.eft.insert(name, document);
    }

    /// Flow.
    pub fn add_rg(&mut self, name: String, document: RgDocument) {
        self.add(&name, value(&document));
        self.rg.insert(name, document);
    }

    /// Several outputs.
    pub fn add_symmetry(&mut self, name: String, document: SymmetryDocument) {
        self.add(&name, value(&document));
        self.symmetry.insert(name, document);
    }

    /// lambda as a function.
    pub fn add_fit(&mut self, name: String, document: EftDocument) {
        self.add(&name, value(&document));
        self.fits.insert(name, document);
    }

    /// Joins the widths of each net to its falloff and fits the slopes.
    pub fn assemble(&mut self) {
        for arch in source_nets() {
            let of_net = |d: &&FalloffDocument| d.head.spec.net.name() == Some(arch);
            let all: Vec<&FalloffDocument> = self.widths.iter().filter(of_net).collect();
            let Some(first) = all.first() else { continue };
            let widths = all.iter().flat_map(|d| d.falloff.widths.clone()).collect();
            let mut joined = FalloffDocument {
                falloff: Falloff::new(widths),
                ..(*first).clone()
            };
            joined.head.source.unconverged = joined.falloff.unconverged();
            joined.head.timing.wall_s = all.iter().map(|d| d.head.timing.wall_s).sum();
            let name = format!("falloff-{arch}");
            self.data.0.insert(name.clone(), value(&joined));
            self.falloff.insert(name, joined);
        }
    }

    /// Judges, plots and writes it all down; `options` are those of the command line beyond
    /// scale and seed.
    pub fn report(&self, options: &str) -> Report {
        let figures = self.figures();
        let command = format!(
            "nnqft-gpu reproduce{}{}{options}",
            if self.spec.scale.quick {
                " --quick"
            } else {
                ""
            },
            match self.spec.seed {
                0 => String::new(),
                seed => format!(" --seed {seed}"),
            }
        );
        let document = ReproductionDocument {
            schema: "nnqft.reproduce/1",
            version: VERSION,
            command,
            spec: self.spec,
            device: self.device.clone(),
            timing: Timing::theory(self.seconds),
            claims: claims(&self.data),
            figures: figures.iter().map(|(_, f)| f.name.clone()).collect(),
            documents: self.data.0.keys().cloned().collect(),
        };
        Report {
            html: page::render(&document, &self.data, &figures),
            document,
            figures,
            falloff: self.falloff.clone(),
        }
    }

    fn figures(&self) -> Vec<(&'static str, Figure)> {
        let mut all = Vec::new();
        let mut add = |section, name: String, figure: Figure| {
            if !figure.is_empty() {
                all.push((section, Figure { name, ..figure }));
            }
        };
        for arch in source_nets() {
            if let Some(document) = self.falloff.get(&format!("falloff-{arch}")) {
                add(
                    "falloff",
                    format!("falloff-{arch}"),
                    falloff_figure(document),
                );
                add("odd", format!("odd-{arch}"), odd_figure(document));
            }
        }
        for arch in source_nets() {
            let get = |kind: &str| self.eft.get(&format!("eft-{arch}-d1-{kind}"));
            let kinds = ["direct", "connected", "exact"];
            let documents: Vec<(&str, &EftDocument)> =
                kinds.iter().filter_map(|k| Some((*k, get(k)?))).collect();
            let Some((_, direct)) = documents.first() else {
                continue;
            };
            let Some(at) = direct.cutoffs.iter().position(|p| p.cutoff == 100.0) else {
                continue;
            };
            add(
                "couplings",
                format!("coupling-{arch}"),
                coupling_figure(&documents, at),
            );
            add(
                "couplings",
                format!("six-point-{arch}"),
                six_point_figure(direct, at),
            );
            add(
                "couplings",
                format!("delta-{arch}"),
                delta_figure(&documents),
            );
        }
        for arch in source_nets() {
            let documents: Vec<(String, &RgDocument)> = (1..=3)
                .filter_map(|d| {
                    let document = self.rg.get(&format!("rg-{arch}-d{d}-direct"))?;
                    Some((format!("d_in = {d}"), document))
                })
                .collect();
            if !documents.is_empty() {
                add("flow", format!("flow-{arch}"), flow_figure(&documents, ""));
            }
        }
        let fixed: Vec<(String, &RgDocument)> = source_nets()
            .filter_map(|arch| {
                let document = self.rg.get(&format!("rg-{arch}-fixed-points"))?;
                Some((net_title(arch).to_string(), document))
            })
            .collect();
        add("fixed", "fixed-points".into(), fixed_point_figure(&fixed));
        for arch in source_nets() {
            if let Some(document) = self.symmetry.get(&format!("symmetry-{arch}")) {
                add(
                    "symmetry",
                    format!("symmetry-{arch}"),
                    symmetry_figure(document, 1),
                );
            }
        }
        let falloffs: Vec<&FalloffDocument> = source_nets()
            .filter_map(|arch| self.falloff.get(&format!("falloff-{arch}")))
            .collect();
        add("estimator", "gain".into(), gain_figure(&falloffs));
        all
    }
}

impl Report {
    /// Writes `report.html`, `reproduce.json`, the joined falloffs and the figures to a
    /// folder that has `data/` and `figures/`.
    ///
    /// # Errors
    /// Those of writing the files.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        for (_, figure) in &self.figures {
            figure.write(&dir.join("figures"))?;
            figure.write_json(&dir.join("figures"))?;
        }
        for (name, document) in &self.falloff {
            let text = serde_json::to_string(document)? + "\n";
            replace(
                &dir.join("data").join(format!("{name}.json")),
                text.as_bytes(),
            )?;
        }
        let text = serde_json::to_string(&self.document)? + "\n";
        replace(&dir.join("reproduce.json"), text.as_bytes())?;
        replace(&dir.join("report.html"), self.html.as_bytes())
    }
}
