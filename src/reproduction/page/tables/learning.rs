//! The tables of this module list what networks are like before and after they learn.

use super::{Cell, OrUnknown, Table};
use crate::analysis::trained::{TrainedFit, TrainedStep};
use crate::reproduction::documents::OfNet;
use crate::reproduction::traced::{Traced, at};

/// Makes the cell of an entry of a list that may not be there.
fn entry(list: Traced<Option<Vec<f64>>>, k: usize) -> Cell {
    (list.known().and_then(|list| list.nth(k)))
        .map(|value| Cell::number(value, None))
        .or_unknown()
}

fn measured(list: Traced<Vec<f64>>, errors: &[f64], k: usize) -> Cell {
    (list.nth(k))
        .map(|value| Cell::number(value, errors.get(k).copied()))
        .or_unknown()
}

pub(super) fn fields(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for document in nets.iter().filter_map(|of| of.training.as_ref()) {
        let largest = (at!(document.widths).each()).max_by_key(|width| width.width);
        let Some(width) = largest else { continue };
        let mut steps: Vec<Traced<TrainedStep>> = at!(width.steps).each().collect();
        let (Some(after), Some(before)) = (steps.pop(), steps.into_iter().next()) else {
            continue;
        };
        let mut order: Vec<usize> = (0..after.mean.len()).collect();
        order.sort_by(|&p, &q| after.points[p][0].total_cmp(&after.points[q][0]));
        for p in order {
            let x = at!(after.points).nth(p).and_then(|x| x.nth(0));
            let kurtosis = at!(after.kurtosis).nth(p).map(|value| {
                let error = after.kurtosis_std_err.get(p).copied().flatten();
                Cell::number(value, error)
            });
            let target = at!(after.targets).nth(p).map(|y| Cell::number(y, None));
            rows.push(vec![
                Cell::number(at!(width.width), None),
                x.map(|x| Cell::number(x, None)).or_unknown(),
                target.or_unknown(),
                measured(at!(before.mean), &before.std_err, p),
                measured(at!(after.mean), &after.std_err, p),
                entry(at!(after.infinite_mean), p),
                measured(at!(before.variance), &before.variance_std_err, p),
                measured(at!(after.variance), &after.variance_std_err, p),
                entry(at!(after.infinite_variance), p),
                kurtosis.or_unknown(),
            ]);
        }
    }
    Table {
        caption: "1-point function and variance of the widest networks before and after they learn, beside infinite width; targets are those of the data.".into(),
        header: &[
            "N",
            "x",
            "target",
            "mean, before",
            "after",
            "N = ∞",
            "variance, before",
            "after",
            "N = ∞",
            "kurtosis, after",
        ],
        rows,
    }
}

pub(super) fn deviations(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for document in nets.iter().filter_map(|of| of.training.as_ref()) {
        let last = document.fits.iter().map(|fit| fit.step).max();
        for fit in at!(document.fits).each() {
            if Some(fit.step) == last {
                rows.push(deviation(&fit));
            }
        }
    }
    Table {
        caption: "Distance from infinite width: slope of its log₁₀ against log₁₀N over the widths at which it is seen, and between the last two; a of a/N + b/N² + c/N³ over all.".into(),
        header: &["of", "steps", "slope", "last two", "a", "χ²", "p"],
        rows,
    }
}

fn deviation(fit: &Traced<TrainedFit>) -> Vec<Cell> {
    let series = at!(fit.series).known();
    let [first, chi2, p] = match &series {
        None => [Cell::unknown(), Cell::unknown(), Cell::unknown()],
        Some(series) => [
            measured(at!(series.coefficients), &series.std_err, 0),
            Cell::number(at!(series.chi2), None),
            Cell::number(at!(series.p_value), None),
        ],
    };
    vec![
        Cell::text(fit.of.as_ref()),
        Cell::number(at!(fit.step), None),
        Cell::number(at!(fit.slope), fit.std_err),
        Cell::number(at!(fit.last_slope), fit.last_std_err),
        first,
        chi2,
        p,
    ]
}
