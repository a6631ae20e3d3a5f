//! The report as one HTML page, without any network.

mod tables;

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::claims::{Claim, Data, Number};
use super::figure::Figure;
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

/// Five digits, or those that the error leaves, with the error's last two in parentheses.
fn measured(value: f64, error: Option<f64>) -> String {
    let finish = |mantissa: String, exponent: i32| {
        let mantissa = mantissa.replace('-', "−");
        match exponent {
            0 => mantissa,
            e => format!("{mantissa} × 10^{e}").replace("^-", "^−"),
        }
    };
    if value == 0.0 && error.is_none_or(|e| e == 0.0) {
        return "0".into();
    }
    // Smaller ones are rounding.
    let error = error.filter(|e| *e > 1e-9 * value.abs() && e.is_finite());
    if error.is_none() && value.fract() == 0.0 && value.abs() < 1e9 {
        return finish(value.to_string(), 0);
    }
    let size = value.abs().max(error.unwrap_or(0.0));
    let power = size.log10().floor() as i32;
    let exponent = if (-3..5).contains(&power) { 0 } else { power };
    let scaled = value / 10f64.powi(exponent);
    let Some(error) = error else {
        let digits = (4 - power + exponent).clamp(0, 12) as usize;
        let plain = format!("{scaled:.digits$}");
        // 2 rather than 2.0000.
        let plain = match plain.contains('.') {
            true => plain
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_string(),
            false => plain,
        };
        return finish(plain, exponent);
    };
    let error = error / 10f64.powi(exponent);
    let digits = (1 - error.log10().floor() as i32).clamp(0, 12) as usize;
    let last = (error * 10f64.powi(digits as i32)).round();
    // Both in the last digits' unit; a point where the error reaches before it.
    let bracket = match error >= 1.0 && digits > 0 {
        true => format!("{error:.digits$}"),
        false => format!("{last:.0}"),
    };
    finish(format!("{scaled:.digits$}({bracket})"), exponent)
}

#[cfg(test)]
mod tests {
    use super::measured;

    #[test]
    fn numbers_read_as_in_a_paper() {
        assert_eq!(measured(-1.1699e-5, Some(3.4e-8)), "−1.1699(34) × 10^−5");
        assert_eq!(measured(1.0, None), "1");
        assert_eq!(measured(0.98638, None), "0.98638");
        assert_eq!(measured(5101.23, Some(12.3)), "5101(12)");
        assert_eq!(measured(3.12, Some(1.5)), "3.1(1.5)");
        assert_eq!(measured(0.002, Some(0.5)), "0.00(50)");
        assert_eq!(measured(1e6, None), "1000000");
        assert_eq!(measured(2.5e-7, None), "2.5 × 10^−7");
        assert_eq!(measured(-5.0, Some(1e-16)), "−5");
        assert_eq!(measured(-0.0, None), "0");
        assert_eq!(measured(0.01234, None), "0.01234");
    }
}
