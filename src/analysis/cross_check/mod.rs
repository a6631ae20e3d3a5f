//! An engine is compared with the f64 CPU engine, stage by stage, on the same networks.

mod ensembles;
mod fits;
mod stage;
mod stages;

use serde::Serialize;

pub use fits::Fit;
pub use stage::Stage;
pub use stages::check_stages;

use crate::Result;
use crate::engine::{Form, Stages};
use crate::model::{EnsembleSpec, Growth};
use ensembles::ensembles;

/// `CrossCheck` is the result of a cross-check: all stages and fits.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CrossCheck {
    /// The stages, one entry each.
    pub stages: Vec<Stage>,
    /// The fits, one entry each.
    pub fits: Vec<Fit>,
    /// Whether all stages and fits passed.
    pub pass: bool,
}

/// Compares every stage and both fits. `thorough` draws more networks.
///
/// # Errors
/// [`crate::Error::Device`] if the adapter fails.
pub fn cross_check(engine: &mut dyn Stages, thorough: bool) -> Result<CrossCheck> {
    let mut stages = check_stages(engine, &ensembles(thorough), thorough)?;
    if engine.has(Form::Looped) {
        for (stage, looped) in stages.iter_mut().zip(check_looped(engine)?) {
            stage.join(looped);
        }
    }
    let fits = fits::fits(engine, thorough)?;
    let pass = stages.iter().all(|s| s.pass) && fits.iter().all(|f| f.pass);
    Ok(CrossCheck { stages, fits, pass })
}

/// Compares every stage of the shaders that loop over buffers, which ensembles of many points
/// take: several outputs, and importance sampling.
fn check_looped(engine: &mut dyn Stages) -> Result<Vec<Stage>> {
    let all = ensembles(false);
    let has_tails =
        |spec: &&EnsembleSpec| matches!(spec.net.activation().growth(), Growth::Exponential { .. });
    let several_outputs = all.iter().find(|spec| spec.net.d_out() > 1);
    let random_points = all
        .iter()
        .filter(has_tails)
        .find(|spec| spec.net.width() == 20);
    let few: Vec<EnsembleSpec> = (several_outputs.into_iter())
        .chain(random_points)
        .cloned()
        .collect();
    let before = engine.form();
    engine.set_form(Some(Form::Looped));
    let stages = check_stages(engine, &few, false);
    engine.set_form(before);
    stages
}
