//! `eft` measures the quartic coupling, and holds the 6-point function against its prediction.

mod figure;
mod fit_table;
mod table;

pub use figure::{coupling_figure, delta_figure, eft_figure, six_point_figure};
pub use fit_table::fit_table;
pub use table::{eft_table, six_point_table};
