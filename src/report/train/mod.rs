//! `train` follows networks as they learn.

mod figure;
mod table;

pub use figure::train_figure;
pub use table::train_table;
