//! `symmetry` tests SO(d_out), and follows the coupling over the number of outputs.

mod figure;
mod table;

pub use figure::symmetry_figure;
pub use table::symmetry_table;
