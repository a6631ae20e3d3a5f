//! Tables, JSON and NPZ.

mod json;
mod npz;
mod table;

pub use json::{EnsembleDocument, TheoryDocument, TheoryTiming, Timing, VERSION};
pub use npz::write_npz;
pub use table::{devices_table, elements_table, ensemble_table, theory_table};
