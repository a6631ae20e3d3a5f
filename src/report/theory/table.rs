use super::layers::layers_table;
use crate::report::heading::title;
use crate::report::number::{precise, scientific, value};
use crate::report::table::{left_out, points, reference_title, table};
use crate::run::TheoryDocument;

/// The kernel of so many points is printed, and so many elements of an order are.
const SHOWN_POINTS: usize = 30;
const SHOWN_ELEMENTS: usize = 1000;

/// The kernel comes first, then one line per n-point function.
pub fn theory_table(document: &TheoryDocument, width: usize) -> String {
    let mut text = title(&document.head.spec) + "\nkernel K(x_i, x_j)";
    if document.kernel.len() > SHOWN_POINTS {
        text.push_str(&format!(
            " of the first {SHOWN_POINTS} of {} points (the JSON document has all)",
            document.kernel.len()
        ));
    }
    text.push('\n');
    // Columns are narrower where the terminal is, if numbers are.
    let shown = document.kernel.len().min(SHOWN_POINTS);
    let (column, longest) = (width / shown.max(1), 9);
    let column = column.saturating_sub(1).clamp(longest, 11);
    for row in document.kernel.iter().take(SHOWN_POINTS) {
        let row: Vec<String> = (row.iter().take(SHOWN_POINTS))
            .map(|k| format!("{:>column$}", value(Some(*k))))
            .collect();
        text.push_str(row.join(" ").trim_end());
        text.push('\n');
    }
    let known = reference_title(document.correlators.iter().map(|c| &c.reference));
    let mut rows = table(
        &[
            "n",
            "elements",
            &format!("mean {known} m_n"),
            "from",
            "to",
            "largest error of G",
        ],
        0,
    );
    for c in &document.correlators {
        let known = c.reference.known();
        let deviations = || {
            known
                .iter()
                .flat_map(|k| k.deviation.iter().flatten().copied())
        };
        let errors = known.map(|k| k.error.iter().copied().fold(0.0, f64::max));
        rows.add_row([
            c.order.to_string(),
            c.gp.len().to_string(),
            value(known.and_then(|k| k.deviation_mean)),
            value(deviations().reduce(f64::min)),
            value(deviations().reduce(f64::max)),
            errors.map_or_else(|| value(None), |error| scientific(error, 0)),
        ]);
    }
    let rows = rows
        .without(&["largest error of G", "from", "to"])
        .fit(width);
    let notes: String = (document.correlators.iter())
        .map(|c| {
            let d_out = document.head.spec.net.d_out();
            left_out(c.order, c.left_out, c.gp.len(), d_out)
        })
        .collect();
    format!("{text}{rows}\n{notes}{}", layers_table(document, width))
}

/// One line per element with GP, exact value and m_n; of many the first.
pub fn theory_elements_table(document: &TheoryDocument) -> String {
    let known = reference_title(document.correlators.iter().map(|c| &c.reference));
    let mut rows = table(&["points", "GP", known, "error", "m_n", "connected"], 1);
    let mut more = String::new();
    for c in &document.correlators {
        let (all, known) = (c.gp.len(), c.reference.known());
        let or_not = |text: Option<String>| text.unwrap_or_else(|| value(None));
        if all > SHOWN_ELEMENTS {
            more.push_str(&format!(
                "n = {}: the first {SHOWN_ELEMENTS} of {all} elements (the JSON document has all)\n",
                c.order
            ));
        }
        for e in 0..all.min(SHOWN_ELEMENTS) {
            rows.add_row([
                points(&c.indices[e], c.outputs.get(e)),
                precise(c.gp[e]),
                or_not(known.map(|k| precise(k.mean[e]))),
                or_not(known.map(|k| scientific(k.error[e], 0))),
                value(known.and_then(|k| k.deviation[e])),
                value(known.and_then(|k| Some(k.connected.as_ref()?[e]))),
            ]);
        }
    }
    format!("{rows}\n{more}")
}
