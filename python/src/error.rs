//! Errors of the library become Python exceptions, which speak of arguments.

use nnqft_gpu::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyFloatingPointError, PyOSError, PyRuntimeError, PyValueError};

pyo3::create_exception!(
    nnqft,
    InvalidSpec,
    PyValueError,
    "An argument, or a file, that no run can use: the sentence says which, why, and what would do."
);
pyo3::create_exception!(
    nnqft,
    DeviceError,
    PyRuntimeError,
    "There is no adapter that fits the request, or it has failed in mid-run."
);

/// Returns the argument that sets a parameter of the library.
fn argument(parameter: &str) -> String {
    match parameter {
        "inputs" | "d_in" => "x",
        "width" | "depth" => "hidden",
        "moments" => "moments",
        other => other,
    }
    .into()
}

/// Makes the exception of an error.
pub fn exception(error: &Error) -> PyErr {
    let sentence = error.spelled(&argument);
    match error {
        Error::NoAdapter(_) | Error::Device(_) => DeviceError::new_err(sentence),
        Error::NotFinite(_) => PyFloatingPointError::new_err(sentence),
        Error::Incomplete(_) => PyOSError::new_err(sentence),
        _ if error.is_usage() => InvalidSpec::new_err(sentence),
        _ => PyRuntimeError::new_err(sentence),
    }
}

/// Writes a sentence that a user should see.
pub fn spelled(sentence: &nnqft_gpu::Sentence) -> String {
    sentence.spelled(&argument)
}
