use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::claims::Claim;
use super::eft_tables::eft_title;
use super::{EnsembleDocument, FalloffDocument, SymmetryDocument, TheoryDocument};
use crate::analysis::CrossCheck;
use crate::engine::gpu::AdapterSummary;
use crate::model::{EnsembleSpec, Estimator, short};
use crate::theory::MIN_MEAN_UNIT;

pub(super) fn table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for (i, column) in table.column_iter_mut().enumerate() {
        // Two blanks between columns, none at either end.
        column.set_padding((if i == 0 { 0 } else { 2 }, 0));
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Four significant digits, in scientific notation where plain digits would hide them.
pub(super) fn number(x: Option<f64>) -> String {
    match x {
        None => "n/a".into(),
        Some(0.0) => "0".into(),
        Some(x) if (1e-3..1e5).contains(&x.abs()) => {
            let digits = (3 - x.abs().log10().floor() as i32).clamp(0, 6);
            format!("{x:.*}", digits as usize)
        }
        Some(x) => format!("{x:.3e}"),
    }
}

/// One line per n-point function: its deviation from the GP against exact and background.
///
/// ```
/// use nnqft_gpu::engine::{self, Engine, cpu::CpuEngine};
/// use nnqft_gpu::model::{Architecture, EnsembleSpec};
/// use nnqft_gpu::report::{EnsembleDocument, ensemble_table};
/// use nnqft_gpu::state::State;
///
/// let mut spec = EnsembleSpec::preset(Architecture::Erf, 1)?;
/// (spec.width, spec.nets) = (5, 100);
/// let spec = spec.validate()?;
/// let mut cpu = CpuEngine::new();
/// let mut state = State::new(vec![spec.clone()], None, cpu.device());
/// state.ensembles[0].moments = engine::run(&mut cpu, &spec, &|_| {})?;
/// let document = EnsembleDocument::new(&state, 0)?;
/// assert!(ensemble_table(&document).starts_with("Erf-net, N = 5"));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn ensemble_table(document: &EnsembleDocument) -> String {
    let spec = &document.spec;
    let mut rows = table(
        &[
            "n",
            "elements",
            "mean m_n",
            "± error",
            "exact m_n",
            "pull",
            "mean |m_n|",
            "background",
            "verdict",
        ],
        0,
    );
    for c in &document.correlators {
        rows.add_row([
            c.order.to_string(),
            c.mean.len().to_string(),
            number(c.deviation_mean),
            number(c.deviation_mean_std_err),
            number(c.deviation_mean_exact),
            pull(c.mean_pull()),
            number(c.deviation_abs_mean),
            number(c.background),
            match c.reason {
                None => c.verdict.to_string(),
                Some(_) => "NOT CONVERGED".into(),
            },
        ]);
    }
    let mut notes = String::new();
    for c in &document.correlators {
        if let Some(unconverged) = c.unconverged() {
            notes.push_str(&format!("{unconverged}\n"));
        }
    }
    if document.correlators.iter().any(|c| c.order % 2 == 1) {
        notes.push_str("odd n: the GP vanishes; m_n is G^(n) / sqrt(prod K_ii)\n");
    }
    for c in &document.correlators {
        notes.push_str(&left_out(c.order, c.left_out, c.mean.len(), spec.d_out));
    }
    if spec.experiments == 1 {
        notes.push_str("one experiment has no background: use `experiments` 2 or more\n");
    }
    if let Some(part) = &document.partial {
        let shard = part.shard.as_ref().map(|s| format!("shard {s}: "));
        notes.push_str(&format!(
            "PARTIAL: {}{} of {} networks ({:.1}%)\n",
            shard.unwrap_or_default(),
            part.networks,
            part.of,
            100.0 * part.networks as f64 / part.of as f64
        ));
    }
    format!(
        "{}, {} x {} networks, {} estimator{}, seed {}\n\
         {rows}\n{notes}{:.2} s, {:.2e} networks/s, {:.2e} hidden units/s on {} ({})\n",
        title(spec),
        spec.experiments,
        spec.nets,
        spec.estimator,
        if spec.tilt.is_some() { ", tilted" } else { "" },
        spec.seed,
        document.timing.wall_s,
        document.timing.networks_per_s.unwrap_or_default(),
        document.timing.neurons_per_s.unwrap_or_default(),
        document.device.adapter,
        document.device.backend,
    )
}

