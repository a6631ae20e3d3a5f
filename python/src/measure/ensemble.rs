use std::sync::Arc;

use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::run::EnsembleRun;
use nnqft_gpu::state::State;
use nnqft_gpu::{Result, analysis};
use pyo3::prelude::*;

use crate::files::{Files, Start};
use crate::given::Given;
use crate::outcome::Document;
use crate::run::{Failure, Finished, Run, Session, so_far};

/// Draws an ensemble, or goes on with one.
#[pyfunction]
pub fn ensemble(given: Given, files: Files) -> Run {
    Run::start(move |session| draw(session, &given, files))
}

fn draw(session: &Arc<Session>, given: &Given, files: Files) -> Result<Finished, Failure> {
    let fresh = || Ok(vec![given.spec(&**session)?]);
    let Start {
        specs,
        resumed,
        checkpoint,
    } = files.start(session, fresh, |state| extend(state, given))?;
    let begun = resumed.as_ref().map(|state| state.device.clone());
    let choice = given.engine()?.averaging(&specs);
    let mut runner = session.runner(&choice, begun.as_ref())?;
    let state = resumed.unwrap_or_else(|| State::new(specs, None, runner.device()));
    let mut run = EnsembleRun::begin(state, checkpoint, &mut runner)?;
    let mut documents = Vec::new();
    for k in 0..run.state().ensembles.len() {
        if let Err(error) = run.draw(k, &mut runner) {
            let partial = so_far(run.state(), k).ok().flatten();
            return Err(Failure {
                error,
                partial: partial.map(|p| Box::new(p.into())),
            });
        }
        documents.push(Document::of_ensemble(run.document(k)?));
    }
    run.end(&mut runner)?;
    Ok(Finished::Documents(documents))
}

/// Makes a run longer if that was asked for; what was given must fit.
fn extend(state: &mut State, given: &Given) -> Result<()> {
    let wanted = (state.specs().into_iter())
        .map(|spec| {
            let mut wanted = given.over(spec)?.validate()?;
            if given.tilts()? {
                wanted.tilt = nnqft_gpu::theory::tilt(&wanted);
            }
            Ok(wanted)
        })
        .collect::<Result<Vec<EnsembleSpec>>>()?;
    state.extend(&wanted)?;
    wanted.iter().try_for_each(analysis::check_range)
}
