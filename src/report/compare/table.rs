use crate::analysis::CrossCheck;
use crate::report::number::value;
use crate::report::table::table;

/// The table has one line per stage and fit.
pub fn cross_check_table(check: &CrossCheck, width: usize) -> String {
    let verdict = |pass: bool| if pass { "pass" } else { "FAIL" }.to_string();
    let mut rows = table(
        &["stage", "in units of", "worst at", "error", "tolerance", ""],
        3,
    );
    let mut notes = String::new();
    for s in &check.stages {
        rows.add_row([
            s.stage.to_string(),
            s.unit.to_string(),
            s.at.clone(),
            value(Some(s.max_abs)),
            value(Some(s.tolerance)),
            verdict(s.pass),
        ]);
        if let Some(detail) = &s.detail {
            notes.push_str(&format!("{}: {detail}\n", s.stage));
        }
    }
    let mut fits = table(
        &[
            "fit",
            "GPU",
            "CPU",
            "statistical error",
            "difference",
            "tolerance",
            "",
        ],
        1,
    );
    for f in &check.fits {
        fits.add_row([
            f.fit.clone(),
            value(Some(f.gpu)),
            value(Some(f.cpu)),
            value(Some(f.std_err)),
            value(Some((f.gpu - f.cpu).abs())),
            value(Some(f.tolerance)),
            verdict(f.pass),
        ]);
    }
    let rows = rows.without(&["worst at", "in units of"]).fit(width);
    let fits = fits.without(&["statistical error", "CPU"]).fit(width);
    format!("{rows}\n{notes}\n{fits}\n")
}
