//! When a result that was printed makes the command fail.

use nnqft_gpu::{Error, Result};

/// The rule, as `--help` has it.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 the run failed, or what the command concludes (a slope, a
coupling, a check) does not hold or rests on averages that are NOT CONVERGED;
2 a mistake in options or files; 130 interrupted. ensemble, merge and reproduce
conclude nothing from averages that have not converged: they mark them, and
exit with 0.";

/// Fails if what a command has concluded rests on averages that have not converged: one sentence
/// for each, and what to do `instead`.
pub fn must_rest_on(unconverged: &[String], instead: Option<&str>) -> Result<()> {
    if unconverged.is_empty() {
        return Ok(());
    }
    let instead = instead.map(|text| format!(" ({text})")).unwrap_or_default();
    Err(Error::Unconverged(unconverged.join("; ") + &instead))
}
