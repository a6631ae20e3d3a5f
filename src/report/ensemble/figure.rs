use crate::analysis::Correlator;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style, THEORY};
use crate::report::heading::{name, net};
use crate::run::EnsembleDocument;

/// A panel can show so many elements one by one.
const SHOWN_ELEMENTS: usize = 1000;

/// The figure has a panel for each order: |m_n| of every element, or of every so many, beside the value
/// that is known of it, which they are sorted by, and the background.
pub fn ensemble_figure(document: &EnsembleDocument, widths: usize) -> Figure {
    let spec = &document.head.spec;
    let estimator = spec.estimator.to_string();
    Figure {
        name: name("ensemble", spec, widths),
        title: format!("{}: deviation from the GP", net(spec)),
        panels: (document.correlators.iter().enumerate())
            .map(|(colour, c)| panel(c, &estimator, colour))
            .collect(),
    }
}

fn panel(c: &Correlator, estimator: &str, colour: usize) -> Panel {
    let count = c.mean.len();
    let known = c.reference.known();
    let size = |e: usize| known.and_then(|known| known.deviation[e]).map(f64::abs);
    let mut elements: Vec<usize> = (0..count).collect();
    elements.sort_by(|&a, &b| {
        let [a, b] = [a, b].map(|e| size(e).unwrap_or(f64::INFINITY));
        a.total_cmp(&b)
    });
    let step = count.div_ceil(SHOWN_ELEMENTS).max(1);
    let shown = || (elements.iter().enumerate().step_by(step)).map(|(k, &e)| (e, (k + 1) as f64));
    // The error of m_n is that of G in the same unit.
    let error = |e: usize| Some(c.std_err[e] * (c.deviation[e]? / c.delta[e]).abs());
    let measured = |(e, x): (usize, f64)| {
        let error = error(e).filter(|error| error.is_finite());
        Some(Point::measured(x, c.deviation[e]?.abs(), error))
    };
    let ends = [1, count].map(|x| Some(Point::new(x as f64, c.background?)));
    let mut series = vec![
        Series::new("background", colour, Style::Dashes).with(ends),
        Series::new(estimator, colour, Style::Dots).with(shown().map(measured)),
    ];
    if known.is_some() {
        let points = shown().map(|(e, x)| Some(Point::new(x, size(e)?)));
        series.push(Series::new(c.reference.name(), THEORY, Style::Line).with(points));
    }
    let mut elements = String::from("element");
    if known.is_some() {
        elements += &format!(", sorted by {} value", c.reference.name());
    }
    if step > 1 {
        elements += &format!(", one in {step}");
    }
    Panel {
        title: format!("n = {}", c.order),
        x: Axis::linear(elements),
        y: Axis::log("|mₙ|"),
        series: series.into_iter().map(|s| s.of_order(c.order)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Reference;
    use crate::report::by_hand;

    fn figure(correlator: Correlator) -> Figure {
        ensemble_figure(&by_hand::ensemble(vec![correlator]), 1)
    }

    #[test]
    fn undefined_deviations_are_no_points() {
        assert!(figure(by_hand::undefined_correlator(4)).is_empty());
        let figure = figure(by_hand::correlator(4));
        let series = &figure.panels[0].series;
        let points: Vec<usize> = series.iter().map(|s| s.points.len()).collect();
        // The background is a line from the first element to the last.
        assert_eq!(points, [2, 5, 5]);
        assert_eq!(series[1].symbol, '4');
        assert!(series[2].points.is_sorted_by_key(|p| p.y));
    }

    #[test]
    fn a_deviation_of_zero_has_no_error_bar() {
        let mut zero = by_hand::correlator(4);
        zero.deviation = vec![Some(0.0); 5];
        zero.delta = vec![0.0; 5];
        let figure = figure(zero);
        assert!((figure.panels[0].series[1].points.iter()).all(|p| p.range.is_none()));
        assert!(!figure.svg().contains("NaN"));
    }

    #[test]
    fn exact_values_at_the_level_of_rounding_do_not_stretch_the_axis() {
        let mut tiny = by_hand::correlator(2);
        let Reference::Exact(known) = &mut tiny.reference else {
            panic!("the correlator has exact values");
        };
        known.deviation.iter_mut().for_each(|m| *m = Some(1e-40));
        let svg = figure(tiny).svg();
        assert!(svg.contains("10⁻¹⁹") && !svg.contains("10⁻³"), "{svg}");
    }
}
