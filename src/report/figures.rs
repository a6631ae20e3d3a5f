//! What the commands plot.

use super::figure::{Axis, Figure, Point, Series, Style};
use super::{EftDocument, EnsembleDocument, FalloffDocument, RgDocument, SymmetryDocument};
use crate::analysis::FalloffPoint;
use crate::model::{EnsembleSpec, short};

/// A value, and its error if it has one.
type Value = Option<(f64, Option<f64>)>;

fn dots(k: usize) -> Style {
    [Style::Triangles, Style::Dots, Style::Squares][k % 3]
}

fn symbol(order: usize) -> char {
    char::from_digit(order as u32, 10).unwrap_or('o')
}

/// `name`, or `name-width20` beside documents of other widths.
fn name(command: &str, spec: &EnsembleSpec, widths: usize) -> String {
    match widths {
        1 => command.into(),
        _ => format!("{command}-width{}", spec.width),
    }
}

fn net(spec: &EnsembleSpec) -> String {
    format!(
        "{}, N = {}, d_in = {}",
        spec.arch.title(),
        spec.width,
        spec.d_in
    )
}

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

/// |m_n| of the even orders against the width: direct and connected estimates, background,
/// exact curve.
pub fn falloff_figure(document: &FalloffDocument) -> Figure {
    let spec = &document.head.spec;
    let mut series = Vec::new();
    for (colour, n) in orders(document, 0).into_iter().enumerate() {
        let of = |value: &dyn Fn(&FalloffPoint) -> Value| falloff_points(document, n, value);
        series.push(
            Series::new(format!("background n={n}"), colour, Style::Dashes)
                .with(of(&|p| Some((p.background?, None)))),
        );
        if n > 2 {
            series.push(
                Series::new(format!("exact n={n}"), colour, Style::Line)
                    .with(of(&|p| Some((p.exact_mean?, None)))),
            );
        }
        series.push(
            Series::new(format!("{} n={n}", spec.estimator), colour, dots(colour))
                .marked(symbol(n))
                .with(of(&|p| Some((p.deviation_mean?, p.std_err)))),
        );
        series.push(
            Series::new(format!("connected n={n}"), colour, Style::Rings).with(of(&|p| {
                let c = p.connected.as_ref()?;
                // Where it sees more than the direct estimator does.
                let better = c.background? < p.background? || p.unconverged.is_some();
                better.then_some((c.deviation_mean?, c.std_err))
            })),
        );
    }
    Figure {
        name: "falloff".into(),
        title: format!(
            "{}, d_in = {}: falloff to the GP",
            spec.arch.title(),
            spec.d_in
        ),
        x: Axis::log("width N"),
        y: Axis::log("|mₙ|"),
        series,
    }
}

/// Mean |G^(n)| of the odd orders against the width, with the background.
pub fn odd_figure(document: &FalloffDocument) -> Figure {
    let spec = &document.head.spec;
    let mut series = Vec::new();
    for (colour, n) in orders(document, 1).into_iter().enumerate() {
        let of = |value: &dyn Fn(&FalloffPoint) -> Value| falloff_points(document, n, value);
        series.push(
            Series::new(format!("background n={n}"), colour, Style::Dashes)
                .with(of(&|p| Some((p.background?, None)))),
        );
        series.push(
            Series::new(format!("n={n}"), colour, dots(colour))
                .marked(symbol(n))
                .with(of(&|p| Some((p.deviation_abs_mean?, None)))),
        );
    }
    Figure {
        name: "odd".into(),
        title: format!(
            "{}, d_in = {}: odd n-point functions",
            spec.arch.title(),
            spec.d_in
        ),
        x: Axis::log("width N"),
        y: Axis::log("mean |G⁽ⁿ⁾| / √∏K"),
        series,
    }
}

fn orders(document: &FalloffDocument, parity: usize) -> Vec<usize> {
    (document.falloff.widths.first().into_iter())
        .flat_map(|w| w.orders.iter().map(|p| p.order))
        .filter(|n| n % 2 == parity)
        .collect()
}

/// Elements that a figure can show one by one.
const SHOWN_ELEMENTS: usize = 2000;

