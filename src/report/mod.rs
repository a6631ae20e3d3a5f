//! Tables, JSON and NPZ.

mod json;
mod npz;
mod table;

pub use json::{
    CouplingRow, EftDocument, EftPoint, EnsembleDocument, Head, RgDocument, Source,
    SymmetryDocument, TheoryDocument, Timing, VERSION, unconverged,
};
pub use npz::{read_moments, write_npz};
pub use table::{
    cross_check_table, devices_table, eft_table, elements_table, ensemble_table, fit_table,
    flow_table, six_point_table, symmetry_table, theory_table,
};
