use crate::analysis::DepthPoint;
use crate::report::figure::{Axis, Figure, Point, Series, Style};
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
        series.push(
            Series::new(format!("predicted n={n}"), colour, Style::Line)
                .with(of(&|p| Some((p.exact_mean.or(p.first_order_mean)?, None)))),
        );
        let label = format!("{} n={n}", spec.estimator);
        series.push(
            Series::new(label, colour, Style::nth_mark(colour))
                .of_order(n)
                .with(of(&|p| Some((p.deviation_mean?, p.std_err)))),
        );
    }
    Figure {
        name: "depth".into(),
        title: format!(
            "{}, d_in = {}: growth with depth",
            spec.net.title(),
            spec.net.d_in()
        ),
        x: Axis::log("depth over width, L/N"),
        y: Axis::log("|mₙ|"),
        series,
    }
}
