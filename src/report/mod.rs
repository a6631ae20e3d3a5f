//! A result becomes tables, figures, JSON and NPZ: each has a folder with its document, and what
//! is made of it.

mod arrays;
#[cfg(feature = "gpu")]
mod bench;
#[cfg(test)]
pub(crate) mod by_hand;
mod compare;
mod depth;
#[cfg(feature = "gpu")]
mod devices;
mod eft;
mod ensemble;
mod falloff;
pub mod figure;
mod folder;
mod heading;
pub(crate) mod number;
pub mod outcome;
mod rg;
mod sample;
mod symmetry;
pub(crate) mod table;
mod theory;
mod train;

#[cfg(feature = "gpu")]
pub use bench::bench_table;
pub use compare::cross_check_table;
pub use depth::{depth_figure, depth_table};
#[cfg(feature = "gpu")]
pub use devices::devices_table;
pub use eft::{
    coupling_figure, delta_figure, eft_figure, eft_table, fit_table, six_point_figure,
    six_point_table,
};
pub use ensemble::{elements_table, ensemble_figure, ensemble_table, read_moments, write_npz};
pub use falloff::{falloff_figure, falloff_table, gain_figure, odd_figure};
pub use folder::check_folder;
pub use rg::{fixed_point_figure, flow_figure, flow_table, rg_figure};
pub use sample::{DrawsFile, sample_table};
pub use symmetry::{symmetry_figure, symmetry_table};
pub use theory::{theory_elements_table, theory_table};
pub use train::{train_deviation_figure, train_figure, train_table, write_train_npz};
