use crate::analysis::FalloffPoint;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading::in_dimension;
use crate::run::FalloffDocument;

/// A value may have an error.
type Value = Option<(f64, Option<f64>)>;

fn falloff_points(
    document: &FalloffDocument,
    order: usize,
    value: &dyn Fn(&FalloffPoint) -> Value,
) -> Vec<Option<Point>> {
    (document.falloff.widths.iter())
        .map(|w| {
            let (y, error) = value(w.orders.iter().find(|p| p.order == order)?)?;
            Some(Point::measured(w.width as f64, y.abs(), error))
        })
        .collect()
}

/// The figure shows |m_n| of the even orders against the width: direct and connected estimates,
/// background, exact curve.
pub fn falloff_figure(document: &FalloffDocument) -> Figure {
    let spec = &document.head.spec;
    let mut series = Vec::new();
    for (colour, n) in orders(document, 0).into_iter().enumerate() {
        let of = |value: &dyn Fn(&FalloffPoint) -> Value| falloff_points(document, n, value);
        series.push(
            Series::new("background", colour, Style::Dashes)
                .of_order(n)
                .with(of(&|p| Some((p.background?, None)))),
        );
        if n > 2 {
            let known = match (document.falloff.widths.iter().flat_map(|w| &w.orders))
                .any(|p| p.first_order_mean.is_some())
            {
                true => "first order",
                false => "exact",
            };
            let line = Series::new(known, colour, Style::Line).of_order(n);
            series.push(line.with(of(&|p| Some((p.exact_mean.or(p.first_order_mean)?, None)))));
        }
        series.push(
            Series::new(spec.estimator.to_string(), colour, Style::Dots)
                .of_order(n)
                .with(of(&|p| Some((p.deviation_mean?, p.std_err)))),
        );
        let connected = Series::new("connected", colour, Style::Rings).of_order(n);
        series.push(connected.with(of(&|p| {
            let c = p.connected.as_ref()?;
            // Where it sees more than the direct estimator does.
            let better = c.background? < p.background? || p.unconverged.is_some();
            better.then_some((c.deviation_mean?, c.std_err))
        })));
    }
    let panel = Panel {
        title: String::new(),
        x: Axis::log("width N"),
        y: Axis::log("|mₙ|"),
        series,
    };
    panel.alone(
        "falloff",
        format!("{}: falloff to the GP", in_dimension(spec)),
    )
}

/// The figure shows the mean |G^(n)| of the odd orders against the width, with the background.
pub fn odd_figure(document: &FalloffDocument) -> Figure {
    let spec = &document.head.spec;
    let mut series = Vec::new();
    for (colour, n) in orders(document, 1).into_iter().enumerate() {
        let of = |value: &dyn Fn(&FalloffPoint) -> Value| falloff_points(document, n, value);
        series.push(
            Series::new("background", colour, Style::Dashes)
                .of_order(n)
                .with(of(&|p| Some((p.background?, None)))),
        );
        series.push(
            Series::new("measured", colour, Style::Dots)
                .of_order(n)
                .with(of(&|p| Some((p.deviation_abs_mean?, None)))),
        );
    }
    let panel = Panel {
        title: String::new(),
        x: Axis::log("width N"),
        y: Axis::log("mean |G⁽ⁿ⁾| / √∏K"),
        series,
    };
    panel.alone(
        "odd",
        format!("{}: odd n-point functions", in_dimension(spec)),
    )
}

fn orders(document: &FalloffDocument, parity: usize) -> Vec<usize> {
    (document.falloff.widths.first().into_iter())
        .flat_map(|w| w.orders.iter().map(|p| p.order))
        .filter(|n| n % 2 == parity)
        .collect()
}

/// The figure shows how many networks of the direct estimator one of the connected one is worth.
pub fn gain_figure(documents: &[&FalloffDocument]) -> Figure {
    let series = documents.iter().enumerate().flat_map(|(colour, document)| {
        [(4, Style::Dots), (6, Style::Rings)].map(|(n, style)| {
            let label = format!("{}, n = {n}", document.head.spec.net.title());
            Series::new(label, colour, style).with(falloff_points(document, n, &|p| {
                Some((p.connected.as_ref()?.gain?, None))
            }))
        })
    });
    let panel = Panel {
        title: String::new(),
        x: Axis::log("width N"),
        y: Axis::log("variance ratio"),
        series: series.collect(),
    };
    let title = "Networks of the direct estimator for one of the connected";
    panel.alone("gain", title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand::{falloff, falloff_point};

    #[test]
    fn even_and_odd_orders_have_figures_of_their_own() {
        let document = |n| falloff(vec![(5, falloff_point(n, Some(-0.1)))]);
        assert!(falloff_figure(&document(3)).is_empty());
        assert!(odd_figure(&document(4)).is_empty());
        for figure in [falloff_figure(&document(4)), odd_figure(&document(3))] {
            let series = &figure.panels[0].series;
            let points: Vec<_> = series.iter().flat_map(|s| &s.points).collect();
            assert_eq!(points.len(), 1);
            assert_eq!((points[0].x, points[0].y), (5.0, 0.1));
        }
        assert!(gain_figure(&[&document(4)]).is_empty() && gain_figure(&[]).is_empty());
    }
}
