use crate::report::figure::{Axis, Figure, Point, Series, Style};
use crate::report::heading::{name, net};
use crate::run::EnsembleDocument;

/// A figure can show so many elements one by one.
const SHOWN_ELEMENTS: usize = 2000;

/// The figure shows |m_n| of every element, or of every so many, beside its exact value and the
/// background.
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
        if let Some(known) = c.reference.known() {
            let name = format!("{} n={n}", c.reference.name());
            let point = |(e, x): (usize, f64)| Some(Point::new(x, known.deviation[e]?.abs()));
            series.push(Series::new(name, colour, Style::Line).with(elements().map(point)));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand;

    #[test]
    fn undefined_deviations_are_no_points() {
        let figure = |correlator| ensemble_figure(&by_hand::ensemble(vec![correlator]), 1);
        assert!(figure(by_hand::undefined_correlator(4)).is_empty());
        let figure = figure(by_hand::correlator(4));
        let points: Vec<usize> = figure.series.iter().map(|s| s.points.len()).collect();
        // The background is a line from the first element to the last.
        assert_eq!(points, [2, 5, 5]);
        assert_eq!(figure.series[1].symbol, '4');
    }

    #[test]
    fn a_deviation_of_zero_has_no_error_bar() {
        let mut zero = by_hand::correlator(4);
        zero.deviation = vec![Some(0.0); 5];
        zero.delta = vec![0.0; 5];
        let figure = ensemble_figure(&by_hand::ensemble(vec![zero]), 1);
        assert!(figure.series[1].points.iter().all(|p| p.range.is_none()));
        assert!(!figure.svg().contains("NaN"));
    }
}
