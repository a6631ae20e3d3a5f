//! The report as one HTML page, without any network.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::Value;

use super::claims::{Claim, Data, Number};
use super::figure::Figure;
use super::reproduction::ReproductionDocument;
use crate::model::Architecture;

const TEMPLATE: &str = include_str!("../../assets/report.html");
const STYLE: &str = include_str!("../../assets/report.css");
const SCRIPT: &str = include_str!("../../assets/report.js");

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
    for (section, table) in tables(data) {
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

/// The tables, by section.
fn tables(data: &Data) -> Vec<(&'static str, Table)> {
    vec![
        ("experiments", experiments(data)),
        ("falloff", slopes(data)),
        ("couplings", couplings(data)),
        ("flow", flows(data)),
        ("symmetry", outputs(data)),
        ("symmetry", checks(data)),
        ("fits", fits(data)),
        ("tail", tail(data)),
        ("documents", documents(data)),
    ]
}

impl Data {
    /// A cell with the number at a pointer, or a dash.
    fn cell(&self, file: &str, at: &str, error: Option<&str>) -> Cell {
        self.number("", file, at, error)
            .map_or(text("–"), |n| cell(&n))
    }

    /// A cell with the text at a pointer.
    fn word(&self, file: &str, at: &str) -> Cell {
        match self.value(file, at) {
            Some(Value::String(s)) => Cell {
                text: s.replace('_', " "),
                from: Some(format!("data/{file}.json#{at}")),
            },
            _ => text("–"),
        }
    }

    fn yes(&self, file: &str, at: &str, [yes, no]: [&str; 2]) -> Cell {
        let holds = self.value(file, at).and_then(Value::as_bool);
        text(holds.map_or("–", |h| if h { yes } else { no }))
    }
}

fn experiments(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        let mut add = |what: &str, file: &str, spec: &str, widths: Option<String>| {
            let at = |field: &str| format!("{spec}/{field}");
            let points = data.len(file, &at("inputs"));
            if points == 0 {
                return;
            }
            let tilted = data.value(file, &at("tilt")).is_some();
            let estimator = data.word(file, &at("estimator")).text;
            rows.push(vec![
                text(what),
                text(arch.title()),
                data.cell(file, &at("d_in"), None),
                widths.map_or_else(|| data.cell(file, &at("width"), None), text),
                data.cell(file, &at("sigma_w"), None),
                data.cell(file, &at("sigma_b"), None),
                text(points.to_string()),
                text(if tilted {
                    estimator + ", tilted"
                } else {
                    estimator
                }),
                data.cell(file, &at("experiments"), None),
                data.cell(file, &at("nets"), None),
            ]);
        };
        let widths = || Some("2 to 1000".to_string());
        let falloff = format!("falloff-{arch}");
        add("falloff, odd n", &falloff, "/spec", widths());
        add("falloff", &falloff, "/connected_spec", widths());
        for d in 1..=3 {
            add(
                "couplings, flow",
                &format!("eft-{arch}-d{d}-direct"),
                "/spec",
                None,
            );
            add(
                "couplings, flow",
                &format!("eft-{arch}-d{d}-connected"),
                "/spec",
                None,
            );
        }
        add(
            "coupling over d_out",
            &format!("symmetry-{arch}"),
            "/spec",
            None,
        );
        add(
            "function fits",
            &format!("fit-{arch}-connected"),
            "/spec",
            None,
        );
    }
    Table {
        caption: "Ensembles. Networks are per experiment; weights have standard deviation σ_w/√fan-in, biases σ_b.",
        header: vec![
            "for",
            "net",
            "d_in",
            "N",
            "σ_w",
            "σ_b",
            "points",
            "estimator",
            "experiments",
            "networks",
        ],
        rows,
    }
}

