//! The report as one HTML page, without any network.

mod tables;

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::claims::{Claim, Data, Number};
use super::figure::Figure;
use super::number::measured;
use super::reproduction::ReproductionDocument;

const TEMPLATE: &str = include_str!("../../../assets/report.html");
const STYLE: &str = include_str!("../../../assets/report.css");
const SCRIPT: &str = include_str!("../../../assets/report.js");

/// One cell of a table: text, and where its number stands.
#[derive(Debug, Clone, Serialize)]
struct Cell {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Table {
    caption: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
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
    document: &'a ReproductionDocument,
    claims: Vec<Row<'a>>,
    verdicts: Vec<(String, &'static str, usize)>,
    sections: BTreeMap<&'static str, Section<'a>>,
    json: String,
}

#[derive(Serialize, Default)]
struct Section<'a> {
    claims: Vec<Row<'a>>,
    figures: Vec<Drawing<'a>>,
    tables: Vec<Table>,
}

/// A claim as the page shows it.
#[derive(Serialize, Clone)]
struct Row<'a> {
    section: &'static str,
    net: &'static str,
    source: &'static str,
    statement: &'a str,
    criterion: &'static str,
    verdict: String,
    class: &'static str,
    numbers: Vec<(String, Cell)>,
    note: Option<&'a str>,
}

/// Renders the page.
pub(super) fn render(
    document: &ReproductionDocument,
    data: &Data,
    figures: &[(&'static str, Figure)],
) -> String {
    let mut sections: BTreeMap<&'static str, Section> = BTreeMap::new();
    for claim in &document.claims {
        sections
            .entry(claim.section)
            .or_default()
            .claims
            .push(row(claim));
    }
    for (section, figure) in figures {
        sections.entry(section).or_default().figures.push(Drawing {
            name: &figure.name,
            title: &figure.title,
            svg: figure.inline_svg(),
        });
    }
    for (section, table) in tables::tables(data) {
        sections.entry(section).or_default().tables.push(table);
    }
    let mut verdicts: Vec<(String, &'static str, usize)> = Vec::new();
    for claim in &document.claims {
        let name = claim.verdict.to_string();
        match verdicts.iter_mut().find(|(n, ..)| *n == name) {
            Some((.., count)) => *count += 1,
            None => verdicts.push((name, class(claim), 1)),
        }
    }
    // A closing tag inside a string would end the script element.
    let json = serde_json::to_string(document)
        .expect("documents have string keys")
        .replace('<', "\\u003c");
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        document,
        claims: document.claims.iter().map(row).collect(),
        verdicts,
        sections,
        json,
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("formula", formula);
    let page = minijinja::Value::from(minijinja::value::Serde(page));
    (environment.render_str(TEMPLATE, page)).expect("the template fits the page")
}

/// Symbols whose `_index` is set below the line; file names keep theirs.
const INDEXED: [&str; 10] = [
    "m_4", "m_6", "m_n", "d_in", "d_out", "σ_w", "σ_b", "λ_m", "ℓ_NL", "T_NL",
];

/// Text with 10^n raised and indices lowered.
fn formula(text: &str) -> minijinja::Value {
    let escaped = minijinja::HtmlEscape(text).to_string();
    let mut parts = escaped.split("10^");
    let mut html = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit() && c != '−')
            .unwrap_or(part.len());
        let (power, rest) = part.split_at(end);
        html.push_str(&format!("10<sup>{power}</sup>{rest}"));
    }
    for symbol in INDEXED {
        if let Some((base, index)) = symbol.split_once('_') {
            html = html.replace(symbol, &format!("{base}<sub>{index}</sub>"));
        }
    }
    minijinja::Value::from_safe_string(html)
}

fn class(claim: &Claim) -> &'static str {
    use super::claims::Outcome;
    match claim.verdict {
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
        statement: &claim.statement,
        criterion: claim.criterion,
        verdict: claim.verdict.to_string(),
        class: class(claim),
        numbers: (claim.numbers.iter())
            .map(|n| (n.name.clone(), cell(n)))
            .collect(),
        note: claim.note.as_deref(),
    }
}

fn cell(number: &Number) -> Cell {
    Cell {
        text: measured(number.value, number.std_err),
        from: Some(number.from.clone()),
    }
}

fn text(text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        from: None,
    }
}
