use crate::report::heading::{sweep, sweep_end};
use crate::report::number::{fixed, value};
use crate::report::table::table;
use crate::run::DepthDocument;

/// The table has one line per depth and order, and one for n v / K^2; the slopes follow.
pub fn depth_table(document: &DepthDocument, width: usize) -> String {
    let header = [
        "L",
        "N",
        "of",
        "measured",
        "± error",
        "predicted",
        "by",
        "verdict",
    ];
    let mut rows = table(&header, 3);
    for d in &document.sweep.depths {
        for (k, p) in d.orders.iter().enumerate() {
            let (predicted, by) = prediction(p.exact_mean, p.first_order_mean);
            let verdict = match (&p.unconverged, &p.first_order_verdict) {
                (Some(_), _) => "NOT CONVERGED".into(),
                (None, Some(verdict)) => verdict.clone(),
                (None, None) => match p.largest_pull {
                    Some(pull) => format!("largest pull {pull:.2}"),
                    None => p.verdict.to_string(),
                },
            };
            rows.add_row([
                first(k, d.depth),
                first(k, d.width),
                format!("m_{}", p.order),
                value(p.deviation_mean),
                value(p.std_err),
                value(predicted),
                by.into(),
                verdict,
            ]);
        }
        let v = &d.vertex;
        let (predicted, by) = prediction(v.exact, v.first_order);
        rows.add_row([
            first(d.orders.len(), d.depth),
            first(d.orders.len(), d.width),
            "N v/K^2".into(),
            value(v.mean),
            value(v.std_err),
            value(predicted),
            by.into(),
            String::new(),
        ]);
    }
    let rows = rows.without(&["verdict", "by"]).fit(width);
    format!(
        "{}\n{rows}\n{}{}",
        sweep(&document.head.spec, "depth"),
        slopes(document, width),
        sweep_end(&document.head),
    )
}

/// What does not change within a depth is written once.
fn first(row: usize, text: impl ToString) -> String {
    if row == 0 {
        text.to_string()
    } else {
        String::new()
    }
}

fn prediction(exact: Option<f64>, first_order: Option<f64>) -> (Option<f64>, &'static str) {
    match (exact, first_order) {
        (Some(value), _) => (Some(value), "exact"),
        (None, Some(value)) => (Some(value), "first order"),
        (None, None) => (None, ""),
    }
}

fn slopes(document: &DepthDocument, width: usize) -> String {
    let has_widths = document
        .sweep
        .widths()
        .is_some_and(|widths| widths.len() > 1);
    let header = ["N", "slope of", "fitted", "± error", "predicted", "depths"];
    let first = usize::from(!has_widths);
    let mut rows = table(&header[first..], 2 - first);
    let mut last = None;
    for fit in &document.sweep.fits {
        // What does not change within a width is written once.
        let width = fit.width.filter(|_| fit.width != last);
        last = fit.width;
        let depths: Vec<String> = fit.depths_used.iter().map(usize::to_string).collect();
        let cells = [
            width.map_or(String::new(), |width| width.to_string()),
            fit.order.map_or("N v/K^2".into(), |n| format!("m_{n}")),
            fixed(fit.slope, 4),
            value(fit.std_err),
            fixed(fit.predicted_slope, 4),
            match &depths[..] {
                [] => "none differs from zero".into(),
                [one] => format!("{one} only: a slope takes two"),
                several => several.join(", "),
            },
        ];
        rows.add_row(cells.into_iter().skip(first));
    }
    let rows = rows.without(&["depths"]).fit(width);
    format!("\nlog10 of the absolute value against log10 L, where it differs from zero\n{rows}\n")
}
