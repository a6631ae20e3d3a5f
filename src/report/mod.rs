//! Tables, figures, JSON and NPZ.

mod claims;
mod eft_tables;
pub mod figure;
mod figures;
mod json;
mod npz;
pub mod outcome;
mod page;
mod reproduction;
mod table;
mod unmeasured;

pub use claims::{Claim, Data, Number, Outcome, claims};
pub use eft_tables::{eft_table, fit_table, flow_table, six_point_table};
pub use figures::{
    coupling_figure, delta_figure, eft_figure, ensemble_figure, falloff_figure, fixed_point_figure,
    flow_figure, gain_figure, odd_figure, rg_figure, six_point_figure, symmetry_figure,
};
pub use json::{
    CompareDocument, CompareSpec, CouplingRow, EftDocument, EftPoint, EnsembleDocument,
    FalloffDocument, Head, Partial, RgDocument, Source, SymmetryDocument, TheoryDocument, Timing,
    VERSION,
};
pub use npz::{read_moments, write_npz};
pub use reproduction::{Report, Reproduction, ReproductionDocument, ReproductionSpec, Scale};
pub use table::{
    claims_table, cross_check_table, devices_table, elements_table, ensemble_table, falloff_table,
    symmetry_table, theory_table,
};
