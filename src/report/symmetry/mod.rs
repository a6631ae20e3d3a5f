//! `symmetry` tests SO(d_out), and follows the coupling over the number of outputs.

mod document;
mod figure;
mod table;

pub use document::{CouplingRow, SymmetryDocument};
pub use figure::symmetry_figure;
pub use table::symmetry_table;
