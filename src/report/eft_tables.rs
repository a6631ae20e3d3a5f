use super::table::{number, points, table, title};
use super::{EftDocument, Head, RgDocument};
use crate::analysis::{ErrorOf, FunctionFit, Misses, SixPoint, within_three_errors};
use crate::model::short;
use crate::theory::Vertex;

/// The line above a table of the effective field theory.
pub(super) fn eft_title(head: &Head, vertex: Vertex) -> String {
    let spec = &head.spec;
    let moments = match &*head.source.moments {
        "exact" => "exact moments".to_string(),
        _ => format!("{} x {} networks", spec.experiments, spec.nets),
    };
    let mut text = format!("{}, {moments}, {vertex} vertices\n", title(spec));
    for reason in &head.source.unconverged {
        text.push_str(&format!("NOT CONVERGED: {reason}\n"));
    }
    text
}

/// What the errors of a table of the effective field theory are; nothing for exact moments.
fn eft_errors(head: &Head) -> String {
    match (&*head.source.moments, head.spec.experiments) {
        ("exact", _) => String::new(),
        (_, 1) => "one experiment has no error: use `experiments` 2 or more\n".into(),
        (_, n) => format!(
            "errors: jackknife over {n} experiments; as Student's t has it with {}, {:.1}% are within three of them\n",
            match n - 1 {
                1 => "1 degree of freedom".to_string(),
                n => format!("{n} degrees of freedom"),
            },
            100.0 * within_three_errors(n as usize - 1),
        ),
    }
}

/// Coupling and 6-point prediction, one line per cutoff.
pub fn eft_table(document: &EftDocument) -> String {
    let sampled = document.head.source.moments != "exact";
    let mut header = vec![
        "cutoff",
        "lambda",
        "± error",
        "spread",
        "lambda is",
        "delta",
        "± error",
        "delta from",
        "to",
    ];
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
            number(l.map(|l| l.mean)),
            number(l.and_then(|l| l.std_err)),
            number(l.map(|l| l.std)),
            match l {
                None => "undefined".into(),
                Some(l) if !l.measured => "unmeasured".into(),
                Some(l) => l.verdict.to_string(),
            },
            number(six.and_then(|s| s.delta_mean)),
            number(six.and_then(|s| s.delta_std_err)),
            number(six.and_then(|s| s.delta_min)),
            number(six.and_then(|s| s.delta_max)),
        ];
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
            row.push(number(ratio));
            if sampled {
                row.push(number(error));
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
                number(Some(from)),
                number(Some(to)),
            ));
        }
        if let Some(misfit) = six.and_then(|s| s.misfit) {
            notes.push_str(&format!(
                "cutoff {cutoff}: delta - 1 = {} from taking lambda constant, {} from the connected 6-point function (kappa = {})\n",
                number(Some(misfit.constant_lambda)),
                number(Some(misfit.kappa)),
                number(Some(misfit.kappa_mean)),
            ));
        }
    }
    if let Some(unmeasured) = document.unmeasured() {
        notes.push_str(&format!("UNMEASURED: {unmeasured}\n"));
    }
    format!(
        "{}{rows}\n{notes}spread: standard deviation of lambda over 4-tuples; delta = (G6 - GP) / prediction\n{}",
        eft_title(&document.head, document.vertex),
        eft_errors(&document.head),
    )
}

/// Whether an error bar is no summary of an interval: it reaches twice as far as three of them.
fn is_skew(six: &SixPoint, [from, to]: [f64; 2]) -> bool {
    match (six.delta_mean, six.delta_std_err) {
        (Some(delta), Some(error)) => (to - delta).max(delta - from) > 6.0 * error,
        _ => false,
    }
}

/// The 6-point prediction, one line per cutoff and element.
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
    let tuples = crate::tensor::multisets(document.head.spec.inputs.len(), 6);
    for point in &document.cutoffs {
        let Some(six) = &point.six_point else {
            continue;
        };
        for (e, index) in tuples.iter().enumerate() {
            rows.add_row([
                points(index, None),
                short(point.cutoff),
                number(six.delta[e]),
                number(six.delta_std_errs[e]),
                number(six.gp_ratio[e]),
                number(six.ratio[e]),
            ]);
        }
    }
    format!("{rows}\n")
}

/// Fits of lambda as a function, one line per model.
pub fn fit_table(document: &EftDocument) -> String {
    let sampled = document.head.source.moments != "exact";
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
            let error = |k: usize| errors.map_or(String::new(), |e| format!(" ± {:.1e}", e[k]));
            (all.iter().enumerate())
                .map(|(k, c)| format!("{c:.4e}{}", error(k)))
                .collect()
        });
        let mut row = vec![
            terms.join(", "),
            format!("{} of {}", fit.rank, fit.terms.len()),
            coefficients.map_or("not determined".into(), |all| all.join(", ")),
        ];
        row.extend(of(&fit.train).into_iter().chain(of(&fit.test)).map(number));
        rows.add_row(row);
    }
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

/// The running coupling, one line per cutoff, then slopes and fixed points.
pub fn flow_table(document: &RgDocument) -> String {
    let flow = &document.flow;
    let sampled = document.head.source.moments != "exact";
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
            true => p.slope.map_or("n/a".into(), |s| format!("{s:.6}")),
            false => "unmeasured".into(),
        };
        let mut row = vec![
            short(p.cutoff),
            number(p.lambda_mean),
            number(p.lambda_std_err),
        ];
        for (value, error) in [
            (number(p.beta), p.beta_std_err),
            (number(p.beta_dimensionless), p.beta_dimensionless_std_err),
            (slope, p.slope_std_err),
        ] {
            row.push(value);
            if sampled {
                row.push(number(error));
            }
        }
        rows.add_row(row);
    }
    let most = |f: &dyn Fn(&crate::analysis::FlowPoint) -> usize| {
        flow.points.iter().map(f).max().unwrap_or(0)
    };
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
    if let Some(unmeasured) = document.unmeasured() {
        notes.push_str(&format!("UNMEASURED: {unmeasured}\n"));
    }
    if let Some(fit) = &flow.fit {
        let error = number(fit.std_err);
        notes.push_str(&format!(
            "fit of log|lambda| against log L: slope {:.5} ± {}, R^2 = {:.6}\n",
            fit.slope,
            match fit.error_of {
                ErrorOf::Line => format!("{error} (of the line)"),
                ErrorOf::Experiments => format!(
                    "{error} (of the networks; of the line {})",
                    number(fit.line_std_err)
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
        true => format!(" ± {}", number(error)),
        false => String::new(),
    };
    notes.push_str(&format!(
        "slope at the largest cutoff: {}; {theory}\n",
        flow.asymptotic_slope.map_or("n/a".into(), |s| format!(
            "{s:.6}{}",
            or_error(flow.asymptotic_slope_std_err)
        )),
    ));
    for (end, point) in [("UV", &flow.uv), ("IR", &flow.ir)] {
        let Some(beta) = point.relative_beta else {
            let cutoff = number(Some(point.cutoff));
            notes.push_str(&format!("{end}, L = {cutoff}: n/a\n"));
            continue;
        };
        notes.push_str(&format!(
            "{end}, L = {}: beta of lambda L^{} is {}{} of it: {}\n",
            number(Some(point.cutoff)),
            flow.dimension,
            number(Some(beta)),
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