fn slopes(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        let file = format!("falloff-{arch}");
        for k in 0..data.len(&file, "/fits") {
            let at = |list: &str, field: &str| format!("/{list}/{k}/{field}");
            let unconverged = data.len(&file, &at("fits", "unconverged")) > 0;
            rows.push(vec![
                text(arch.title()),
                data.cell(&file, &at("fits", "order"), None),
                data.cell(&file, &at("fits", "slope"), Some("std_err")),
                data.cell(&file, &at("fits", "exact_slope"), None),
                text(data.len(&file, &at("fits", "widths_used")).to_string()),
                text(if unconverged {
                    "NOT CONVERGED"
                } else {
                    "converged"
                }),
                data.cell(&file, &at("connected_fits", "slope"), Some("std_err")),
                data.cell(&file, &at("connected_fits", "exact_slope"), None),
            ]);
        }
    }
    Table {
        caption: "Slopes of log₁₀|m_n| against log₁₀N over the widths above the background, and those of the exact m_n over the same widths.",
        header: vec![
            "net",
            "n",
            "direct",
            "exact",
            "widths",
            "direct is",
            "connected",
            "exact",
        ],
        rows,
    }
}

fn couplings(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        for d in 1..=3 {
            for kind in ["direct", "connected", "exact"] {
                let file = format!("eft-{arch}-d{d}-{kind}");
                let Some(k) = data.find(&file, "/cutoffs", "cutoff", 100.0) else {
                    continue;
                };
                let at = |field: &str| format!("/cutoffs/{k}/{field}");
                let error = |e| (kind != "exact").then_some(e);
                let unconverged = data.len(&file, "/unconverged") > 0;
                rows.push(vec![
                    text(arch.title()),
                    text(d.to_string()),
                    text(kind),
                    data.cell(&file, &at("lambda/mean"), error("std_err")),
                    data.cell(&file, &at("lambda/std"), None),
                    data.cell(&file, &at("six_point/delta_mean"), error("delta_std_err")),
                    data.cell(&file, &at("six_point/gp_ratio_mean"), None),
                    data.cell(&file, &at("six_point/ratio_mean"), None),
                    text(match (kind, unconverged) {
                        ("exact", _) => "",
                        (_, true) => "NOT CONVERGED",
                        (_, false) => "converged",
                    }),
                ]);
            }
        }
    }
    Table {
        caption: "Couplings and the 6-point prediction at Λ = 100, full vertices. Spread: standard deviation of λ over 4-tuples.",
        header: vec![
            "net",
            "d_in",
            "moments",
            "λ",
            "spread",
            "δ",
            "GP/G⁽⁶⁾",
            "(GP+λ)/G⁽⁶⁾",
            "",
        ],
        rows,
    }
}

fn flows(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        for d in 1..=3 {
            for kind in ["direct", "connected", "exact", "weight"] {
                let file = format!("rg-{arch}-d{d}-{kind}");
                if data.value(&file, "").is_none() {
                    continue;
                }
                rows.push(vec![
                    text(arch.title()),
                    text(d.to_string()),
                    text(if kind == "weight" {
                        "exact, weight vertices"
                    } else {
                        kind
                    }),
                    data.cell(&file, "/asymptotic_slope", None),
                    data.cell(&file, "/theory_slope", None),
                    data.cell(&file, "/fit/slope", Some("std_err")),
                    data.cell(&file, "/fit/r2", None),
                    data.yes(&file, "/uv/reached", ["yes", "no"]),
                    data.yes(&file, "/ir/reached", ["yes", "no"]),
                ]);
            }
        }
    }
    Table {
        caption: "Slopes of log|λ| against log Λ. The fit over all 21 cutoffs is what the source plots; Erf and Gauss approach theory's slope only as Λ grows.",
        header: vec![
            "net",
            "d_in",
            "moments",
            "at largest Λ",
            "theory",
            "fit",
            "R²",
            "UV fixed point",
            "IR",
        ],
        rows,
    }
}

fn outputs(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        let file = format!("symmetry-{arch}");
        for k in 0..data.len(&file, "/d_out") {
            let at = |field: &str| format!("/d_out/{k}/{field}");
            rows.push(vec![
                text(arch.title()),
                data.cell(&file, &at("d_out"), None),
                data.cell(&file, &at("lambda_tree"), Some("lambda_tree_std_err")),
                data.cell(&file, &at("lambda_tree_exact"), None),
                data.cell(
                    &file,
                    &at("lambda_one_loop"),
                    Some("lambda_one_loop_std_err"),
                ),
                data.cell(&file, &at("lambda_one_loop_exact"), None),
                data.cell(&file, &at("loop_over_tree"), None),
            ]);
        }
    }
    Table {
        caption: "Coupling of λ (f·f)² at Λ = 100 against the number of outputs: at tree level it does not depend on it, at one loop it falls.",
        header: vec![
            "net",
            "d_out",
            "λ, tree",
            "exact",
            "λ, one loop",
            "exact",
            "loop/tree",
        ],
        rows,
    }
}

