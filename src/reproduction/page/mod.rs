//! The report is one HTML page that fetches nothing.

mod cell;
mod formula;
mod tables;

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::document::ReproductionDocument;
use super::documents::{Documents, OfNet};
use super::source::{Citation, source};
use super::verdict::{Claim, Outcome, Section};
use crate::report::figure::Figure;
use cell::{Cell, Table};

const TEMPLATE: &str = include_str!("../../../assets/report.html");
const STYLE: &str = include_str!("../../../assets/report.css");
const SCRIPT: &str = include_str!("../../../assets/report.js");

#[derive(Serialize)]
struct Drawing<'a> {
    name: &'a str,
    title: &'a str,
    svg: String,
}

#[derive(Serialize)]
struct Page<'a> {
    style: &'a str,
    script: &'a str,
    source: &'a Citation,
    document: &'a ReproductionDocument,
    claims: Vec<Row<'a>>,
    verdicts: Vec<(String, &'static str, usize)>,
    sections: BTreeMap<Section, Contents<'a>>,
    json: String,
}

#[derive(Serialize, Default)]
struct Contents<'a> {
    claims: Vec<Row<'a>>,
    figures: Vec<Drawing<'a>>,
    tables: Vec<Table>,
}

/// `Row` is a claim as the page shows it.
#[derive(Serialize, Clone)]
struct Row<'a> {
    section: Section,
    net: &'static str,
    source: &'static str,
    statement: String,
    criterion: &'static str,
    verdict: String,
    class: &'static str,
    numbers: Vec<(&'a str, Cell)>,
    note: Option<&'a str>,
}

/// Renders the page from documents, verdicts and figures.
pub(super) fn render(
    document: &ReproductionDocument,
    documents: &Documents,
    nets: &[OfNet],
    figures: &[(Section, Figure)],
) -> String {
    let mut sections: BTreeMap<Section, Contents> = BTreeMap::new();
    for claim in &document.claims {
        let contents = sections.entry(claim.section).or_default();
        contents.claims.push(row(claim));
    }
    for (section, figure) in figures {
        sections.entry(*section).or_default().figures.push(Drawing {
            name: &figure.name,
            title: &figure.title,
            svg: figure.inline_svg(),
        });
    }
    for (section, table) in tables::tables(documents, nets) {
        sections.entry(section).or_default().tables.push(table);
    }
    let mut verdicts: Vec<(String, &'static str, usize)> = Vec::new();
    for claim in &document.claims {
        let name = claim.verdict.to_string();
        match verdicts.iter_mut().find(|(n, ..)| *n == name) {
            Some((.., count)) => *count += 1,
            None => verdicts.push((name, class(claim.verdict), 1)),
        }
    }
    // A closing tag inside a string would end the script element.
    let json = serde_json::to_string(document)
        .expect("documents have string keys")
        .replace('<', "\\u003c");
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        source: &source().citation,
        document,
        claims: document.claims.iter().map(row).collect(),
        verdicts,
        sections,
        json,
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("formula", formula::formula);
    let page = minijinja::Value::from(minijinja::value::Serde(page));
    (environment.render_str(TEMPLATE, page)).expect("the template fits the page")
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reproduced => "yes",
        Outcome::NotReproduced => "no",
        Outcome::SourceUnconverged => "unconverged",
        Outcome::Undecided => "undecided",
    }
}

fn row(claim: &Claim) -> Row<'_> {
    Row {
        section: claim.section,
        net: claim.net,
        source: claim.source,
        statement: claim.statement.to_string(),
        criterion: claim.criterion,
        verdict: claim.verdict.to_string(),
        class: class(claim.verdict),
        numbers: (claim.numbers.iter())
            .map(|n| (n.name.as_str(), Cell::of(n)))
            .collect(),
        note: claim.note.as_deref(),
    }
}
