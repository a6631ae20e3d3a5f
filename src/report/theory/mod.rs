//! `theory` has kernel, GP and exact n-point functions.

mod document;
mod table;

pub use document::TheoryDocument;
pub use table::theory_table;
