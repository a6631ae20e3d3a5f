//! `compare-cpu` holds the GPU against the f64 CPU engine.

mod document;
mod table;

pub use document::{CompareDocument, CompareSpec};
pub use table::cross_check_table;
