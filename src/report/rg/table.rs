use crate::analysis::{ErrorOf, FlowPoint};
use crate::model::short;
use crate::report::heading::{eft_errors, eft_title, integral_errors};
use crate::report::number::{beyond_rounding, fixed, value};
use crate::report::table::table;
use crate::run::RgDocument;

/// The table has one line per cutoff; slopes and fixed points follow.
pub fn flow_table(document: &RgDocument, width: usize) -> String {
    let flow = &document.flow;
    let sampled = document.head.source.is_sampled();
    let mut header = vec![
        "cutoff",
        "lambda",
        "± error",
        "beta",
        "dimensionless beta",
        "local slope",
    ];
    if sampled {
        header = vec![
            "cutoff",
            "lambda",
            "± error",
            "beta",
            "± error",
            "dimensionless beta",
            "± error",
            "local slope",
            "± error",
        ];
    }
    let mut rows = table(&header, 0);
    let mut notes = String::new();
    for p in &flow.points {
        let slope = match p.measured || p.lambda_mean.is_none() {
            true => fixed(p.slope, 6),
            false => "unmeasured".into(),
        };
        let mut row = vec![
            short(p.cutoff),
            value(p.lambda_mean),
            value(p.lambda_std_err),
        ];
        // What runs no more is zero to within the rounding of what it is made of.
        let lambda = p.lambda_mean.unwrap_or(0.0);
        let dimensionless = lambda * p.cutoff.powf(flow.dimension);
        let or_zero = |x: Option<f64>, size: f64| value(x.map(|x| beyond_rounding(x, size)));
        for (cell, error) in [
            (or_zero(p.beta, lambda), or_zero(p.beta_std_err, lambda)),
            (
                or_zero(p.beta_dimensionless, dimensionless),
                or_zero(p.beta_dimensionless_std_err, dimensionless),
            ),
            (slope, or_zero(p.slope_std_err, p.slope.unwrap_or(0.0))),
        ] {
            row.push(cell);
            if sampled {
                row.push(error);
            }
        }
        rows.add_row(row);
    }
    let rows = rows.without(&["dimensionless beta", "beta"]).fit(width);
    let most = |f: &dyn Fn(&FlowPoint) -> usize| flow.points.iter().map(f).max().unwrap_or(0);
    let (undefined, opposite) = (most(&|p| p.undefined), most(&|p| p.opposite_sign));
    if undefined > 0 {
        notes.push_str(&format!(
            "up to {undefined} tuples have a vanishing vertex integral and are left out\n"
        ));
    }
    if opposite > 0 {
        notes.push_str(&format!(
            "up to {opposite} tuples have a coupling of the other sign: the kernel changes sign and one constant lambda does not describe them\n"
        ));
    }
    let points = flow.points.iter();
    notes.push_str(&integral_errors(
        points.filter_map(|p| Some((p.lambda_mean?, p.lambda_integral_error))),
    ));
    if let Some(unmeasured) = document.unmeasured() {
        notes.push_str(&format!("UNMEASURED: {unmeasured}\n"));
    }
    if let Some(fit) = &flow.fit {
        let or_zero = |error: Option<f64>| value(error.map(|e| beyond_rounding(e, fit.slope)));
        let error = or_zero(fit.std_err);
        notes.push_str(&format!(
            "fit of log|lambda| against log L: slope {} ± {}, R^2 = {:.6}\n",
            fixed(Some(fit.slope), 5),
            match fit.error_of {
                ErrorOf::Line => format!("{error} (of the line)"),
                ErrorOf::Experiments => format!(
                    "{error} (of the networks; of the line {})",
                    or_zero(fit.line_std_err)
                ),
            },
            fit.r2
        ));
    }
    let theory = match flow.theory_slope {
        Some(slope) => format!("theory {slope}"),
        None => "theory has none: the vertex kernel changes sign".into(),
    };
    let or_error = |error: Option<f64>| match sampled {
        true => format!(" ± {}", value(error.map(|e| beyond_rounding(e, 1.0)))),
        false => String::new(),
    };
    notes.push_str(&format!(
        "slope at the largest cutoff: {}; {theory}\n",
        flow.asymptotic_slope.map_or("n/a".into(), |s| format!(
            "{}{}",
            fixed(Some(s), 6),
            or_error(flow.asymptotic_slope_std_err)
        )),
    ));
    for (end, point) in [("UV", &flow.uv), ("IR", &flow.ir)] {
        let Some(beta) = point.relative_beta else {
            let cutoff = value(Some(point.cutoff));
            notes.push_str(&format!("{end}, L = {cutoff}: n/a\n"));
            continue;
        };
        notes.push_str(&format!(
            "{end}, L = {}: per e-fold of L, lambda L^{} changes by {}{} of itself: {}\n",
            value(Some(point.cutoff)),
            flow.dimension,
            value(Some(beyond_rounding(beta, 1.0))),
            or_error(point.relative_beta_std_err),
            match point.reached {
                Some(true) => "a fixed point",
                Some(false) => "no fixed point",
                None => "undecided",
            },
        ));
    }
    format!(
        "{}{rows}\n{notes}{}",
        eft_title(&document.head, document.vertex),
        eft_errors(&document.head),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand;
    use crate::report::table::WIDE;

    #[test]
    fn a_flow_of_which_nothing_is_known_says_so() {
        let text = flow_table(&by_hand::rg(&[(10.0, None), (100.0, Some(-2.0))]), WIDE);
        let line = text.lines().find(|l| l.starts_with("   100 ")).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            cells,
            [&["100", "-2.000"][..], &["n/a"; 7]].concat(),
            "{text}"
        );
        assert!(
            text.contains("slope at the largest cutoff: n/a; theory -1\n"),
            "{text}"
        );
        assert!(
            text.contains("UV, L = 1000: n/a\nIR, L = 0.001000: n/a\n"),
            "{text}"
        );
        assert!(!text.contains("fit of"), "{text}");
    }
}