/// Which elements a row's means do without.
fn left_out(order: usize, left_out: usize, of: usize, d_out: usize) -> String {
    if left_out == 0 {
        return String::new();
    }
    let outputs = match d_out {
        1 => "",
        _ => ", or vanishes because outputs do not pair",
    };
    format!(
        "n = {order}: {left_out} of {of} elements left out of the means, as their GP value is below {MIN_MEAN_UNIT} sqrt(prod K_ii){outputs}\n"
    )
}

pub(super) fn title(spec: &EnsembleSpec) -> String {
    let outputs = match spec.d_out {
        1 => String::new(),
        d => format!(" d_out = {d},"),
    };
    format!(
        "{}, N = {}, d_in = {},{outputs} sigma_w = {}, sigma_b = {}, {} points",
        spec.arch.title(),
        spec.width,
        spec.d_in,
        short(spec.sigma_w),
        short(spec.sigma_b),
        spec.inputs.len(),
    )
}

/// Distance in standard errors.
fn pull(x: Option<f64>) -> String {
    match x {
        None => "n/a".into(),
        Some(x) if x.abs() < 1000.0 => format!("{x:+.1}"),
        Some(x) => format!("{x:+.0e}"),
    }
}

/// One line per element.
pub fn elements_table(document: &EnsembleDocument) -> String {
    let mut rows = table(
        &[
            "points",
            "estimate",
            "± error",
            "GP",
            "exact",
            "pull",
            "m_n",
            "exact m_n",
            "converged",
        ],
        1,
    );
    for c in &document.correlators {
        for e in 0..c.mean.len() {
            rows.add_row([
                points(&c.indices[e], c.outputs.get(e)),
                number(Some(c.mean[e])),
                number(Some(c.std_err[e])),
                number(Some(c.gp[e])),
                number(Some(c.exact[e])),
                pull(c.pull[e]),
                number(c.deviation[e]),
                number(c.deviation_exact[e]),
                if c.converged[e] { "yes" } else { "NO" }.into(),
            ]);
        }
    }
    let what = match document.spec.estimator {
        Estimator::Direct => "",
        Estimator::Connected => "estimate: GP + connected estimator\n",
    };
    format!("{what}{rows}\n")
}

