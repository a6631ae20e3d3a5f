use crate::analysis::DepthPoint;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading::in_dimension;
use crate::run::DepthDocument;

/// A value may have an error.
type Value = Option<(f64, Option<f64>)>;

/// The marks tell widths apart.
const MARKS: [Style; 5] = [
    Style::Dots,
    Style::Squares,
    Style::Triangles,
    Style::Diamonds,
    Style::Rings,
];

/// The figure shows |m_n| of the even orders against L/N, measured and predicted. Nets of several widths collapse
/// there.
pub fn depth_figure(document: &DepthDocument) -> Figure {
    let spec = &document.head.spec;
    let depths = &document.sweep.depths;
    // Widths that are swept have marks of their own, a line each, and collapse.
    let widths = document.sweep.widths().filter(|widths| widths.len() > 1);
    let mut series = Vec::new();
    for (colour, n) in document.sweep.even_orders().into_iter().enumerate() {
        let of = |width: Option<u64>, value: &dyn Fn(&DepthPoint) -> Value| -> Vec<Option<Point>> {
            (depths.iter())
                .filter(|d| width.is_none_or(|width| d.width == width))
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
        let each: Vec<Option<u64>> = match &widths {
            Some(widths) => widths.iter().copied().map(Some).collect(),
            None => vec![None],
        };
        for (k, width) in each.into_iter().enumerate() {
            let line = Series::new(known, colour, Style::Line).of_order(n);
            let predicted = |p: &DepthPoint| Some((p.exact_mean.or(p.first_order_mean)?, None));
            series.push(line.with(of(width, &predicted)));
            let name = match width {
                Some(width) => format!("N = {width}"),
                None => spec.estimator.to_string(),
            };
            series.push(
                Series::new(name, colour, MARKS[k % MARKS.len()])
                    .of_order(n)
                    .with(of(width, &|p| Some((p.deviation_mean?, p.std_err)))),
            );
        }
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
