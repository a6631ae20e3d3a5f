//! `compare-cpu` holds the GPU against the f64 CPU engine.

mod table;

pub use table::cross_check_table;