/// Points, and outputs if there are several: 0,0,1,2 of 0,0,1,1.
pub(super) fn points(index: &[usize], outputs: Option<&Vec<usize>>) -> String {
    let list = |all: &[usize]| {
        all.iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    match outputs {
        None => list(index),
        Some(outputs) => format!("{} of {}", list(index), list(outputs)),
    }
}

/// Points whose kernel is printed whole, and elements of an order that are.
const SHOWN_POINTS: usize = 30;
const SHOWN_ELEMENTS: usize = 1000;

/// Kernel, then one line per element: GP, exact, m_n; of many the first.
pub fn theory_table(document: &TheoryDocument) -> String {
    let mut text = title(&document.spec) + "\nkernel K(x_i, x_j)";
    if document.kernel.len() > SHOWN_POINTS {
        text.push_str(&format!(
            " of the first {SHOWN_POINTS} of {} points (`json` has all)",
            document.kernel.len()
        ));
    }
    text.push('\n');
    for row in document.kernel.iter().take(SHOWN_POINTS) {
        let row: Vec<String> = (row.iter().take(SHOWN_POINTS))
            .map(|k| format!("{:>11}", number(Some(*k))))
            .collect();
        text.push_str(row.join(" ").trim_end());
        text.push('\n');
    }
    let mut rows = table(&["points", "GP", "exact", "error", "m_n", "connected"], 1);
    let mut more = String::new();
    for c in &document.correlators {
        let all = c.exact.len();
        if all > SHOWN_ELEMENTS {
            more.push_str(&format!(
                "n = {}: the first {SHOWN_ELEMENTS} of {all} elements (`json` has all)\n",
                c.order
            ));
        }
        for e in 0..all.min(SHOWN_ELEMENTS) {
            rows.add_row([
                points(&c.indices[e], c.outputs.get(e)),
                digits(c.gp[e]),
                digits(c.exact[e]),
                format!("{:.0e}", c.exact_error[e]),
                number(c.deviation[e]),
                number(c.connected.as_ref().map(|all| all[e])),
            ]);
        }
    }
    let means: String = (document.correlators.iter())
        .map(|c| {
            let note = left_out(c.order, c.left_out, c.exact.len(), document.spec.d_out);
            format!(
                "n = {}: mean m_n = {}\n{note}",
                c.order,
                number(c.deviation_mean)
            )
        })
        .collect();
    format!("{text}{rows}\n{more}{means}")
}

/// One line per result of a reproduction: net, where the source has it, verdict, numbers.
pub fn claims_table(claims: &[Claim]) -> String {
    let mut rows = table(&["source", "net", "result", "verdict", "numbers"], 5);
    for claim in claims {
        let numbers =
            (claim.numbers.iter().take(2)).map(|n| format!("{} {}", n.name, number(Some(n.value))));
        // The statement up to its reason.
        let statement = claim.statement.split(':').next().unwrap_or_default();
        let statement: String = match statement.chars().count() {
            0..=60 => statement.into(),
            _ => statement.chars().take(59).chain(['…']).collect(),
        };
        rows.add_row([
            if claim.source.is_empty() {
                "beyond"
            } else {
                claim.source
            }
            .to_string(),
            claim.net.into(),
            statement,
            claim.verdict.to_string(),
            numbers.collect::<Vec<_>>().join(", "),
        ]);
    }
    format!("{rows}\n")
}

/// One line per width and order, then the slopes.
pub fn falloff_table(document: &FalloffDocument) -> String {
    let spec = &document.head.spec;
    let falloff = &document.falloff;
    let has_connected = !falloff.connected_fits.is_empty();
    let mut header = vec![
        "N",
        "n",
        "mean m_n",
        "± error",
        "background",
        "exact m_n",
        "verdict",
    ];
    if has_connected {
        header.splice(6..6, ["connected", "± error"]);
    }
    let mut rows = table(&header, 0);
    for w in &falloff.widths {
        for (k, p) in w.orders.iter().enumerate() {
            let mut row = vec![
                if k == 0 {
                    w.width.to_string()
                } else {
                    String::new()
                },
                p.order.to_string(),
                number(p.deviation_mean),
                number(p.std_err),
                number(p.background),
                number(p.exact_mean),
            ];
            if has_connected {
                let c = p.connected.as_ref();
                row.push(c.map_or(String::new(), |c| number(c.deviation_mean)));
                row.push(c.map_or(String::new(), |c| number(c.std_err)));
            }
            row.push(match p.unconverged {
                None => p.verdict.to_string(),
                Some(_) => "NOT CONVERGED".into(),
            });
            rows.add_row(row);
        }
    }
    let mut slopes = table(
        &[
            "slope of",
            "estimator",
            "fitted",
            "± error",
            "exact",
            "widths",
        ],
        2,
    );
    let direct = (falloff.fits.iter()).map(|f| (spec.estimator, f));
    let connected = (falloff.connected_fits.iter()).map(|f| (Estimator::Connected, f));
    for (estimator, fit) in direct.chain(connected) {
        let widths: Vec<String> = fit.widths_used.iter().map(u64::to_string).collect();
        slopes.add_row([
            format!("m_{}", fit.order),
            estimator.to_string(),
            fit.slope.map_or("n/a".into(), |s| format!("{s:.4}")),
            number(fit.std_err),
            fit.exact_slope.map_or("n/a".into(), |s| format!("{s:.4}")),
            match (&widths[..], &fit.unconverged[..]) {
                ([], _) => "none above the background".into(),
                ([one], _) => format!("{one} only"),
                ([first, .., last], []) => format!("{first} to {last}, {} of them", widths.len()),
                ([first, .., last], _) => format!("{first} to {last}, NOT CONVERGED"),
            },
        ]);
    }
    let notes: String = (falloff.widths.iter().take(1))
        .flat_map(|w| &w.orders)
        .map(|p| left_out(p.order, p.left_out, p.elements, spec.d_out))
        .collect();
    let sweep = EnsembleSpec {
        width: 0,
        ..spec.clone()
    };
    let connected = document.connected_spec.as_ref().map_or(String::new(), |c| {
        let tilted = if c.tilt.is_some() { ", tilted" } else { "" };
        format!(
            "\nconnected: {} x {} networks{tilted}",
            c.experiments, c.nets
        )
    });
    format!(
        "{}, {} x {} networks per width, {} estimator, seed {}{connected}\n{rows}\n{notes}\nlog10 |m_n| against log10 N, widths above the background; theory: -1 as N grows\n{slopes}\n{:.2} s on {} ({})\n",
        title(&sweep).replace(" N = 0,", ""),
        spec.experiments,
        spec.nets,
        spec.estimator,
        spec.seed,
        document.head.timing.wall_s,
        document.head.device.adapter,
        document.head.device.backend,
    )
}

/// Ten significant digits.
fn digits(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x.abs()) {
        let places = 9 - x.abs().max(1e-3).log10().floor() as i32;
        format!("{x:.*}", places.clamp(0, 12) as usize)
    } else {
        format!("{x:.9e}")
    }
}

