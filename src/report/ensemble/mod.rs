//! `ensemble` measures the n-point functions of an ensemble.

mod figure;
mod moments;
mod npz;
mod table;

pub use figure::ensemble_figure;
pub use moments::read_moments;
pub use npz::write_npz;
pub use table::{elements_table, ensemble_table};
