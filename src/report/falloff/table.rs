use crate::model::Estimator;
use crate::report::heading::{sweep, sweep_end};
use crate::report::number::{fixed, value};
use crate::report::table::{left_out, table};
use crate::run::FalloffDocument;

/// The table has one line per width and order; the slopes follow.
pub fn falloff_table(document: &FalloffDocument, width: usize) -> String {
    let spec = &document.head.spec;
    let falloff = &document.falloff;
    let has_connected = !falloff.connected_fits.is_empty();
    let mut all = falloff.widths.iter().flat_map(|w| &w.orders);
    let known = match all.any(|p| p.first_order_mean.is_some()) {
        true => "first order m_n",
        false => "exact m_n",
    };
    let mut header = vec![
        "N",
        "n",
        "mean m_n",
        "± error",
        "background",
        known,
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
                value(p.deviation_mean),
                value(p.std_err),
                value(p.background),
                value(p.exact_mean.or(p.first_order_mean)),
            ];
            if has_connected {
                let c = p.connected.as_ref();
                row.push(c.map_or(String::new(), |c| value(c.deviation_mean)));
                row.push(c.map_or(String::new(), |c| value(c.std_err)));
            }
            row.push(match p.unconverged {
                None => p.verdict.to_string(),
                Some(_) => "NOT CONVERGED".into(),
            });
            rows.add_row(row);
        }
    }
    let rows = rows
        .without(&["background", "verdict", "first order m_n"])
        .fit(width);
    let notes: String = (falloff.widths.iter().take(1))
        .flat_map(|w| &w.orders)
        .map(|p| left_out(p.order, p.left_out, p.elements, spec.net.d_out()))
        .collect();
    let connected = document.connected_spec.as_ref().map_or(String::new(), |c| {
        let tilted = if c.tilt.is_some() { ", tilted" } else { "" };
        format!(
            "\nconnected: {} x {} networks{tilted}",
            c.experiments, c.nets
        )
    });
    format!(
        "{}{connected}\n{rows}\n{notes}{}{}",
        sweep(spec, "width"),
        slopes(document, width),
        sweep_end(&document.head),
    )
}

/// The slopes have one line per order and estimator; orders that do not fall off have none.
fn slopes(document: &FalloffDocument, width: usize) -> String {
    let (estimator, falloff) = (document.head.spec.estimator, &document.falloff);
    if falloff.fits.is_empty() {
        return String::new();
    }
    let mut rows = table(
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
    let direct = (falloff.fits.iter()).map(|f| (estimator, f));
    let connected = (falloff.connected_fits.iter()).map(|f| (Estimator::Connected, f));
    for (estimator, fit) in direct.chain(connected) {
        let widths: Vec<String> = fit.widths_used.iter().map(u64::to_string).collect();
        rows.add_row([
            format!("m_{}", fit.order),
            estimator.to_string(),
            fixed(fit.slope, 4),
            value(fit.std_err),
            fixed(fit.exact_slope, 4),
            match (&widths[..], &fit.unconverged[..]) {
                ([], _) => "none above the background".into(),
                ([one], _) => format!("{one} only: a slope takes two"),
                ([first, .., last], []) => format!("{first} to {last}, {} of them", widths.len()),
                ([first, .., last], _) => format!("{first} to {last}, NOT CONVERGED"),
            },
        ]);
    }
    let rows = rows.without(&["widths"]).fit(width);
    format!(
        "\nlog10 |m_n| against log10 N, widths above the background; theory: -1 as N grows\n{rows}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand::{falloff, falloff_point};
    use crate::report::table::WIDE;

    #[test]
    fn orders_that_do_not_fall_off_have_no_slopes() {
        for order in [2, 3] {
            let document = falloff(vec![(5, falloff_point(order, Some(0.1)))]);
            let text = falloff_table(&document, WIDE);
            assert!(!text.contains("slope") && !text.contains("log10"), "{text}");
            assert!(text.contains("0.1000") && text.contains("0.50 s on a processor"));
        }
    }

    #[test]
    fn slopes_are_those_of_the_widths_that_show_one() {
        let point = |m| falloff_point(4, m);
        let text = falloff_table(
            &falloff(vec![
                (2, point(Some(0.5))),
                (10, point(Some(-0.1))),
                (20, point(None)),
            ]),
            WIDE,
        );
        let line = text.lines().find(|l| l.starts_with("m_4")).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[..3], ["m_4", "direct", "-1.0000"], "{text}");
        assert!(line.ends_with("2 to 10, 2 of them"), "{line}");
        let line = text.lines().find(|l| l.starts_with("20 ")).unwrap();
        assert_eq!(line.matches("n/a").count(), 4, "{line}");
        let none = falloff_table(&falloff(vec![(2, point(None))]), WIDE);
        assert!(none.contains("none above the background"), "{none}");
    }

    #[test]
    fn the_title_of_a_sweep_has_no_width() {
        let text = falloff_table(&falloff(vec![(5, falloff_point(2, None))]), WIDE);
        assert!(
            text.starts_with("Erf-net, d_in = 1, sigma_w = 1,"),
            "{text}"
        );
    }
}
