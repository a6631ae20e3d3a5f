use crate::analysis::DepthPoint;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading::in_dimension;
use crate::run::DepthDocument;

/// A value may have an error.
type Value = Option<(f64, Option<f64>)>;

/// The figure shows |m_n| of the even orders against L/N, measured and predicted. Nets of one L/N at
/// several widths collapse there.
pub fn depth_figure(document: &DepthDocument) -> Figure {
    let spec = &document.head.spec;
    let depths = &document.sweep.depths;
    let orders: Vec<usize> = (depths.first().into_iter())
        .flat_map(|d| d.orders.iter().map(|p| p.order))
        .filter(|n| n % 2 == 0)
        .collect();
    let mut series = Vec::new();
    for (colour, n) in orders.into_iter().enumerate() {
        let of = |value: &dyn Fn(&DepthPoint) -> Value| -> Vec<Option<Point>> {
            (depths.iter())
                .map(|d| {
                    let (y, error) = value(d.orders.iter().find(|p| p.order == n)?)?;
                    let x = d.depth as f64 / d.width as f64;
                    Some(Point::measured(x, y.abs(), error))
                })
                .collect()
        };
        let known = match (depths.iter().flat_map(|d| &d.orders)).any(|p| p.exact_mean.is_none()) {
            true => "first order",
            false => "exact",
        };
        let line = Series::new(known, colour, Style::Line).of_order(n);
        series.push(line.with(of(&|p| Some((p.exact_mean.or(p.first_order_mean)?, None)))));
        series.push(
            Series::new(spec.estimator.to_string(), colour, Style::Dots)
                .of_order(n)
                .with(of(&|p| Some((p.deviation_mean?, p.std_err)))),
        );
    }
    let panel = Panel {
        title: String::new(),
        x: Axis::log("depth over width, L/N"),
        y: Axis::log("|mₙ|"),
        series,
    };
    panel.alone(
        "depth",
        format!("{}: growth with depth", in_dimension(spec)),
    )
}
