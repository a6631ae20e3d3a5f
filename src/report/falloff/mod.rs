//! `falloff` follows the n-point functions over the width.

mod figure;
mod table;

pub use figure::{falloff_figure, gain_figure, odd_figure};
pub use table::falloff_table;
