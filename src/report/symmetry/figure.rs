use crate::model::short;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading::{name, net};
use crate::run::{CouplingRow, SymmetryDocument};

/// The figure shows the coupling against the number of outputs.
pub fn symmetry_figure(document: &SymmetryDocument, widths: usize) -> Figure {
    let spec = &document.head.spec;
    let mut rows: Vec<_> = document.couplings.iter().collect();
    rows.sort_by_key(|r| r.coupling.d_out);
    let at = |r: &CouplingRow| r.coupling.d_out as f64;
    let sampled = document.head.source.is_sampled();
    let mut series = vec![
        Series::new("tree level, exact", 0, Style::Line).with(
            rows.iter()
                .map(|r| Some(Point::new(at(r), r.lambda_tree_exact.abs()))),
        ),
        Series::new("one loop, exact", 1, Style::Line).with(
            rows.iter()
                .map(|r| Some(Point::new(at(r), r.lambda_one_loop_exact?.abs()))),
        ),
    ];
    if sampled {
        series.push(
            Series::new("tree level", 0, Style::Squares).with(rows.iter().map(|r| {
                let c = &r.coupling;
                Some(Point::measured(
                    at(r),
                    c.lambda_tree.abs(),
                    c.lambda_tree_std_err,
                ))
            })),
        );
        series.push(
            Series::new("one loop", 1, Style::Dots).with(rows.iter().map(|r| {
                let c = &r.coupling;
                Some(Point::measured(
                    at(r),
                    c.lambda_one_loop?.abs(),
                    c.lambda_one_loop_std_err,
                ))
            })),
        );
    }
    let panel = Panel {
        title: String::new(),
        x: Axis::log("number of outputs").with_ticks(rows.iter().map(|r| at(r)).collect()),
        y: Axis::linear("|λ|").with_zero(),
        series,
    };
    let title = format!("{}: coupling at Λ = {}", net(spec), short(document.cutoff));
    panel.alone(name("symmetry", spec, widths), title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand::symmetry;
    use crate::run::Source;

    #[test]
    fn outputs_are_in_order_and_those_without_a_root_left_out() {
        let mut document = symmetry(&[(8, None), (2, Some(-0.2)), (4, Some(-0.1))]);
        let figure = symmetry_figure(&document, 1);
        let at = |k: usize| -> Vec<(f64, f64)> {
            let points = &figure.panels[0].series[k].points;
            points.iter().map(|p| (p.x, p.y)).collect()
        };
        assert_eq!(at(2), [(2.0, 0.5), (4.0, 0.5), (8.0, 0.5)]);
        assert_eq!(at(3), [(2.0, 0.2), (4.0, 0.1)]);
        document.head.source = Source::exact();
        assert_eq!(symmetry_figure(&document, 1).panels[0].series.len(), 2);
    }
}
