use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::run::{Checkpoint, EnsembleRun, Progress};
use nnqft_gpu::state::{self, State, StateFile};
use nnqft_gpu::{Error, Result, Sentence, analysis};
use pyo3::prelude::*;

use crate::given::Given;
use crate::outcome::Document;
use crate::run::{Failure, Finished, Run, Session, so_far};

/// Where a run is kept.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Files {
    checkpoint: Option<PathBuf>,
    checkpoint_interval: f64,
    resume: Option<PathBuf>,
}

/// A run before its engine is there.
struct Start {
    specs: Vec<EnsembleSpec>,
    resumed: Option<State>,
    checkpoint: Option<Checkpoint>,
}

/// Draws an ensemble, or goes on with one.
#[pyfunction]
pub fn ensemble(given: Given, files: Files) -> Run {
    Run::start(move |session| draw(session, &given, files))
}

fn draw(session: &Arc<Session>, given: &Given, files: Files) -> Result<Finished, Failure> {
    let Start {
        specs,
        resumed,
        checkpoint,
    } = start(session, given, files)?;
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

/// Opens the files. A run that goes on takes everything from its file; what was given must fit, or make it longer.
fn start(session: &Arc<Session>, given: &Given, files: Files) -> Result<Start> {
    let either = files.checkpoint == files.resume;
    let source = (files.resume.as_deref()).filter(|path| !either || path.exists());
    let target = files.checkpoint.as_deref().or(source);
    if let Some(path) = target.filter(|p| Some(*p) != source && p.exists()) {
        let reason = Sentence::from("the file exists; go on with ")
            .and(Sentence::parameter("resume"))
            .and(", or remove it");
        return Err(Error::invalid("checkpoint", path.display(), reason));
    }
    if let Some(path) = source.filter(|p| !p.exists()) {
        let reason = Sentence::from("there is no such file; start the run with ")
            .and(Sentence::parameter("checkpoint"));
        return Err(Error::invalid("resume", path.display(), reason));
    }
    let interval = match files.checkpoint_interval {
        seconds if seconds > 0.0 && seconds <= 1e9 => Duration::from_secs_f64(seconds),
        seconds => {
            let reason = "give seconds, more than 0";
            return Err(Error::invalid("checkpoint_interval", seconds, reason));
        }
    };
    // Before the claim, which leaves a file.
    let specs = match source {
        None => vec![given.spec(&**session)?],
        Some(_) => Vec::new(),
    };
    let file = target.map(StateFile::claim).transpose()?;
    if let Some(file) = file.as_ref().filter(|f| !f.is_locked()) {
        let text = "this file system has no locks; take care that no second run uses it";
        session.note(&format!("warning: {}: {text}", file.path().display()).into());
    }
    Ok(Start {
        specs,
        resumed: source.map(|path| resumed(path, given)).transpose()?,
        checkpoint: file.map(|file| Checkpoint { file, interval }),
    })
}

/// Reads the run of a file, and makes it longer if that was asked for.
fn resumed(path: &Path, given: &Given) -> Result<State> {
    let mut state = state::read(path)?;
    let old: Vec<EnsembleSpec> = state.ensembles.iter().map(|e| e.spec.clone()).collect();
    let wanted = (old.iter())
        .map(|spec| {
            let mut wanted = given.over(spec.clone())?.validate()?;
            if given.tilts()? {
                wanted.tilt = nnqft_gpu::theory::tilt(&wanted);
            }
            Ok(wanted)
        })
        .collect::<Result<Vec<_>>>()?;
    state.extend(&wanted)?;
    wanted.iter().try_for_each(analysis::check_range)?;
    Ok(state)
}
