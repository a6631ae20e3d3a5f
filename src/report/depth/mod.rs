//! `depth` follows the n-point functions over the number of hidden layers.

mod figure;
mod table;

pub use figure::depth_figure;
pub use table::depth_table;