/// |m_n| of every element, or of every so many, beside its exact value and the background.
pub fn ensemble_figure(document: &EnsembleDocument, widths: usize) -> Figure {
    let spec = &document.spec;
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
            Series::new(format!("{} n={n}", spec.estimator), colour, dots(colour))
                .marked(symbol(n))
                .with(
                    elements()
                        .map(|(e, x)| Some(Point::measured(x, c.deviation[e]?.abs(), error(e)))),
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

/// What `eft` plots: the 6-point prediction over the cutoffs, or at one cutoff over the
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

/// delta(L): measured over predicted dG^(6), mean and extremes over the elements.
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
        let style = if document.head.source.moments == "exact" {
            Style::Line
        } else {
            dots(colour)
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
    Figure {
        name: "delta".into(),
        title: format!("{}: 6-point function over prediction", net(spec)),
        x: Axis::log("cutoff Λ"),
        y: Axis::linear("δ"),
        series,
    }
}

/// G_GP / G^(6) and (G_GP + prediction) / G^(6) of every element at one cutoff.
pub fn six_point_figure(document: &EftDocument, cutoff: usize) -> Figure {
    let spec = &document.head.spec;
    let point = &document.cutoffs[cutoff];
    let six = point.six_point.as_ref();
    let of = |values: &[Option<f64>]| -> Vec<Option<Point>> {
        (values.iter().enumerate())
            .map(|(e, v)| Some(Point::new((e + 1) as f64, (*v)?)))
            .collect()
    };
    Figure {
        name: "six-point".into(),
        title: format!(
            "{}: 6-point prediction at Λ = {}",
            net(spec),
            short(point.cutoff)
        ),
        x: Axis::linear("element of the 6-point function"),
        y: Axis::linear("fraction of G⁽⁶⁾"),
        series: vec![
            Series::new("GP / G⁽⁶⁾", 1, Style::Diamonds)
                .with(six.map_or(Vec::new(), |s| of(&s.gp_ratio))),
            Series::new("(GP + λ) / G⁽⁶⁾", 0, Style::Dots)
                .with(six.map_or(Vec::new(), |s| of(&s.ratio))),
        ],
    }
}

/// The coupling of every 4-tuple at one cutoff.
pub fn coupling_figure(documents: &[(&str, &EftDocument)], cutoff: usize) -> Figure {
    let spec = &documents[0].1.head.spec;
    let at = documents[0].1.cutoffs[cutoff].cutoff;
    let series = (documents.iter().enumerate()).map(|(colour, (label, document))| {
        let lambda = document.cutoffs[cutoff].lambda.as_ref();
        let values = lambda.map_or(&[][..], |l| &l.values);
        let style = if document.head.source.moments == "exact" {
            Style::Line
        } else {
            dots(colour)
        };
        Series::new(label.to_string(), colour, style)
            .with((values.iter().enumerate()).map(|(e, v)| Some(Point::new((e + 1) as f64, (*v)?))))
    });
    Figure {
        name: "coupling".into(),
        title: format!(
            "{}: coupling of each 4-tuple at Λ = {}",
            net(spec),
            short(at)
        ),
        x: Axis::linear("unique 4-tuple"),
        y: Axis::linear("λ"),
        series: series.collect(),
    }
}

/// log |lambda| against log L, with theory's slope through the largest cutoff.
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
                    format!("slope {slope}").replace('-', "−"),
                    colour,
                    Style::Line,
                )
                .with(line),
            );
        }
        series.push(Series::new(label.clone(), colour, dots(colour + 1)).with(points));
    }
    Figure {
        name: name.into(),
        title: format!(
            "{}, N = {}: running coupling",
            spec.arch.title(),
            spec.width
        ),
        x: Axis::log("cutoff Λ"),
        y: Axis::log("|λ|"),
        series,
    }
}

/// What `rg` plots.
pub fn rg_figure(document: &RgDocument, widths: usize) -> Figure {
    let spec = &document.head.spec;
    let label = format!(
        "{} moments, d_in = {}",
        document.head.source.moments, spec.d_in
    );
    flow_figure(&[(label, document)], &name("rg", spec, widths))
}

/// |beta| / |lambda| of the dimensionless coupling against the cutoff: 0 at a fixed point.
pub fn fixed_point_figure(documents: &[(String, &RgDocument)]) -> Figure {
    let series = documents
        .iter()
        .enumerate()
        .map(|(colour, (label, document))| {
            let flow = &document.flow;
            Series::new(label.clone(), colour, dots(colour + 1)).with(flow.points.iter().map(|p| {
                let beta = (p.slope? + flow.dimension).abs();
                // Below this it is rounding.
                (beta > 1e-9).then(|| Point::new(p.cutoff, beta))
            }))
        });
    Figure {
        name: "fixed-points".into(),
        title: "Dimensionless coupling: fixed points, d_in = 1".into(),
        x: Axis::log("cutoff Λ"),
        y: Axis::log("|β / λ|"),
        series: series.collect(),
    }
}

/// The coupling against the number of outputs.
pub fn symmetry_figure(document: &SymmetryDocument, widths: usize) -> Figure {
    let spec = &document.head.spec;
    let mut rows: Vec<_> = document.couplings.iter().collect();
    rows.sort_by_key(|r| r.coupling.d_out);
    let at = |r: &super::CouplingRow| r.coupling.d_out as f64;
    let sampled = document.head.source.moments != "exact";
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
    Figure {
        name: name("symmetry", spec, widths),
        title: format!("{}: coupling at Λ = {}", net(spec), short(document.cutoff)),
        x: Axis::log("number of outputs"),
        y: Axis::linear("|λ|"),
        series,
    }
}

/// How many networks of the direct estimator one of the connected one is worth.
pub fn gain_figure(documents: &[&FalloffDocument]) -> Figure {
    let series = documents.iter().enumerate().flat_map(|(colour, document)| {
        [(4, Style::Dots), (6, Style::Rings)].map(|(n, style)| {
            let label = format!("{} n={n}", document.head.spec.arch.title());
            Series::new(label, colour, style).with(falloff_points(document, n, &|p| {
                Some((p.connected.as_ref()?.gain?, None))
            }))
        })
    });
    Figure {
        name: "gain".into(),
        title: "Networks of the direct estimator for one of the connected".into(),
        x: Axis::log("width N"),
        y: Axis::log("variance ratio"),
        series: series.collect(),
    }
}
