use crate::analysis::trained::TrainedStep;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading::net;
use crate::run::TrainDocument;

/// The figure shows the networks of the largest width before and after: mean and one standard deviation on both sides,
/// against x where that is a number, with the curve of infinite width and the data.
pub fn train_figure(document: &TrainDocument) -> Figure {
    let largest = document.widths.iter().max_by_key(|w| w.width);
    let steps: Vec<&TrainedStep> = largest.map_or(Vec::new(), |w| match &w.steps[..] {
        [] => Vec::new(),
        [one] => vec![one],
        [first, .., last] => vec![first, last],
    });
    let spec = (document.head.spec.clone()).with_width(largest.map_or(1, |w| w.width));
    Figure {
        name: "train".into(),
        title: format!("{}: what networks learn", net(&spec.ensemble)),
        panels: steps
            .into_iter()
            .map(|step| panel(document, step))
            .collect(),
    }
}

fn panel(document: &TrainDocument, step: &TrainedStep) -> Panel {
    let d_out = document.head.spec.data.d_out();
    let is_line = document.head.spec.data.d_in() == 1;
    let mut series = Vec::new();
    for a in 0..d_out {
        let mut fields: Vec<usize> = (0..step.mean.len())
            .filter(|&f| step.outputs.get(f).copied().unwrap_or(0) == a)
            .collect();
        let first = fields.first().copied().unwrap_or(0);
        let x = |f: usize| match is_line {
            true => step.points[f][0],
            false => (f - first + 1) as f64,
        };
        fields.sort_by(|&f, &g| x(f).total_cmp(&x(g)));
        let of_output = |series: Series| match d_out {
            1 => series,
            _ => Series {
                group: Some(format!("output {a}")),
                ..series
            },
        };
        let mut add = |label: &str, style: Style, points: Vec<Option<Point>>| {
            series.push(of_output(Series::new(label, a, style)).with(points));
        };
        let spread = fields.iter().map(|&f| {
            let (y, size) = (step.mean[f], step.variance[f].max(0.0).sqrt());
            Some(Point {
                x: x(f),
                y,
                range: Some([y - size, y + size]),
            })
        });
        add("one standard deviation", Style::Band, spread.collect());
        let known = (document.curve.iter().flat_map(|c| &c.steps)).find(|s| s.step == step.step);
        if let (Some(curve), Some(known)) = (&document.curve, known) {
            let line = |sign: f64| -> Vec<Option<Point>> {
                let values = known.mean[a].iter().zip(&known.variance);
                let y = values.map(|(m, v)| m + sign * v.max(0.0).sqrt());
                (curve.x.iter().zip(y))
                    .map(|(&x, y)| Some(Point::new(x, y)))
                    .collect()
            };
            add("infinite width", Style::Line, line(0.0));
            for sign in [-1.0, 1.0] {
                add("its standard deviation", Style::Dashes, line(sign));
            }
        } else if let Some(mean) = &step.infinite_mean {
            let points = fields.iter().map(|&f| Some(Point::new(x(f), mean[f])));
            add("infinite width", Style::Rings, points.collect());
        }
        let means = fields
            .iter()
            .map(|&f| Some(Point::measured(x(f), step.mean[f], Some(step.std_err[f]))));
        add("mean", Style::Dots, means.collect());
        let data = fields
            .iter()
            .map(|&f| Some(Point::new(x(f), step.targets[f]?)));
        add("data", Style::Diamonds, data.collect());
    }
    Panel {
        title: match step.step {
            0 => "before".into(),
            1 => "after 1 step".into(),
            n => format!("after {n} steps"),
        },
        x: Axis::linear(if is_line { "x" } else { "point" }),
        y: Axis::linear("f"),
        series,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
    use crate::run::{Runner, train};

    fn figure(data: &str, inputs: &str) -> Figure {
        let ensemble = EnsembleSpec {
            nets: 600,
            experiments: 1,
            ..EnsembleSpec::preset("tanh", 1).unwrap().with_width(4)
        };
        let ensemble = ensemble.with_inputs(Inputs::parse(inputs).unwrap());
        let data = TrainingData::parse(data).unwrap();
        let mut spec = TrainSpec::new(ensemble, data, vec![0, 3, 5]);
        spec.ensemble.orders = vec![1];
        let mut runner = Runner::new(Box::new(CpuEngine::new()));
        train_figure(&train(&mut runner, &[spec], false).unwrap())
    }

    #[test]
    fn networks_are_shown_before_and_after_with_their_data() {
        let line = figure("1=0.5;-1=0.2", "0;2");
        let titles: Vec<&str> = line.panels.iter().map(|p| &p.title[..]).collect();
        assert_eq!(titles, ["before", "after 5 steps"]);
        let points = |figure: &Figure| -> Vec<usize> {
            figure.panels[1]
                .series
                .iter()
                .map(|s| s.points.len())
                .collect()
        };
        // Band, curve with its deviations, means, data.
        assert_eq!(points(&line), [4, 121, 121, 121, 4, 2]);
        let band = &line.panels[0].series[0].points;
        assert!(band.is_sorted_by_key(|p| p.x) && band.iter().all(|p| p.range.is_some()));
        assert!(!line.svg().contains("NaN"));
        let plane = figure("1,0=0.5,1;-1,2=0.2,0", "0,0");
        assert_eq!(points(&plane), [3, 3, 3, 2, 3, 3, 3, 2]);
        assert_eq!(plane.panels[1].series[7].group.as_deref(), Some("output 1"));
    }
}
