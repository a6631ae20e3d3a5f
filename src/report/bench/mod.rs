//! `bench` shows the speed of a machine.

mod table;

pub use table::bench_table;
