//! `devices` lists the adapters of a machine.

mod document;
mod table;

pub use document::{Adapter, DevicesDocument};
pub use table::devices_table;
