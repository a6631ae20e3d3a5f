//! `sample` writes the outputs of networks to a file.

mod file;
mod header;
mod table;

pub use file::DrawsFile;
pub use table::sample_table;
