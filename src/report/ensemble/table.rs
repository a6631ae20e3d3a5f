use crate::model::Estimator;
use crate::report::heading::{partial, title};
use crate::report::number::{pull, scientific, value};
use crate::report::table::{left_out, points, reference_title, table};
use crate::run::EnsembleDocument;

/// The table has one line per n-point function: its deviation from the GP beside the exact one and
/// the background.
///
/// ```
/// use nnqft_gpu::engine::{self, Engine, cpu::CpuEngine};
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::report::{ensemble_table};
/// use nnqft_gpu::run::{EnsembleDocument};
/// use nnqft_gpu::state::State;
///
/// let mut spec = EnsembleSpec::preset("erf", 1)?;
/// spec = spec.with_width(5);
/// spec.nets = 100;
/// let spec = spec.validate()?;
/// let mut cpu = CpuEngine::new();
/// let mut state: State = State::new(vec![spec.clone()], None, cpu.device());
/// state.ensembles[0].elements = engine::run(&mut cpu, &spec, &|_| {})?;
/// let document = EnsembleDocument::new(&state, 0)?;
/// let text = ensemble_table(&document, 80);
/// assert!(text.starts_with("Erf-net, N = 5") && text.contains("± error"));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn ensemble_table(document: &EnsembleDocument, width: usize) -> String {
    let (spec, timing) = (&document.head.spec, &document.head.timing);
    let known = reference_title(document.correlators.iter().map(|c| &c.reference));
    let mut rows = table(
        &[
            "n",
            "elements",
            "mean m_n",
            "± error",
            &format!("{known} m_n"),
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
            value(c.deviation_mean),
            value(c.deviation_mean_std_err),
            value(c.reference.known().and_then(|k| k.deviation_mean)),
            pull(c.mean_pull()),
            value(c.deviation_abs_mean),
            value(c.background),
            match c.reason {
                None => c.verdict.to_string(),
                Some(_) => "NOT CONVERGED".into(),
            },
        ]);
    }
    let rows = rows
        .without(&["elements", "mean |m_n|", "background", "pull"])
        .fit(width);
    let mut notes = String::new();
    for c in &document.correlators {
        if let Some(unconverged) = c.unconverged() {
            notes.push_str(&format!("{unconverged}\n"));
        }
    }
    for c in &document.correlators {
        if let Some(verdict) = c.first_order_verdict {
            notes.push_str(&format!("n = {}: {verdict}\n", c.order));
        }
    }
    if document.correlators.iter().any(|c| c.order % 2 == 1) {
        notes.push_str("odd n: the GP vanishes; m_n is G^(n) / sqrt(prod K_ii)\n");
    }
    for c in &document.correlators {
        notes.push_str(&left_out(
            c.order,
            c.left_out,
            c.mean.len(),
            spec.net.d_out(),
        ));
    }
    if spec.experiments == 1 {
        notes.push_str("one experiment has no background: draw 2 or more\n");
    }
    if let Some(part) = &document.partial {
        notes.push_str(&format!("{}\n", partial(part)));
    }
    format!(
        "{}, {} x {} networks, {} estimator{}, seed {}\n\
         {rows}\n{notes}{:.2} s, {} networks/s, {} hidden units/s on {} ({})\n",
        title(spec),
        spec.experiments,
        spec.nets,
        spec.estimator,
        if spec.tilt.is_some() { ", tilted" } else { "" },
        spec.seed,
        timing.wall_s,
        scientific(timing.networks_per_s.unwrap_or_default(), 2),
        scientific(timing.neurons_per_s.unwrap_or_default(), 2),
        document.head.device.adapter,
        document.head.device.backend,
    )
}

/// The table has one line per element.
pub fn elements_table(document: &EnsembleDocument) -> String {
    let known = reference_title(document.correlators.iter().map(|c| &c.reference));
    let mut rows = table(
        &[
            "points",
            "estimate",
            "± error",
            "GP",
            known,
            "pull",
            "m_n",
            &format!("{known} m_n"),
            "converged",
        ],
        1,
    );
    for c in &document.correlators {
        let known = c.reference.known();
        for e in 0..c.mean.len() {
            rows.add_row([
                points(&c.indices[e], c.outputs.get(e)),
                value(Some(c.mean[e])),
                value(Some(c.std_err[e])),
                value(Some(c.gp[e])),
                value(known.map(|k| k.mean[e])),
                pull(c.pull_of(e)),
                value(c.deviation[e]),
                value(known.and_then(|k| k.deviation[e])),
                if c.converged[e] { "yes" } else { "NO" }.into(),
            ]);
        }
    }
    let what = match document.head.spec.estimator {
        Estimator::Direct => "",
        Estimator::Connected => "estimate: GP + connected estimator\n",
    };
    format!("{what}{rows}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand;
    use crate::report::table::WIDE;

    fn row(text: &str, starts: &str) -> Vec<String> {
        let line = text.lines().find(|l| l.starts_with(starts)).unwrap();
        line.split_whitespace().map(str::to_string).collect()
    }

    #[test]
    fn what_is_undefined_is_said_to_be() {
        let document = by_hand::ensemble(vec![by_hand::undefined_correlator(4)]);
        let text = ensemble_table(&document, WIDE);
        let cells = ["4", "5"]
            .into_iter()
            .chain(["n/a"; 6])
            .chain(["undecided"]);
        assert_eq!(row(&text, "4 "), cells.collect::<Vec<_>>());
        let cells = ["0,0,0,0", "1.000", "1.000e-20", "1.000", "1.000"];
        let cells = cells.into_iter().chain(["n/a"; 3]).chain(["yes"]);
        let text = elements_table(&document);
        assert_eq!(row(&text, "0,0,0,0"), cells.collect::<Vec<_>>());
    }

    #[test]
    fn what_has_not_converged_is_said_below() {
        let mut four = by_hand::correlator(4);
        four.reason = Some("a tail: it is heavy".into());
        let text = ensemble_table(&by_hand::ensemble(vec![four]), WIDE);
        assert!(text.contains("NOT CONVERGED\n"), "{text}");
        assert!(
            text.contains("\n4-point function: a tail: it is heavy\n"),
            "{text}"
        );
        assert_eq!(row(&text, "4 ")[2..4], ["3.000e-19", "1.000e-20"]);
        assert!(text.contains("0.50 s, 4.10e3 networks/s, 4.10e5 hidden units/s on"));
    }
}
