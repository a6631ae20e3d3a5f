//! `rg` follows the coupling over the cutoff.

mod figure;
mod table;

pub use figure::{fixed_point_figure, flow_figure, rg_figure};
pub use table::flow_table;
