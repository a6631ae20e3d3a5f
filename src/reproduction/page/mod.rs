//! The report is one HTML page that fetches nothing.

mod cell;
mod formula;
mod tables;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::document::ReproductionDocument;
use super::documents::{Documents, OfNet};
use super::figures::Plot;
use super::source::{Citation, source};
use super::verdict::{Basis, Claim, Outcome, Section, tally};
use crate::report::figure::Figure;
use cell::{Cell, Table};

const TEMPLATE: &str = include_str!("../../../assets/report.html");
const STYLE: &str = include_str!("../../../assets/report.css");
const SCRIPT: &str = include_str!("../../../assets/report.js");

/// Titles of the sections, in the order of the page.
const TITLES: [(Section, &str); 12] = [
    (Section::Experiments, "Experiments"),
    (Section::Falloff, "Falloff to the Gaussian process"),
    (Section::Odd, "Odd n-point functions"),
    (Section::Couplings, "Couplings and the 6-point prediction"),
    (Section::Flow, "Running couplings"),
    (Section::Fixed, "Fixed points"),
    (Section::Symmetry, "SO(d_out)"),
    (Section::Fits, "λ as a function"),
    (Section::Exact, "Exact values"),
    (Section::Estimator, "The connected estimator"),
    (Section::Tail, "Gauss-net's tail"),
    (Section::Documents, "Data"),
];

/// A rendered page is a report with the views of the documents that its numbers link to, by name.
pub(super) struct Rendered {
    pub html: String,
    pub views: Vec<(String, String)>,
}

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
    tallies: Vec<Tally>,
    sections: Vec<Contents<'a>>,
}

/// A tally counts the verdicts that rest on one basis.
#[derive(Serialize)]
struct Tally {
    basis: String,
    total: usize,
    verdicts: Vec<(Verdict, usize)>,
}

/// A section has groups: what is said of one net beside its figures, or of all.
#[derive(Serialize)]
struct Contents<'a> {
    id: Section,
    title: &'static str,
    groups: Vec<Group<'a>>,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Group<'a> {
    net: Option<&'a str>,
    claims: Vec<Row<'a>>,
    figures: Vec<Drawing<'a>>,
}

/// `Row` is a claim as the page shows it.
#[derive(Serialize)]
struct Row<'a> {
    /// Number of the claim, counted from 1.
    number: usize,
    net: &'static str,
    source: &'static str,
    statement: String,
    criterion: &'static str,
    verdict: Verdict,
    numbers: Vec<(&'a str, Cell)>,
    note: Option<&'a str>,
}

/// `Verdict` is an outcome in words, as a mark, and as a class of the style.
#[derive(Serialize)]
struct Verdict {
    words: String,
    mark: &'static str,
    class: &'static str,
}

/// Renders the page from documents, verdicts and figures.
pub(super) fn render(
    document: &ReproductionDocument,
    documents: &Documents,
    nets: &[OfNet],
    plots: &[Plot],
) -> Rendered {
    let mut tables = tables::tables(documents, nets);
    let sections: Vec<Contents> = TITLES
        .map(|(id, title)| Contents {
            id,
            title,
            groups: groups(document, plots, id),
            tables: (tables.extract_if(.., |(section, _)| *section == id))
                .map(|(_, table)| table)
                .collect(),
        })
        .into();
    let views = views(documents, &sections);
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        source: &source().citation,
        document,
        tallies: Basis::ALL
            .map(|basis| tally_of(&document.claims, basis))
            .into(),
        sections,
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("formula", formula::formula);
    let page = minijinja::Value::from(minijinja::value::Serde(page));
    Rendered {
        html: (environment.render_str(TEMPLATE, page)).expect("the template fits the page"),
        views,
    }
}

/// Puts what a section says of each net beside the net's figures; figures of several nets stand beside all of it.
fn groups<'a>(
    document: &'a ReproductionDocument,
    plots: &'a [Plot],
    section: Section,
) -> Vec<Group<'a>> {
    let claims = || (document.claims.iter().zip(1..)).filter(move |(c, _)| c.section == section);
    let plots = || plots.iter().filter(move |p| p.section == section);
    let is_apart = plots().all(|plot| plot.net.is_some());
    let mut groups: Vec<Group> = Vec::new();
    let mut group = |net: &'a str| -> usize {
        let net = Some(net).filter(|_| is_apart);
        match groups.iter().position(|group| group.net == net) {
            Some(k) => k,
            None => {
                groups.push(Group {
                    net,
                    claims: Vec::new(),
                    figures: Vec::new(),
                });
                groups.len() - 1
            }
        }
    };
    let claims: Vec<(usize, Row)> = (claims())
        .map(|(claim, number)| (group(claim.net), row(claim, number)))
        .collect();
    let figures: Vec<(usize, Drawing)> = (plots())
        .map(|plot| (group(plot.net.unwrap_or_default()), drawing(&plot.figure)))
        .collect();
    claims
        .into_iter()
        .for_each(|(k, row)| groups[k].claims.push(row));
    figures
        .into_iter()
        .for_each(|(k, f)| groups[k].figures.push(f));
    groups
}

/// Writes the views of all documents, with anchors where the page links to.
fn views(documents: &Documents, sections: &[Contents]) -> Vec<(String, String)> {
    let mut anchors: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let of_tables = (sections.iter().flat_map(|s| &s.tables)).flat_map(|t| t.rows.iter().flatten());
    let of_claims = (sections.iter().flat_map(|s| &s.groups))
        .flat_map(|group| &group.claims)
        .flat_map(|row| row.numbers.iter().map(|(_, cell)| cell));
    for href in of_tables.chain(of_claims).filter_map(Cell::href) {
        if let Some((file, pointer)) = href.split_once('#') {
            anchors.entry(file).or_default().insert(pointer.to_string());
        }
    }
    (documents.each())
        .map(|(name, document)| {
            let anchors = anchors.remove(format!("data/{name}.html").as_str());
            let html = view::view(name, &document.to_json(), &anchors.unwrap_or_default());
            (name.to_string(), html)
        })
        .collect()
}

fn tally_of(claims: &[Claim], basis: Basis) -> Tally {
    let counts = tally(claims, basis);
    Tally {
        basis: basis.to_string(),
        total: counts.values().sum(),
        verdicts: (counts.into_iter())
            .map(|(outcome, count)| (verdict(outcome, outcome.to_string()), count))
            .collect(),
    }
}

fn verdict(outcome: Outcome, words: String) -> Verdict {
    let (mark, class) = match outcome {
        Outcome::Reproduced => ("✓", "yes"),
        Outcome::NotReproduced => ("✗", "no"),
        Outcome::SourceUnconverged => ("≈", "unconverged"),
        Outcome::Undecided => ("?", "undecided"),
    };
    Verdict { words, mark, class }
}

fn drawing(figure: &Figure) -> Drawing<'_> {
    Drawing {
        name: &figure.name,
        title: &figure.title,
        svg: figure.inline_svg(),
    }
}

fn row(claim: &Claim, number: usize) -> Row<'_> {
    Row {
        number,
        net: claim.net,
        source: claim.source,
        statement: claim.statement.to_string(),
        criterion: claim.criterion,
        verdict: verdict(claim.verdict, claim.verdict_in_words()),
        numbers: (claim.numbers.iter())
            .map(|n| (n.name.as_str(), Cell::of(n)))
            .collect(),
        note: claim.note.as_deref(),
    }
}