/// One line per stage and fit.
pub fn cross_check_table(check: &CrossCheck) -> String {
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
            number(Some(s.max_abs)),
            number(Some(s.tolerance)),
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
            number(Some(f.gpu)),
            number(Some(f.cpu)),
            number(Some(f.std_err)),
            number(Some((f.gpu - f.cpu).abs())),
            number(Some(f.tolerance)),
            verdict(f.pass),
        ]);
    }
    format!("{rows}\n{notes}\n{fits}\n")
}

/// One line per adapter.
pub fn devices_table(adapters: &[AdapterSummary]) -> String {
    let mut rows = table(
        &[
            "adapter",
            "kind",
            "api",
            "driver",
            "buffer MiB",
            "workgroups",
            "shared KiB",
        ],
        4,
    );
    for a in adapters {
        rows.add_row([
            a.name.clone(),
            a.kind.into(),
            a.api.clone(),
            a.driver.clone(),
            (a.max_buffer >> 20).to_string(),
            a.max_workgroups.to_string(),
            (a.workgroup_memory >> 10).to_string(),
        ]);
    }
    format!("{rows}\n")
}

/// The symmetry checks, then the coupling against the number of outputs.
pub fn symmetry_table(document: &SymmetryDocument) -> String {
    let mut text = eft_title(&document.head, document.vertex);
    if !document.checks.is_empty() {
        let mut rows = table(
            &[
                "d_out",
                "points",
                "check",
                "elements",
                "chi^2 / n",
                "±",
                "p-value",
                "largest pull",
                "",
            ],
            0,
        );
        for c in &document.checks {
            let ensemble = document.ensembles.iter().find(|e| e.d_out == c.d_out);
            let points = ensemble.map_or(document.head.spec.inputs.len(), |e| e.inputs.len());
            let verdict = match c.pass {
                Some(true) => "pass",
                Some(false) => "FAIL",
                None => "undecided",
            };
            rows.add_row([
                c.d_out.to_string(),
                points.to_string(),
                c.name.to_string(),
                c.test.components.to_string(),
                number(Some(c.value)),
                number(Some(c.std_err)),
                number(Some(c.test.p_value)),
                number(Some(c.test.largest_pull)),
                verdict.into(),
            ]);
        }
        text.push_str(&format!("{rows}\n"));
        for note in &document.notes {
            text.push_str(note);
            text.push('\n');
        }
    }
    let of = |value: Option<f64>, error: Option<f64>, exact: Option<f64>| {
        let pull = pull(value.zip(error).zip(exact).map(|((v, e), x)| (v - x) / e));
        [number(value), number(error), number(exact), pull]
    };
    let sampled = document.head.source.moments != "exact";
    let mut rows = match sampled {
        true => table(
            &[
                "d_out",
                "lambda, tree",
                "± error",
                "exact",
                "pull",
                "lambda, one loop",
                "± error",
                "exact",
                "pull",
                "loop / tree",
            ],
            0,
        ),
        false => table(
            &[
                "d_out",
                "lambda, tree",
                "lambda, one loop",
                "± error",
                "loop / tree",
            ],
            0,
        ),
    };
    for row in &document.couplings {
        let c = &row.coupling;
        let ratio = number(c.loop_over_tree);
        let tree = of(
            Some(c.lambda_tree),
            c.lambda_tree_std_err,
            Some(row.lambda_tree_exact),
        );
        let one_loop = of(
            c.lambda_one_loop,
            c.lambda_one_loop_std_err,
            row.lambda_one_loop_exact,
        );
        let cells: Vec<&str> = match sampled {
            true => tree.iter().chain(&one_loop).map(|s| &s[..]).collect(),
            false => vec![&tree[0], &one_loop[0], &one_loop[1]],
        };
        let d_out = c.d_out.to_string();
        rows.add_row([&[&d_out[..]], &cells[..], &[&ratio[..]]].concat());
    }
    text.push_str(&format!(
        "coupling of lambda (f.f)^2 at L = {}\n{rows}\n",
        short(document.cutoff)
    ));
    if let Some(unmeasured) = document.unmeasured() {
        text.push_str(&format!("UNMEASURED: {unmeasured}\n"));
        return text;
    }
    let mut couplings: Vec<(usize, f64)> = (document.couplings.iter())
        .filter_map(|r| Some((r.coupling.d_out, r.coupling.lambda_one_loop?.abs())))
        .collect();
    couplings.sort_unstable_by_key(|c| c.0);
    couplings.dedup_by_key(|c| c.0);
    if couplings.len() > 1 && couplings.iter().any(|c| c.1 > 0.0) {
        text.push_str(match couplings.windows(2).all(|w| w[1].1 < w[0].1) {
            true => "|lambda| at one loop falls as d_out grows\n",
            false => "|lambda| at one loop does NOT fall as d_out grows\n",
        });
    }
    let undefined = document
        .couplings
        .iter()
        .map(|r| r.coupling.undefined)
        .max();
    if let Some(undefined) = undefined.filter(|&n| n > 0) {
        text.push_str(&format!(
            "up to {undefined} 4-tuples have no coupling (vanishing vertex, or no real root) and are left out\n"
        ));
    }
    if let Some(ratio) = (document.couplings.iter())
        .filter_map(|r| r.coupling.loop_over_tree)
        .reduce(f64::max)
        .filter(|&r| r > 1.0)
    {
        text.push_str(&format!(
            "the one-loop term is up to {} times the tree's: the expansion in lambda does not hold at this cutoff\n",
            number(Some(ratio))
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        for (x, text) in [
            (0.25, "0.2500"),
            (-12.3456, "-12.35"),
            (1.5e-7, "1.500e-7"),
            (0.0, "0"),
            (99999.4, "99999"),
        ] {
            assert_eq!(number(Some(x)), text);
        }
    }
}
