//! The tables of the page show numbers of documents only.

mod documents;
mod eft;
mod falloff;
mod learning;
mod symmetry;

use super::cell::{Cell, OrUnknown, Table};
use crate::reproduction::documents::{Documents, OfNet};
use crate::reproduction::verdict::Section;

/// Lists the tables with the sections that they stand in.
pub(super) fn tables(documents: &Documents, nets: &[OfNet]) -> Vec<(Section, Table)> {
    let tails = falloff::tails(nets).into_iter();
    [
        (Section::Experiments, documents::ensembles(nets)),
        (Section::Falloff, falloff::slopes(nets)),
        (Section::Couplings, eft::couplings(nets)),
        (Section::Flow, eft::flows(nets)),
        (Section::Symmetry, symmetry::outputs(nets)),
        (Section::Symmetry, symmetry::checks(nets)),
        (Section::Fits, eft::fits(nets)),
        (Section::Learning, learning::fields(nets)),
        (Section::Learning, learning::deviations(nets)),
        (Section::Documents, documents::documents(documents)),
    ]
    .into_iter()
    .chain(tails.map(|table| (Section::Tail, table)))
    .collect()
}
