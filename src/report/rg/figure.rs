use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading;
use crate::run::RgDocument;

/// The figure shows log |lambda| against log L, with theory's slope through the largest cutoff.
pub fn flow_figure(documents: &[(String, &RgDocument)], name: &str) -> Figure {
    let spec = &documents[0].1.head.spec;
    let mut series = Vec::new();
    for (colour, (label, document)) in documents.iter().enumerate() {
        let flow = &document.flow;
        let mut points: Vec<Option<Point>> = (flow.points.iter())
            .map(|p| {
                Some(Point::measured(
                    p.cutoff,
                    p.lambda_mean?.abs(),
                    p.lambda_std_err,
                ))
            })
            .collect();
        points.sort_by(|a, b| {
            let x = |p: &Option<Point>| p.map_or(0.0, |p| p.x);
            x(a).total_cmp(&x(b))
        });
        let measured = (flow.points.iter()).all(|p| p.measured || p.lambda_mean.is_none());
        let theory = flow.theory_slope.filter(|_| measured);
        if let (Some(slope), Some(top)) = (theory, points.iter().flatten().last()) {
            let line = points
                .iter()
                .flatten()
                .map(|p| Some(Point::new(p.x, top.y * (p.x / top.x).powf(slope))));
            series.push(
                Series::new(
                    format!("slope {slope} of theory").replace('-', "−"),
                    colour,
                    Style::Line,
                )
                .with(line),
            );
        }
        let label = match flow.fit.as_ref().filter(|_| measured) {
            Some(fit) => format!("{label}, slope {:.3}", fit.slope).replace('-', "−"),
            None => label.clone(),
        };
        series.push(Series::new(label, colour, Style::nth_mark(colour + 1)).with(points));
    }
    let panel = Panel {
        title: String::new(),
        x: Axis::log("cutoff Λ"),
        y: Axis::log("|λ|"),
        series,
    };
    let title = format!(
        "{}, N = {}: running coupling",
        spec.net.title(),
        spec.net.width()
    );
    panel.alone(name, title)
}

/// `rg` plots the flow of one document.
pub fn rg_figure(document: &RgDocument, widths: usize) -> Figure {
    let spec = &document.head.spec;
    let label = format!(
        "{} moments, dᵢₙ = {}",
        document.head.source.moments,
        spec.net.d_in()
    );
    flow_figure(&[(label, document)], &heading::name("rg", spec, widths))
}

/// The figure shows |beta| / |lambda| of the dimensionless coupling against the cutoff, which is 0
/// at a fixed point.
pub fn fixed_point_figure(documents: &[(String, &RgDocument)]) -> Figure {
    let series = documents
        .iter()
        .enumerate()
        .map(|(colour, (label, document))| {
            let flow = &document.flow;
            Series::new(label.clone(), colour, Style::nth_mark(colour + 1)).with(
                flow.points.iter().map(|p| {
                    let beta = (p.slope? + flow.dimension).abs();
                    // Below this it is rounding.
                    (beta > 1e-9).then(|| Point::new(p.cutoff, beta))
                }),
            )
        });
    let panel = Panel {
        title: String::new(),
        x: Axis::log("cutoff Λ"),
        y: Axis::log("|β / λ|"),
        series: series.collect(),
    };
    panel.alone(
        "fixed-points",
        "Dimensionless coupling: fixed points, dᵢₙ = 1",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand;

    #[test]
    fn theory_goes_through_the_largest_cutoff_in_any_order() {
        let figure = rg_figure(&by_hand::rg(&[(100.0, Some(-2.0)), (10.0, Some(-7.0))]), 1);
        let [theory, measured] = &figure.panels[0].series[..] else {
            panic!("{figure:?}");
        };
        assert_eq!(theory.label, "slope −1 of theory");
        let ys = |s: &Series| s.points.iter().map(|p| p.y).collect::<Vec<_>>();
        assert_eq!(ys(measured), [7.0, 2.0]);
        assert_eq!(
            (ys(theory)[1], (ys(theory)[0] - 20.0).abs() < 1e-12),
            (2.0, true)
        );
    }

    #[test]
    fn a_flow_without_couplings_is_empty() {
        let document = by_hand::rg(&[(10.0, None)]);
        assert!(rg_figure(&document, 1).is_empty());
        assert!(fixed_point_figure(&[("Erf".into(), &document)]).is_empty());
        assert!(fixed_point_figure(&[]).is_empty());
    }
}
