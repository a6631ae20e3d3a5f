use crate::model::short;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style, THEORY};
use crate::report::heading::{name, net};
use crate::run::EftDocument;
use crate::run::Origin;

/// `eft` plots the 6-point prediction over the cutoffs, or at one cutoff over the
/// elements; without a 6-point function the coupling over the 4-tuples.
pub fn eft_figure(document: &EftDocument, widths: usize) -> Figure {
    let all = [("measured", document)];
    let measured = document.cutoffs.iter().any(|p| p.six_point.is_some());
    let mut figure = match (measured, document.cutoffs.len()) {
        (false, _) => coupling_figure(&all, 0),
        (true, 1) => six_point_figure(document, 0),
        (true, _) => delta_figure(&all),
    };
    figure.name = name("eft", &document.head.spec, widths);
    figure
}

/// The figure shows delta(L), measured over predicted dG^(6): mean and extremes over the elements.
pub fn delta_figure(documents: &[(&str, &EftDocument)]) -> Figure {
    let spec = &documents[0].1.head.spec;
    let mut series = Vec::new();
    for (colour, (label, document)) in documents.iter().enumerate() {
        let finite = || document.cutoffs.iter().filter(|p| p.cutoff.is_finite());
        if colour == 0 {
            series.push(
                Series::new(format!("{label}: all elements"), colour, Style::Band).with(
                    finite().map(|p| {
                        let six = p.six_point.as_ref()?;
                        let range = six.delta_min.zip(six.delta_max).map(<[f64; 2]>::from);
                        Some(Point {
                            range,
                            ..Point::new(p.cutoff, six.delta_mean?)
                        })
                    }),
                ),
            );
        }
        let style = match document.head.source.moments {
            Origin::Exact => Style::Line,
            Origin::Sampled => Style::nth_mark(colour),
        };
        series.push(
            Series::new(label.to_string(), colour, style).with(finite().map(|p| {
                let six = p.six_point.as_ref()?;
                Some(Point::measured(
                    p.cutoff,
                    six.delta_mean?,
                    six.delta_std_err,
                ))
            })),
        );
    }
    if let [(_, document)] = documents {
        let finite = document.cutoffs.iter().filter(|p| p.cutoff.is_finite());
        let exact = finite.map(|p| Some(Point::new(p.cutoff, p.exact?.delta_mean?)));
        series.push(Series::new("exact", THEORY, Style::Line).with(exact));
    }
    let places = documents
        .iter()
        .flat_map(|(_, d)| &d.cutoffs)
        .map(|p| p.cutoff);
    let mut places: Vec<f64> = places.filter(|c| c.is_finite()).collect();
    places.sort_unstable_by(f64::total_cmp);
    // The claim is always in view.
    let claim = Series::new("δ = 1: the theory is effective", THEORY, Style::Dashes);
    let ends = [places.first(), places.last()];
    series.insert(0, claim.with(ends.map(|x| Some(Point::new(*x?, 1.0)))));
    let panel = Panel {
        title: String::new(),
        x: Axis::log("cutoff Λ"),
        y: Axis::linear("δ"),
        series,
    };
    panel.alone(
        "delta",
        format!("{}: 6-point function over prediction", net(spec)),
    )
}

/// The figure shows G_GP / G^(6) and (G_GP + prediction) / G^(6) of every element at one cutoff.
pub fn six_point_figure(document: &EftDocument, cutoff: usize) -> Figure {
    let spec = &document.head.spec;
    let point = &document.cutoffs[cutoff];
    let six = point.six_point.as_ref();
    let of = |values: &[Option<f64>]| -> Vec<Option<Point>> {
        (values.iter().enumerate())
            .map(|(e, v)| Some(Point::new((e + 1) as f64, (*v)?)))
            .collect()
    };
    let title = format!(
        "{}: 6-point prediction at Λ = {}",
        net(spec),
        short(point.cutoff)
    );
    let panel = Panel {
        title: String::new(),
        x: Axis::linear("element of the 6-point function"),
        y: Axis::linear("fraction of G⁽⁶⁾"),
        series: vec![
            Series::new("GP / G⁽⁶⁾", 1, Style::Diamonds)
                .with(six.map_or(Vec::new(), |s| of(&s.gp_ratio))),
            Series::new("(GP + λ) / G⁽⁶⁾", 0, Style::Dots)
                .with(six.map_or(Vec::new(), |s| of(&s.ratio))),
        ],
    };
    panel.alone("six-point", title)
}

/// The figure shows the coupling of every 4-tuple at one cutoff.
pub fn coupling_figure(documents: &[(&str, &EftDocument)], cutoff: usize) -> Figure {
    let spec = &documents[0].1.head.spec;
    let at = documents[0].1.cutoffs[cutoff].cutoff;
    let series = (documents.iter().enumerate()).map(|(colour, (label, document))| {
        let lambda = document.cutoffs[cutoff].lambda.as_ref();
        let values = lambda.map_or(&[][..], |l| &l.values);
        let style = match document.head.source.moments {
            Origin::Exact => Style::Line,
            Origin::Sampled => Style::nth_mark(colour),
        };
        Series::new(label.to_string(), colour, style)
            .with((values.iter().enumerate()).map(|(e, v)| Some(Point::new((e + 1) as f64, (*v)?))))
    });
    let title = format!(
        "{}: coupling of each 4-tuple at Λ = {}",
        net(spec),
        short(at)
    );
    let panel = Panel {
        title: String::new(),
        x: Axis::linear("unique 4-tuple"),
        y: Axis::linear("λ"),
        series: series.collect(),
    };
    panel.alone("coupling", title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand::{coupling, eft};

    #[test]
    fn tuples_without_a_coupling_are_no_points() {
        let document = eft(vec![(f64::INFINITY, Some(coupling(-0.5)))]);
        let figure = eft_figure(&document, 2);
        assert_eq!(figure.name, "eft-width100");
        assert_eq!(figure.panels[0].series[0].points.len(), 1);
        assert!(figure.title.ends_with("Λ = inf"));
        // Neither has a 6-point function.
        assert!(six_point_figure(&document, 0).is_empty());
        assert!(delta_figure(&[("direct", &document)]).is_empty());
        assert!(eft_figure(&eft(vec![(10.0, None)]), 1).is_empty());
    }
}
