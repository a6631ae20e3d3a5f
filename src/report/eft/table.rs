use crate::analysis::SixPoint;
use crate::model::short;
use crate::report::heading::{eft_errors, eft_title, integral_errors};
use crate::report::number::{beyond_rounding, pull, value};
use crate::report::table::{points, table};
use crate::run::EftDocument;
use crate::tensor::multisets;

/// The table has coupling and 6-point prediction, one line per cutoff.
pub fn eft_table(document: &EftDocument, width: usize) -> String {
    let sampled = document.head.source.is_sampled();
    let beside = document.cutoffs.iter().any(|p| p.exact.is_some());
    let mut header = vec!["cutoff", "lambda", "± error"];
    header.extend(beside.then_some(["exact", "pull"]).into_iter().flatten());
    header.extend(["spread", "lambda is", "delta", "± error"]);
    header.extend(beside.then_some("exact"));
    header.extend(["delta from", "to"]);
    for ratio in ["GP/G6", "(GP+NGP)/G6"] {
        header.push(ratio);
        if sampled {
            header.push("± error");
        }
    }
    let mut rows = table(&header, 0);
    let mut notes = String::new();
    for point in &document.cutoffs {
        let (l, six) = (point.lambda.as_ref(), point.six_point.as_ref());
        let cutoff = short(point.cutoff);
        let mut row = vec![
            cutoff.clone(),
            value(l.map(|l| l.mean)),
            value(l.and_then(|l| l.std_err)),
        ];
        if beside {
            let exact = point.exact.map(|exact| exact.lambda);
            row.push(value(exact));
            row.push(pull(l.and_then(|l| {
                let error = l.std_err.filter(|&e| e > 0.0)?;
                Some((l.mean - exact?) / error)
            })));
        }
        row.extend([
            value(l.map(|l| beyond_rounding(l.std, l.mean))),
            match l {
                None => "undefined".into(),
                Some(l) if !l.measured => "unmeasured".into(),
                Some(l) => l.verdict.to_string(),
            },
            value(six.and_then(|s| s.delta_mean)),
            value(six.and_then(|s| s.delta_std_err)),
        ]);
        if beside {
            row.push(value(point.exact.and_then(|exact| exact.delta_mean)));
        }
        row.push(value(six.and_then(|s| s.delta_min)));
        row.push(value(six.and_then(|s| s.delta_max)));
        for (ratio, error) in [
            (
                six.and_then(|s| s.gp_ratio_mean),
                six.and_then(|s| s.gp_ratio_std_err),
            ),
            (
                six.and_then(|s| s.ratio_mean),
                six.and_then(|s| s.ratio_std_err),
            ),
        ] {
            row.push(value(ratio));
            if sampled {
                row.push(value(error));
            }
        }
        rows.add_row(row);
        if let Some(undefined) = l.map(|l| l.undefined).filter(|&n| n > 0) {
            notes.push_str(&format!(
                "cutoff {cutoff}: the vertex integral vanishes for {undefined} of {} tuples, left out of the mean\n",
                l.map_or(0, |l| l.values.len()),
            ));
        }
        let tuples = six.map_or(0, |s| s.delta.len());
        if let Some(n) = six.map(|s| s.delta_undefined).filter(|&n| n > 0) {
            notes.push_str(&format!(
                "cutoff {cutoff}: the prediction vanishes for {n} of {tuples} 6-tuples, left out of delta\n"
            ));
        }
        if let Some(n) = six.map(|s| s.ratio_undefined).filter(|&n| n > 0) {
            notes.push_str(&format!(
                "cutoff {cutoff}: G6 is zero within its error for {n} of {tuples} 6-tuples, which leaves its ratios without a mean\n"
            ));
        }
        if let Some([from, to]) = six.and_then(|s| s.delta_interval.filter(|i| is_skew(s, *i))) {
            notes.push_str(&format!(
                "cutoff {cutoff}: lambda's own error is large; delta is from {} to {} with 99.7% (Fieller)\n",
                value(Some(from)),
                value(Some(to)),
            ));
        }
        if let Some(misfit) = six.and_then(|s| s.misfit) {
            notes.push_str(&format!(
                "cutoff {cutoff}: delta - 1 = {} from taking lambda constant, {} from the connected 6-point function (kappa = {})\n",
                value(Some(beyond_rounding(misfit.constant_lambda, 1.0))),
                value(Some(misfit.kappa)),
                value(Some(misfit.kappa_mean)),
            ));
        }
    }
    let rows = rows
        .without(&[
            "delta from",
            "to",
            "GP/G6",
            "(GP+NGP)/G6",
            "spread",
            "pull",
            "lambda is",
        ])
        .fit(width);
    let lambdas = document.cutoffs.iter().filter_map(|p| p.lambda.as_ref());
    notes.push_str(&integral_errors(
        lambdas.map(|l| (l.mean, l.integral_error)),
    ));
    if let Some(unmeasured) = document.unmeasured() {
        notes.push_str(&format!("UNMEASURED: {unmeasured}\n"));
    }
    format!(
        "{}{rows}\n{notes}spread: standard deviation of lambda over 4-tuples; delta = (G6 - GP) / prediction\n{}",
        eft_title(&document.head, document.vertex),
        eft_errors(&document.head),
    )
}

