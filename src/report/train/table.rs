use crate::analysis::ChiSquared;
use crate::analysis::trained::{TrainedStep, TrainedWidth};
use crate::model::{EnsembleSpec, Inputs, Learning, short};
use crate::report::heading::{partial, sweep};
use crate::report::number::{fixed, value};
use crate::report::table::table;
use crate::run::TrainDocument;

/// The table has one line for each width, number of steps and field, with what is known at infinite width; the
/// powers of N, the checks and the notes follow.
pub fn train_table(document: &TrainDocument, width: usize) -> String {
    let spec = &document.head.spec;
    let ensemble = EnsembleSpec {
        inputs: Inputs::new(spec.points()).expect("points of a valid spec"),
        ..spec.ensemble.clone()
    };
    let above = match spec.ensemble.net.depth() {
        1 => String::new(),
        depth => format!(" above {depth} hidden layers"),
    };
    let mut text = format!(
        "{}\n{}{above} learn {} {} at rate {}\n",
        sweep(&ensemble, "width"),
        match spec.train {
            Learning::All => "all parameters",
            Learning::Readout => "readouts",
        },
        spec.data.len(),
        if spec.data.len() == 1 {
            "point"
        } else {
            "points"
        },
        short(spec.rate.unwrap_or(f64::NAN)),
    );
    text.push_str(&fields(document, width));
    text.push_str(&powers(document, width));
    text.push_str(&checks(document, width));
    for note in &document.notes {
        text.push_str(&format!("{note}\n"));
    }
    let left_out: u64 = steps(document)
        .map(|(_, step)| step.diverged)
        .max()
        .unwrap_or(0);
    if left_out > 0 {
        text.push_str(&format!(
            "DIVERGED: up to {left_out} networks are left out of the averages\n"
        ));
    }
    if let Some(part) = &document.partial {
        let checks = match part.networks < part.of {
            true => format!("{}; checks are made once all are there", partial(part)),
            false => {
                "PARTIAL: networks of the checks are missing, which are made once all are there"
                    .into()
            }
        };
        text.push_str(&format!("{checks}\n"));
    }
    let head = &document.head;
    text.push_str(&format!(
        "{:.2} s on {} ({})\n",
        head.timing.wall_s, head.device.adapter, head.device.backend
    ));
    text
}

fn steps(document: &TrainDocument) -> impl Iterator<Item = (&TrainedWidth, &TrainedStep)> {
    (document.widths.iter()).flat_map(|width| width.steps.iter().map(move |step| (width, step)))
}

fn fields(document: &TrainDocument, width: usize) -> String {
    let several = document.head.spec.data.d_out() > 1;
    let mut header = vec!["N", "steps", "x"];
    header.extend(several.then_some("output"));
    header.extend([
        "target",
        "mean",
        "± error",
        "mean N=inf",
        "variance",
        "± error",
        "variance N=inf",
        "kurtosis",
        "± error",
    ]);
    let mut rows = table(&header, 0);
    for (networks, step) in steps(document) {
        for f in 0..step.mean.len() {
            let coordinates: Vec<String> = step.points[f].iter().map(|x| short(*x)).collect();
            let at = |all: &Option<Vec<f64>>| value(all.as_ref().map(|all| all[f]));
            let mut row = vec![
                first(f, networks.width),
                first(f, step.step),
                coordinates.join(","),
            ];
            row.extend(step.outputs.get(f).map(usize::to_string));
            row.extend([
                step.targets[f].map_or(String::new(), short),
                value(Some(step.mean[f])),
                value(Some(step.std_err[f])),
                at(&step.infinite_mean),
                value(Some(step.variance[f])),
                value(Some(step.variance_std_err[f])),
                at(&step.infinite_variance),
                value(step.kurtosis[f]),
                value(step.kurtosis_std_err[f]),
            ]);
            rows.add_row(row);
        }
        let infinite = value(step.infinite_loss);
        let mut row = vec![String::new(), String::new(), "loss".into()];
        row.extend(several.then(String::new));
        row.push(String::new());
        row.extend([
            value(Some(step.loss)),
            value(Some(step.loss_std_err)),
            infinite,
        ]);
        row.resize(header.len(), String::new());
        rows.add_row(row);
    }
    let rows = rows.without(&["kurtosis", "variance N=inf", "variance", "target"]);
    format!("{}\n", rows.fit(width))
}

/// What does not change within a step is written once.
fn first(row: usize, text: impl ToString) -> String {
    match row {
        0 => text.to_string(),
        _ => String::new(),
    }
}

fn powers(document: &TrainDocument, width: usize) -> String {
    if document.fits.is_empty() {
        return String::new();
    }
    let terms = (document.fits.iter().flat_map(|f| &f.series))
        .map(|series| series.coefficients.len())
        .max();
    let mut header = vec![
        "steps", "of", "slope", "± error", "chi^2", "last two", "± error",
    ];
    header.extend(["a", "± error", "chi^2"].iter().filter(|_| terms.is_some()));
    header.push("widths");
    let mut rows = table(&header, 0);
    for fit in &document.fits {
        let widths: Vec<String> = fit.widths_used.iter().map(u64::to_string).collect();
        let mut row = vec![
            fit.step.to_string(),
            fit.of.to_string(),
            fixed(fit.slope, 3),
            value(fit.std_err),
            value(fit.chi2),
            fixed(fit.last_slope, 3),
            value(fit.last_std_err),
        ];
        if terms.is_some() {
            let series = fit.series.as_ref();
            // Of a series that is not what was measured the first term says nothing.
            let fitting = series.filter(|s| s.p_value >= ChiSquared::MIN_P);
            row.extend([
                value(fitting.map(|s| s.coefficients[0])),
                value(fitting.map(|s| s.std_err[0])),
                value(series.map(|s| s.chi2)),
            ]);
        }
        row.push(match &widths[..] {
            [] => "none differs from N = inf".into(),
            [one] => format!("{one} only: a slope takes two"),
            several => several.join(", "),
        });
        rows.add_row(row);
    }
    let series = match terms {
        None => "",
        Some(2) => "; a of a/N + b/N^2 over all",
        Some(_) => "; a of a/N + b/N^2 + c/N^3 over all",
    };
    let rows = rows.without(&["chi^2", "widths", "a"]).fit(width);
    format!(
        "\ndeviation from infinite width: slope of its log10 against log10 N where it is seen, and between the last two{series}\n{rows}\n"
    )
}

fn checks(document: &TrainDocument, width: usize) -> String {
    if document.checks.is_empty() {
        return String::new();
    }
    let header = [
        "N",
        "check",
        "steps",
        "elements",
        "chi^2 / n",
        "±",
        "p-value",
        "largest pull",
        "",
    ];
    let mut rows = table(&header, 0);
    for c in &document.checks {
        rows.add_row([
            c.width.to_string(),
            c.name.to_string(),
            c.step.to_string(),
            c.test.components.to_string(),
            value(Some(c.value)),
            value(Some(c.std_err)),
            value(Some(c.test.p_value)),
            value(Some(c.test.largest_pull)),
            if c.pass { "pass".into() } else { "FAIL".into() },
        ]);
    }
    let rows = rows.without(&["largest pull", "elements", "chi^2 / n"]);
    format!("\n{}\n", rows.fit(width))
}