fn checks(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        let file = format!("symmetry-{arch}");
        for k in 0..data.len(&file, "/checks") {
            let at = |field: &str| format!("/checks/{k}/{field}");
            rows.push(vec![
                text(arch.title()),
                data.cell(&file, &at("d_out"), None),
                data.word(&file, &at("name")),
                data.cell(&file, &at("components"), None),
                data.cell(&file, &at("value"), None),
                data.cell(&file, &at("std_err"), None),
                data.cell(&file, &at("p_value"), None),
                data.yes(&file, &at("pass"), ["pass", "FAIL"]),
            ]);
        }
    }
    Table {
        caption: "SO(d_out), tested on direct ensembles. χ² per element is 1 within ± if the symmetry holds.",
        header: vec!["net", "d_out", "check", "elements", "χ²/n", "±", "p", ""],
        rows,
    }
}

fn fits(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in Architecture::ALL {
        for kind in ["exact", "connected"] {
            let file = format!("fit-{arch}-{kind}");
            for k in 0..data.len(&file, "/fits") {
                let at = |field: &str| format!("/fits/{k}/{field}");
                let terms = data.value(&file, &at("terms")).and_then(Value::as_array);
                let terms: Vec<&str> = terms
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let mut row = vec![
                    text(arch.title()),
                    text(kind),
                    text(terms.join(", ")),
                    data.cell(&file, &at("rank"), None),
                ];
                row.extend(
                    (0..3).map(|c| data.cell(&file, &at(&format!("coefficients/{c}")), None)),
                );
                row.extend(
                    ["train/mape", "train/max", "test/mape", "test/max"]
                        .map(|field| data.cell(&file, &at(field), None)),
                );
                rows.push(row);
            }
        }
    }
    Table {
        caption: "λ as a function: least squares on inputs x/√2, tested on x; weight vertices. MAPE and worst error in percent. Coefficients are given where the rank determines them.",
        header: vec![
            "net",
            "moments",
            "terms",
            "rank",
            "ℓ₀",
            "ℓ₂",
            "ℓ_NL",
            "train MAPE",
            "worst",
            "test MAPE",
            "worst",
        ],
        rows,
    }
}

fn tail(data: &Data) -> Table {
    let file = "falloff-gauss";
    let mut rows = Vec::new();
    for w in 0..data.len(file, "/widths") {
        for n in [4.0, 6.0] {
            let list = format!("/widths/{w}/orders");
            let Some(k) = data.find(file, &list, "order", n) else {
                continue;
            };
            let at = |field: &str| format!("{list}/{k}/{field}");
            let flagged = data
                .value(file, &at("unconverged"))
                .is_some_and(Value::is_string);
            rows.push(vec![
                data.cell(file, &format!("/widths/{w}/width"), None),
                text(format!("{n}")),
                data.cell(file, &at("deviation_mean"), Some("std_err")),
                text(if flagged {
                    "NOT CONVERGED"
                } else {
                    "converged"
                }),
                data.cell(file, &at("connected/deviation_mean"), Some("std_err")),
                data.cell(file, &at("exact_mean"), None),
            ]);
        }
    }
    Table {
        caption: "Gauss-net's m_n: what the direct estimator shows, the verdict on it, and what is true.",
        header: vec!["N", "n", "direct", "verdict", "connected, tilted", "exact"],
        rows,
    }
}

fn documents(data: &Data) -> Table {
    let rows = (data.0.keys()).map(|file| {
        let link = Cell {
            text: format!("{file}.json"),
            from: Some(format!("data/{file}.json")),
        };
        vec![
            link,
            data.word(file, "/schema"),
            data.word(file, "/device/adapter"),
            data.word(file, "/device/driver"),
            data.cell(file, "/timing/wall_s", None),
        ]
    });
    Table {
        caption: "The documents behind this page.",
        header: vec!["file", "schema", "device", "driver", "seconds"],
        rows: rows.collect(),
    }
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
