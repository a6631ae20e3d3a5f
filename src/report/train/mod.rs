//! `train` follows networks as they learn.

mod deviation;
mod figure;
mod npz;
mod table;

pub use deviation::train_deviation_figure;
pub use figure::train_figure;
pub use npz::write_train_npz;
pub use table::train_table;
