//! The command line reads arguments and options, validates them, runs, and writes output.

use std::process::ExitCode;

// The only unsafe code of the project; Cargo.toml denies it everywhere else.
#[allow(unsafe_code)]
fn main() -> ExitCode {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Without a desktop session Mesa's device-select layer looks for a display all the
        // same and prints an error of its own for every adapter query.
        // SAFETY: first statement of the program, no other thread exists yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
    nnqft_gpu::cli::run(std::env::args_os()).into()
}
