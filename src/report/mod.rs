//! Tables, JSON and NPZ.

mod json;
mod npz;
mod table;

pub use json::{EnsembleDocument, Timing, VERSION};
pub use npz::write_npz;
pub use table::{devices_table, ensemble_table};