/// An error bar is no summary of an interval that reaches twice as far as three of them.
fn is_skew(six: &SixPoint, [from, to]: [f64; 2]) -> bool {
    match (six.delta_mean, six.delta_std_err) {
        (Some(delta), Some(error)) => (to - delta).max(delta - from) > 6.0 * error,
        _ => false,
    }
}

/// The table has the 6-point prediction, one line per cutoff and element.
pub fn six_point_table(document: &EftDocument) -> String {
    let header = [
        "points",
        "cutoff",
        "delta",
        "± error",
        "GP/G6",
        "(GP+NGP)/G6",
    ];
    let mut rows = table(&header, 1);
    let tuples = multisets(document.head.spec.inputs.len(), 6);
    for point in &document.cutoffs {
        let Some(six) = &point.six_point else {
            continue;
        };
        for (e, index) in tuples.iter().enumerate() {
            rows.add_row([
                points(index, None),
                short(point.cutoff),
                value(six.delta[e]),
                value(six.delta_std_errs[e]),
                value(six.gp_ratio[e]),
                value(six.ratio[e]),
            ]);
        }
    }
    format!("{rows}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand::{coupling, eft};
    use crate::report::fit_table;
    use crate::report::table::WIDE;
    use crate::run::Source;

    #[test]
    fn a_coupling_without_a_vertex_is_undefined() {
        let document = eft(vec![(10.0, None), (f64::INFINITY, Some(coupling(-0.5)))]);
        let text = eft_table(&document, WIDE);
        let cells = |start: &str| -> Vec<&str> {
            let line = text.lines().find(|l| l.starts_with(start)).unwrap();
            line.split_whitespace().collect()
        };
        let none = [&["10"][..], &["n/a"; 3], &["undefined"], &["n/a"; 8]].concat();
        assert_eq!(cells("    10 "), none, "{text}");
        assert_eq!(
            cells("   inf ")[..4],
            ["inf", "-0.5000", "n/a", "0"],
            "{text}"
        );
        assert!(text.contains("vanishes for 1 of 2 tuples"), "{text}");
        assert_eq!(six_point_table(&document).lines().count(), 2);
        assert!(fit_table(&document, WIDE).contains("train MAPE %"));
    }

    #[test]
    fn exact_moments_have_no_errors() {
        let mut document = eft(vec![(10.0, Some(coupling(-0.5)))]);
        assert!(eft_table(&document, WIDE).contains("errors: jackknife over 2 experiments"));
        document.head.source = Source::exact();
        let text = eft_table(&document, WIDE);
        assert!(
            text.contains("exact moments") && !text.contains("errors:"),
            "{text}"
        );
    }
}
