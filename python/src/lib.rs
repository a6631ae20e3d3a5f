//! The Python package nnqft on the library alone: nothing goes through the command line, which the wheel carries
//! along beside it.

mod error;
mod files;
mod given;
mod list;
mod measure;
mod net;
mod outcome;
mod run;
mod value;

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the program `nnqft-gpu`, and returns its exit code; a process runs it once.
#[pyfunction]
fn program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| nnqft_gpu::cli::run(arguments))
}

#[pymodule]
mod _engine {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::error::{DeviceError, InvalidSpec};
    #[pymodule_export]
    use super::measure::couplings::{eft, fit, rg};
    #[pymodule_export]
    use super::measure::depth::depth;
    #[pymodule_export]
    use super::measure::ensemble::ensemble;
    #[pymodule_export]
    use super::measure::falloff::falloff;
    #[pymodule_export]
    use super::measure::machine::{compare_cpu, devices};
    #[pymodule_export]
    use super::measure::sample::sample;
    #[pymodule_export]
    use super::measure::symmetry::symmetry;
    #[pymodule_export]
    use super::measure::theory::{kernel, kernel_diagonal, theory};
    #[pymodule_export]
    use super::measure::train::train;
    #[pymodule_export]
    use super::net::Net;
    #[pymodule_export]
    use super::outcome::Document;
    #[pymodule_export]
    use super::program;
    #[pymodule_export]
    use super::run::Run;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", nnqft_gpu::run::VERSION)
    }
}
