//! The tables of this module list couplings, flows, and fits of the coupling as a function.

use super::{Cell, OrUnknown, Table};
use crate::analysis::Term;
use crate::reproduction::claims::couplings::at_cutoff;
use crate::reproduction::documents::OfNet;
use crate::reproduction::names::Origin;
use crate::reproduction::traced::{Traced, at};
use crate::run::{EftDocument, RgDocument};

pub(super) fn couplings(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        for d in &of.dimensions {
            for (origin, document) in d.couplings.each() {
                let mut row = vec![
                    Cell::text(of.net.title()),
                    Cell::text(d.d_in.to_string()),
                    Cell::text(origin.name()),
                ];
                row.extend(coupling(document, origin));
                rows.push(row);
            }
        }
    }
    Table {
        caption: "Couplings and the 6-point prediction at Λ = 100, full vertices. Spread: standard deviation of λ over 4-tuples.".into(),
        header: &[
            "net",
            "d_in",
            "moments",
            "λ",
            "spread",
            "δ",
            "GP/G⁽⁶⁾",
            "(GP+λ)/G⁽⁶⁾",
            "",
        ],
        rows,
    }
}

fn coupling(document: &Traced<EftDocument>, origin: Origin) -> [Cell; 6] {
    let is_exact = origin == Origin::Exact;
    // Exact numbers have no statistical error.
    let error = |std_err: Option<f64>| std_err.filter(|_| !is_exact);
    let point = at_cutoff(document);
    let lambda = point.as_ref().and_then(|p| at!(p.lambda).known());
    let six = point.as_ref().and_then(|p| at!(p.six_point).known());
    let (lambda, six) = (lambda.as_ref(), six.as_ref());
    [
        lambda.map(|l| Cell::number(at!(l.mean), error(l.std_err))),
        lambda.map(|l| Cell::rest(at!(l.std), l.mean)),
        six.map(|s| Cell::number(at!(s.delta_mean), error(s.delta_std_err))),
        six.map(|s| Cell::number(at!(s.gp_ratio_mean), error(s.gp_ratio_std_err))),
        six.map(|s| Cell::number(at!(s.ratio_mean), error(s.ratio_std_err))),
        Some(match is_exact {
            true => Cell::text(""),
            false => Cell::convergence(document.head.source.unconverged.is_empty()),
        }),
    ]
    .map(OrUnknown::or_unknown)
}

pub(super) fn flows(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        for d in &of.dimensions {
            let mut add = |name: &str, document: &Traced<RgDocument>, is_exact: bool| {
                let mut row = vec![
                    Cell::text(of.net.title()),
                    Cell::text(d.d_in.to_string()),
                    Cell::text(name),
                ];
                row.extend(flow(document, is_exact));
                rows.push(row);
            };
            for (origin, document) in d.flows.each() {
                add(origin.name(), document, origin == Origin::Exact);
            }
            if let Some(document) = &d.weight_flow {
                add("exact, weight vertices", document, true);
            }
        }
    }
    Table {
        caption: "Slopes of log|λ| against log Λ. The fit over all 21 cutoffs is what the source plots; Erf and Gauss approach theory's slope only as Λ grows.".into(),
        header: &[
            "net",
            "d_in",
            "moments",
            "at largest Λ",
            "theory",
            "fit",
            "R²",
            "UV fixed point",
            "IR",
        ],
        rows,
    }
}

fn flow(document: &Traced<RgDocument>, is_exact: bool) -> [Cell; 6] {
    let flow = at!(document.(flow));
    let std_err = flow.asymptotic_slope_std_err.filter(|_| !is_exact);
    let fit = at!(flow.fit).known();
    let fit = fit.as_ref();
    [
        Cell::number(at!(flow.asymptotic_slope), std_err),
        Cell::number(at!(flow.theory_slope), None),
        (fit.map(|f| Cell::number(at!(f.slope), f.std_err))).or_unknown(),
        fit.map(|f| Cell::number(at!(f.r2), None)).or_unknown(),
        Cell::decided(flow.uv.reached, ["yes", "no"]),
        Cell::decided(flow.ir.reached, ["yes", "no"]),
    ]
}

pub(super) fn fits(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        for (origin, document) in of.fits.each() {
            for fit in at!(document.fits).each() {
                let terms: Vec<String> = fit.terms.iter().map(Term::to_string).collect();
                let mut row = vec![
                    Cell::text(of.net.title()),
                    Cell::text(origin.name()),
                    Cell::text(terms.join(", ")),
                    Cell::number(at!(fit.rank), None),
                ];
                row.extend((0..3).map(|k| {
                    let coefficient = at!(fit.coefficients).known().and_then(|c| c.nth(k));
                    coefficient.map(|c| Cell::number(c, None)).or_unknown()
                }));
                row.extend([
                    // Percent: of a hundred.
                    Cell::rest(at!(fit.train.mape), 100.0),
                    Cell::rest(at!(fit.train.max), 100.0),
                    Cell::rest(at!(fit.test.mape), 100.0),
                    Cell::rest(at!(fit.test.max), 100.0),
                ]);
                rows.push(row);
            }
        }
    }
    Table {
        caption: "λ as a function: least squares on inputs x/√2, tested on x; weight vertices. MAPE and worst error in percent. Coefficients are given where the rank determines them.".into(),
        header: &[
            "net",
            "moments",
            "terms",
            "rank",
            "ℓ₀",
            "ℓ₂",
            "ℓ_NL",
            "train MAPE",
            "worst",
            "test MAPE",
            "worst",
        ],
        rows,
    }
}
