//! `devices` lists the adapters of a machine.

mod table;

pub use table::devices_table;
