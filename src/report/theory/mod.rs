//! `theory` has kernel, GP and exact n-point functions.

mod layers;
mod table;

pub use table::{theory_elements_table, theory_table};
