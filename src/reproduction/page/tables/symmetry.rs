//! The tables of this module list couplings and symmetries of nets with several outputs.

use super::{Cell, Table};
use crate::reproduction::documents::OfNet;
use crate::reproduction::traced::at;

pub(super) fn outputs(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        let document = &of.symmetry;
        for row in at!(document.couplings as d_out).each() {
            let coupling = at!(row.(coupling));
            rows.push(vec![
                Cell::text(of.net.title()),
                Cell::number(at!(coupling.d_out), None),
                Cell::number(at!(coupling.lambda_tree), coupling.lambda_tree_std_err),
                Cell::number(at!(row.lambda_tree_exact), None),
                Cell::number(
                    at!(coupling.lambda_one_loop),
                    coupling.lambda_one_loop_std_err,
                ),
                Cell::number(at!(row.lambda_one_loop_exact), None),
                Cell::number(at!(coupling.loop_over_tree), None),
            ]);
        }
    }
    Table {
        caption: "Coupling of λ (f·f)² at Λ = 100 against the number of outputs: at tree level it does not depend on it, at one loop it falls.".into(),
        header: &[
            "net",
            "d_out",
            "λ, tree",
            "exact",
            "λ, one loop",
            "exact",
            "loop/tree",
        ],
        rows,
    }
}

pub(super) fn checks(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        let document = &of.symmetry;
        for check in at!(document.checks).each() {
            rows.push(vec![
                Cell::text(of.net.title()),
                Cell::number(at!(check.d_out), None),
                Cell::text(check.name.as_ref().replace('_', " ")),
                Cell::number(at!(check.(test).components), None),
                Cell::number(at!(check.value), None),
                Cell::number(at!(check.std_err), None),
                Cell::number(at!(check.(test).p_value), None),
                Cell::decided(check.pass, ["pass", "FAIL"]),
            ]);
        }
    }
    Table {
        caption: "SO(d_out), tested on direct ensembles. χ² per element is 1 within ± if the symmetry holds; a test that fails on an ensemble that has not converged is undecided (–).".into(),
        header: &["net", "d_out", "check", "elements", "χ²/n", "±", "p", ""],
        rows,
    }
}
