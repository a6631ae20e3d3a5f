//! The tables of this module list what was drawn, and the files that hold it.

use super::{Cell, Table};
use crate::model::EnsembleSpec;
use crate::reproduction::documents::{Document, Documents, OfNet};
use crate::reproduction::traced::{Traced, at};

pub(super) fn ensembles(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        let title = of.net.title();
        let (falloff, symmetry, fit) = (&of.falloff, &of.symmetry, &of.fits.connected);
        let widths = || Cell::text("2 to 1000");
        let width = |spec: &Traced<EnsembleSpec>| {
            Cell::number(spec.below(&["hidden", "0"], &spec.net.width()), None)
        };
        let direct = at!(falloff.(head).spec);
        rows.push(ensemble("falloff, odd n", title, direct, widths()));
        if let Some(connected) = at!(falloff.connected_spec).known() {
            rows.push(ensemble("falloff", title, connected, widths()));
        }
        for d in &of.dimensions {
            for document in [&d.couplings.direct, &d.couplings.connected] {
                let spec = at!(document.(head).spec);
                let width = width(&spec);
                rows.push(ensemble("couplings, flow", title, spec, width));
            }
        }
        for (what, spec) in [
            ("coupling over d_out", at!(symmetry.(head).spec)),
            ("function fits", at!(fit.(head).spec)),
        ] {
            let width = width(&spec);
            rows.push(ensemble(what, title, spec, width));
        }
    }
    Table {
        caption: "Ensembles. Networks are per experiment; weights have standard deviation σ_w/√fan-in, biases σ_b.".into(),
        header: &[
            "for",
            "net",
            "d_in",
            "N",
            "σ_w",
            "σ_b",
            "points",
            "estimator",
            "experiments",
            "networks",
        ],
        rows,
    }
}

fn ensemble(what: &str, title: &str, spec: Traced<EnsembleSpec>, width: Cell) -> Vec<Cell> {
    let tilted = if spec.tilt.is_some() { ", tilted" } else { "" };
    // A layer is an entry of lists in JSON.
    let readout = spec.net.readout();
    vec![
        Cell::text(what),
        Cell::text(title),
        Cell::number(spec.below(&["d_in"], &spec.net.d_in()), None),
        width,
        Cell::number(spec.below(&["sigma_w", "1"], &readout.sigma_w), None),
        Cell::number(spec.below(&["sigma_b", "1"], &readout.sigma_b), None),
        Cell::text(spec.inputs.len().to_string()),
        Cell::text(format!("{}{tilted}", spec.estimator)),
        Cell::number(at!(spec.experiments), None),
        Cell::number(at!(spec.nets), None),
    ]
}

pub(super) fn documents(documents: &Documents) -> Table {
    Table {
        caption: "The documents behind this page.".into(),
        header: &["document", "file", "device", "seconds"],
        rows: documents
            .each()
            .map(|(name, d)| document(name, d))
            .collect(),
    }
}

fn document(name: &str, document: &Document) -> Vec<Cell> {
    let head = document.head();
    vec![
        Cell::link(name, format!("data/{name}.html")),
        Cell::link("json", format!("data/{name}.json")),
        Cell::text(head.device.adapter.as_str()),
        Cell::text(format!("{:.1}", head.timing.wall_s)),
    ]
}
