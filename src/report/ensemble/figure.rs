use super::EnsembleDocument;
use crate::report::figure::{Axis, Figure, Point, Series, Style};
use crate::report::heading::{name, net};

/// Elements that a figure can show one by one.
const SHOWN_ELEMENTS: usize = 2000;

/// |m_n| of every element, or of every so many, beside its exact value and the background.
pub fn ensemble_figure(document: &EnsembleDocument, widths: usize) -> Figure {
    let spec = &document.head.spec;
    let mut series = Vec::new();
    let most = document.correlators.iter().map(|c| c.mean.len()).max();
    let step = most.unwrap_or(1).div_ceil(SHOWN_ELEMENTS).max(1);
    for (colour, c) in document.correlators.iter().enumerate() {
        let n = c.order;
        let elements = || (0..c.mean.len()).step_by(step).map(|e| (e, (e + 1) as f64));
        // The error of m_n is that of G in the same unit.
        let error = |e: usize| Some(c.std_err[e] * (c.deviation[e]? / c.delta[e]).abs());
        series.push(
            Series::new(format!("background n={n}"), colour, Style::Dashes)
                .with([1, c.mean.len()].map(|x| Some(Point::new(x as f64, c.background?)))),
        );
        series.push(
            Series::new(
                format!("{} n={n}", spec.estimator),
                colour,
                Style::nth_mark(colour),
            )
            .of_order(n)
            .with(
                elements().map(|(e, x)| Some(Point::measured(x, c.deviation[e]?.abs(), error(e)))),
            ),
        );
        series.push(
            Series::new(format!("exact n={n}"), colour, Style::Line)
                .with(elements().map(|(e, x)| Some(Point::new(x, c.deviation_exact[e]?.abs())))),
        );
    }
    Figure {
        name: name("ensemble", spec, widths),
        title: format!("{}: deviation from the GP", net(spec)),
        x: Axis::linear(match step {
            1 => "element of the n-point function".into(),
            _ => format!("element of the n-point function, one in {step}"),
        }),
        y: Axis::log("|mₙ|"),
        series,
    }
}
