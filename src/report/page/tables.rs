//! The tables of the page; every number is read from its document.

use serde_json::Value;

use super::{Cell, Table, cell, text};
use crate::model::{net_title, source_nets};
use crate::report::claims::Data;

/// The tables, by section.
pub(super) fn tables(data: &Data) -> Vec<(&'static str, Table)> {
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
    for arch in source_nets() {
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
                text(net_title(arch)),
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
    for arch in source_nets() {
        let file = format!("falloff-{arch}");
        for k in 0..data.len(&file, "/fits") {
            let at = |list: &str, field: &str| format!("/{list}/{k}/{field}");
            let unconverged = data.len(&file, &at("fits", "unconverged")) > 0;
            rows.push(vec![
                text(net_title(arch)),
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
    for arch in source_nets() {
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
                    text(net_title(arch)),
                    text(d.to_string()),
                    text(kind),
                    data.cell(&file, &at("lambda/mean"), error("std_err")),
                    data.cell(&file, &at("lambda/std"), None),
                    data.cell(&file, &at("six_point/delta_mean"), error("delta_std_err")),
                    data.cell(
                        &file,
                        &at("six_point/gp_ratio_mean"),
                        error("gp_ratio_std_err"),
                    ),
                    data.cell(&file, &at("six_point/ratio_mean"), error("ratio_std_err")),
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
    for arch in source_nets() {
        for d in 1..=3 {
            for kind in ["direct", "connected", "exact", "weight"] {
                let file = format!("rg-{arch}-d{d}-{kind}");
                if data.value(&file, "").is_none() {
                    continue;
                }
                rows.push(vec![
                    text(net_title(arch)),
                    text(d.to_string()),
                    text(if kind == "weight" {
                        "exact, weight vertices"
                    } else {
                        kind
                    }),
                    data.cell(
                        &file,
                        "/asymptotic_slope",
                        match kind {
                            "direct" | "connected" => Some("asymptotic_slope_std_err"),
                            _ => None,
                        },
                    ),
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
    for arch in source_nets() {
        let file = format!("symmetry-{arch}");
        for k in 0..data.len(&file, "/d_out") {
            let at = |field: &str| format!("/d_out/{k}/{field}");
            rows.push(vec![
                text(net_title(arch)),
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
    for arch in source_nets() {
        let file = format!("symmetry-{arch}");
        for k in 0..data.len(&file, "/checks") {
            let at = |field: &str| format!("/checks/{k}/{field}");
            rows.push(vec![
                text(net_title(arch)),
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
        caption: "SO(d_out), tested on direct ensembles. χ² per element is 1 within ± if the symmetry holds; a test that fails on an ensemble that has not converged is undecided (–).",
        header: vec!["net", "d_out", "check", "elements", "χ²/n", "±", "p", ""],
        rows,
    }
}

fn fits(data: &Data) -> Table {
    let mut rows = Vec::new();
    for arch in source_nets() {
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
                    text(net_title(arch)),
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
