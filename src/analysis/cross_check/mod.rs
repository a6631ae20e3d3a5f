//! An engine is compared with the f64 CPU engine, stage by stage, on the same networks.

mod bounds;
mod ensembles;
mod fits;
mod layers;
mod stage;
mod stages;
mod training;

use serde::Serialize;

pub use fits::Fit;
pub use stage::Stage;
pub use stages::check_stages;
pub use training::check_training;

use crate::Result;
use crate::engine::{Form, Stages};
use crate::model::{EnsembleSpec, Net};
use crate::stream::GROUP;
use crate::theory::tilt;
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

/// Compares every stage and all fits: of one net at any width, or of the source's nets. `thorough`
/// draws more networks; `told` hears which ensemble is next.
///
/// # Errors
/// [`crate::Error::Device`] if the adapter fails.
pub fn cross_check(
    engine: &mut dyn Stages,
    net: Option<&Net>,
    thorough: bool,
    told: &dyn Fn(&str),
) -> Result<CrossCheck> {
    let mut stages = stages::check(engine, &ensembles(net, thorough), thorough, told)?;
    if engine.has(Form::Looped) {
        for (stage, looped) in stages.iter_mut().zip(check_looped(engine, net, told)?) {
            stage.join(looped);
        }
    }
    told("training");
    stages.extend(check_training(engine, net)?);
    // Theory has no vertex integrals of some nets, and some have no derivative.
    stages.retain(|stage| stage.compared > 0);
    told("fits");
    let fits = fits::fits(engine, net, thorough)?;
    let pass = stages.iter().all(|s| s.pass) && fits.iter().all(|f| f.pass);
    Ok(CrossCheck { stages, fits, pass })
}

/// Compares every stage of the shaders that loop over buffers, which ensembles of many points
/// take: several outputs, importance sampling, and laws.
fn check_looped(
    engine: &mut dyn Stages,
    net: Option<&Net>,
    told: &dyn Fn(&str),
) -> Result<Vec<Stage>> {
    let all = ensembles(net, false);
    let several_outputs = all.iter().find(|spec| spec.net.d_out() > 1);
    let with_tails = (all.iter()).find(|spec| spec.net.width() > GROUP && tilt(spec).is_some());
    let with_laws = all.iter().find(|spec| !spec.net.has_gaussian_readout());
    let mut few: Vec<EnsembleSpec> = Vec::new();
    for spec in [several_outputs, with_tails, with_laws]
        .into_iter()
        .flatten()
    {
        if !few.contains(spec) {
            few.push(spec.clone());
        }
    }
    let before = engine.form();
    engine.set_form(Some(Form::Looped));
    let told = |at: &str| told(&format!("{at}, looped"));
    let stages = stages::check(engine, &few, false, &told);
    engine.set_form(before);
    stages
}
