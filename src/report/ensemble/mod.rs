//! The n-point functions of an ensemble.

mod document;
mod figure;
mod npz;
mod table;

pub use document::{EnsembleDocument, Partial};
pub use figure::ensemble_figure;
pub use npz::{read_moments, write_npz};
pub use table::{elements_table, ensemble_table};
