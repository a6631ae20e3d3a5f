use crate::analysis::trained::TrainedFit;
use crate::report::figure::{Axis, Figure, Panel, Point, Series, Style};
use crate::report::heading::in_dimension;
use crate::run::TrainDocument;

/// Points of a curve.
const CURVE: usize = 41;

/// The figure shows how far networks after the last step are from those of infinite width, against the width: means in
/// units of untrained standard deviations, variances in units of untrained ones, and the excess kurtosis, each with its
/// series in 1/N.
pub fn train_deviation_figure(document: &TrainDocument) -> Figure {
    let last = document.fits.iter().map(|fit| fit.step).max();
    let mut widths: Vec<u64> = document.widths.iter().map(|w| w.width).collect();
    widths.sort_unstable();
    widths.dedup();
    let fits = (document.fits.iter()).filter(|fit| Some(fit.step) == last);
    let series = fits
        .enumerate()
        .flat_map(|(colour, fit)| of_fit(fit, colour, &widths))
        .collect();
    let steps = last.unwrap_or(0);
    let panel = Panel {
        title: String::new(),
        x: Axis::log("width N"),
        y: Axis::log("deviation"),
        series,
    };
    let net = in_dimension(&document.head.spec.ensemble);
    panel.alone(
        "train-deviation",
        format!("{net}: distance from infinite width after {steps} steps"),
    )
}

fn of_fit(fit: &TrainedFit, colour: usize, widths: &[u64]) -> [Series; 2] {
    let group = Some(fit.of.to_string());
    let measured = (widths
        .iter()
        .zip(&fit.deviation)
        .zip(&fit.deviation_std_err))
    .map(|((&width, &size), &error)| Some(Point::measured(width as f64, size, Some(error))));
    let ends = [widths.first(), widths.last()].map(|n| n.map_or(1.0, |&n| n as f64));
    let curve = fit.series.iter().flat_map(|series| {
        (0..CURVE).map(move |k| {
            let n = ends[0] * (ends[1] / ends[0]).powf(k as f64 / (CURVE - 1) as f64);
            let terms = series.coefficients.iter().zip(1..);
            let sum: f64 = terms.map(|(c, power)| c / n.powi(power)).sum();
            Some(Point::new(n, sum))
        })
    });
    let of = |label: &str, style: Style| Series {
        group: group.clone(),
        ..Series::new(label, colour, style)
    };
    [
        of("series in 1/N", Style::Line).with(curve),
        of("measured", Style::Dots).with(measured),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
    use crate::run::{Runner, train};

    #[test]
    fn deviations_stand_on_their_series_at_their_widths() {
        let ensemble = EnsembleSpec {
            nets: 600,
            experiments: 1,
            ..EnsembleSpec::preset("tanh", 1).unwrap()
        };
        let ensemble = ensemble.with_inputs(Inputs::parse("2").unwrap());
        let data = TrainingData::parse("1=0.5;-1=0.2").unwrap();
        let mut spec = TrainSpec::new(ensemble, data, vec![0, 3, 5]);
        spec.ensemble.orders = vec![1];
        let sweep = [12, 3, 6].map(|width| spec.clone().with_width(width));
        let mut runner = Runner::new(Box::new(CpuEngine::new()));
        let document = train(&mut runner, &sweep, false).unwrap();
        let figure = train_deviation_figure(&document);
        assert!(figure.title.ends_with("after 5 steps"));
        let series = &figure.panels[0].series;
        let names: Vec<String> = series.iter().map(Series::name).collect();
        assert_eq!(names.len(), 6);
        assert_eq!(names[1], "measured, mean");
        let fit = (document.fits.iter())
            .find(|fit| fit.step == 5 && fit.of == "mean")
            .unwrap();
        let [line, dots] = [0, 1].map(|k| &series[k].points);
        let place = |p: &Point| (p.x, p.y);
        let want: Vec<(f64, f64)> = [3.0, 6.0, 12.0]
            .into_iter()
            .zip(fit.deviation.clone())
            .collect();
        assert_eq!(dots.iter().map(place).collect::<Vec<_>>(), want);
        let coefficients = &fit.series.as_ref().unwrap().coefficients;
        let last = line.last().unwrap();
        let sum = coefficients[0] / 12.0 + coefficients[1] / 144.0;
        assert!(line.len() == CURVE && (last.x - 12.0).abs() < 1e-9);
        assert!((last.y - sum).abs() < 1e-9 * sum.abs());
        // A single width has none.
        let document = train(&mut runner, &sweep[..1], false).unwrap();
        assert!(train_deviation_figure(&document).is_empty());
    }
}
