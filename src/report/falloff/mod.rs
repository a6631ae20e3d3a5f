//! The n-point functions against the width.

mod document;
mod figure;
mod table;

pub use document::FalloffDocument;
pub use figure::{falloff_figure, gain_figure, odd_figure};
pub use table::falloff_table;
