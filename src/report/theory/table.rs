use super::layers::layers_table;
use crate::report::heading::title;
use crate::report::number::{precise, scientific, value};
use crate::report::table::{left_out, points, reference_title, table};
use crate::run::TheoryDocument;

/// The kernel of so many points is printed, and so many elements of an order are.
const SHOWN_POINTS: usize = 30;
const SHOWN_ELEMENTS: usize = 1000;

/// The kernel comes first, then one line per element with GP, exact value and m_n; of many the
/// first.
pub fn theory_table(document: &TheoryDocument) -> String {
    let mut text = title(&document.head.spec) + "\nkernel K(x_i, x_j)";
    if document.kernel.len() > SHOWN_POINTS {
        text.push_str(&format!(
            " of the first {SHOWN_POINTS} of {} points (the JSON document has all)",
            document.kernel.len()
        ));
    }
    text.push('\n');
    for row in document.kernel.iter().take(SHOWN_POINTS) {
        let row: Vec<String> = (row.iter().take(SHOWN_POINTS))
            .map(|k| format!("{:>11}", value(Some(*k))))
            .collect();
        text.push_str(row.join(" ").trim_end());
        text.push('\n');
    }
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
    let means: String = (document.correlators.iter())
        .map(|c| {
            let note = left_out(
                c.order,
                c.left_out,
                c.gp.len(),
                document.head.spec.net.d_out(),
            );
            format!(
                "n = {}: mean m_n = {}\n{note}",
                c.order,
                value(c.reference.known().and_then(|k| k.deviation_mean))
            )
        })
        .collect();
    format!("{text}{rows}\n{more}{means}{}", layers_table(document))
}
