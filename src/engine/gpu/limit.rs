use crate::model::EnsembleSpec;
use crate::{Error, Result};

/// Most moments that the shaders sum: each is a line of their text, which a driver has to compile.
const MAX_SUMS: u64 = 20_000;

/// Refuses ensembles whose shaders no driver would compile; the CPU engine has no such limit.
///
/// # Errors
/// [`Error::Invalid`] for `--backend`.
pub fn fits(spec: &EnsembleSpec) -> Result<()> {
    let sums = spec.on_rays().sums();
    if sums <= MAX_SUMS {
        return Ok(());
    }
    Err(Error::invalid(
        "--backend",
        "gpu",
        format!(
            "{} points at orders {:?} make {sums} sums, and the shaders take at most {MAX_SUMS}; use --backend cpu, fewer points or lower --orders",
            spec.inputs.len(),
            spec.orders
        ),
    ))
}
