//! Each measurement of the library starts a run.

pub mod couplings;
pub mod depth;
pub mod ensemble;
pub mod falloff;
pub mod machine;
pub mod sample;
pub mod symmetry;
pub mod theory;
pub mod train;
