use crate::analysis::{FunctionFit, Misses};
use crate::report::heading::{eft_errors, eft_title};
use crate::report::number::{scientific, value};
use crate::report::table::table;
use crate::run::EftDocument;

/// The table has one line per model of lambda as a function.
pub fn fit_table(document: &EftDocument, width: usize) -> String {
    let sampled = document.head.source.is_sampled();
    let misses = match sampled {
        true => ["MAPE %", "± error", "noise %", "worst %"].as_slice(),
        false => ["MAPE %", "worst %"].as_slice(),
    };
    let header: Vec<String> = (["terms", "rank", "coefficients"]
        .map(String::from)
        .into_iter())
    .chain(misses.iter().map(|m| format!("train {m}")))
    .chain(misses.iter().map(|m| format!("test {m}")))
    .collect();
    let mut rows = table(&header.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    let of = |m: &Misses| match sampled {
        true => vec![m.mape, m.std_err, m.noise, m.max],
        false => vec![m.mape, m.max],
    };
    for fit in &document.fits {
        let terms: Vec<String> = fit.terms.iter().map(|t| t.to_string()).collect();
        let errors = fit.coefficients_std_err.as_ref().filter(|_| sampled);
        let coefficients: Option<Vec<String>> = fit.coefficients.as_ref().map(|all| {
            let error =
                |k: usize| errors.map_or(String::new(), |e| format!(" ± {}", scientific(e[k], 1)));
            (all.iter().enumerate())
                .map(|(k, c)| scientific(*c, 4) + &error(k))
                .collect()
        });
        let mut row = vec![
            terms.join(", "),
            format!("{} of {}", fit.rank, fit.terms.len()),
            coefficients.map_or("not determined".into(), |all| all.join(", ")),
        ];
        row.extend(of(&fit.train).into_iter().chain(of(&fit.test)).map(value));
        rows.add_row(row);
    }
    let rows = rows
        .without(&["train noise %", "test noise %", "rank", "train worst %"])
        .fit(width);
    format!(
        "{}{rows}\n{}",
        eft_title(&document.head, document.vertex),
        fit_notes(document, sampled),
    )
}

fn fit_notes(document: &EftDocument, sampled: bool) -> String {
    let fits = &document.fits;
    let mut notes = String::new();
    if fits.iter().any(|f| f.coefficients.is_none()) {
        notes.push_str(
            "the terms are proportional on these inputs: only a combination of the coefficients is measured\n",
        );
    }
    if let Some(unmeasured) = document.unmeasured() {
        return format!(
            "{notes}UNMEASURED: {unmeasured}\n{}",
            eft_errors(&document.head)
        );
    }
    for (inputs, of) in [
        ("train", (|f| f.train) as fn(&FunctionFit) -> Misses),
        ("test", |f| f.test),
    ] {
        let most = fits.iter().map(|f| of(f).unmeasured).max().unwrap_or(0);
        if most > 0 {
            notes.push_str(&format!(
                "dG4 is zero within its error for {most} of the {inputs} tuples, left out of the misses\n"
            ));
        }
    }
    if sampled {
        notes.push_str("noise: mean standard error of the misses; a MAPE of that size is the networks' noise, not the model's\n");
    }
    notes + &eft_errors(&document.head)
}
