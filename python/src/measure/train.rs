use std::sync::Arc;

use nnqft_gpu::analysis::trained::check_trained_range;
use nnqft_gpu::model::{EnsembleSpec, TrainSpec, TrainingData};
use nnqft_gpu::run::{TrainDocument, TrainRun};
use nnqft_gpu::state::State;
use nnqft_gpu::{Error, Result};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::files::{Files, Start};
use crate::given::{Given, rows};
use crate::outcome::Document;
use crate::run::{Failure, Finished, Run, Session};

/// What networks learn, and how, as far as it was given.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Training<'py> {
    inputs: Option<PyReadonlyArray2<'py, f64>>,
    targets: Option<PyReadonlyArray2<'py, f64>>,
    widths: Option<Vec<u64>>,
    rate: Option<f64>,
    steps: Option<Vec<u64>>,
    train: Option<String>,
    allow_diverged: bool,
}

/// Points, or the targets of points.
type Rows = Vec<Vec<f64>>;

/// The same, apart from Python.
struct Learnt {
    data: Option<(Rows, Rows)>,
    widths: Option<Vec<u64>>,
    rate: Option<f64>,
    steps: Option<Vec<u64>>,
    train: Option<String>,
    allow_diverged: bool,
}

/// Trains networks on data, at every width, or goes on with that.
#[pyfunction]
pub fn train(given: Given, training: Training<'_>, files: Files) -> Run {
    let Training {
        inputs,
        targets,
        widths,
        rate,
        steps,
        train,
        allow_diverged,
    } = training;
    let learnt = Learnt {
        data: (inputs.zip(targets)).map(|(inputs, targets)| (rows(&inputs), rows(&targets))),
        widths,
        rate,
        steps,
        train,
        allow_diverged,
    };
    Run::start(move |session| draw(session, &given, &learnt, files))
}

fn draw(
    session: &Arc<Session>,
    given: &Given,
    learnt: &Learnt,
    files: Files,
) -> Result<Finished, Failure> {
    let fresh = || {
        let specs = learnt.specs(given)?;
        specs.iter().try_for_each(check_trained_range)?;
        Ok(specs)
    };
    let Start {
        specs,
        resumed,
        checkpoint,
    } = files.start(session, fresh, |state| {
        state.must_be_of(&learnt.over(given, &state.specs())?)
    })?;
    let begun = resumed.as_ref().map(|state| state.device.clone());
    let choice = given.engine()?.training(&specs);
    let mut runner = session.runner(&choice, begun.as_ref())?;
    if let Some(other) = runner.for_training(&specs[0]) {
        runner = other;
    }
    let state = resumed.unwrap_or_else(|| State::new(specs, None, runner.device()));
    let mut run = TrainRun::begin(state, checkpoint, &mut runner)?;
    let document = |run: &TrainRun| run.document(learnt.allow_diverged).map(Document::new);
    if let Err(error) = run.train(&mut runner, learnt.allow_diverged) {
        let is_there = TrainDocument::is_there(run.state());
        let partial = is_there.then(|| document(&run).ok()).flatten();
        return Err(Failure {
            error,
            partial: partial.map(|p| Box::new(p.into())),
        });
    }
    let document = document(&run)?;
    run.end(&mut runner)?;
    Ok(document.into())
}

impl Learnt {
    /// Makes the specs of a run that begins, one per width.
    fn specs(&self, given: &Given) -> Result<Vec<TrainSpec>> {
        let Some((inputs, targets)) = self.data.clone() else {
            return Err(Error::invalid("data", "None", "give X and y"));
        };
        let data = TrainingData::new(inputs, targets)?;
        let ensemble = ensemble(given, &data)?;
        let steps = (self.steps.clone()).unwrap_or_else(|| vec![0, 1, 10, 100, 1000]);
        let mut spec = TrainSpec::new(ensemble, data, steps);
        spec.rate = self.rate;
        if let Some(train) = &self.train {
            spec.train = train.parse()?;
        }
        if let Some(orders) = &given.orders {
            spec.ensemble.orders.clone_from(orders);
        }
        match &self.widths {
            None => Ok(vec![spec.validate()?]),
            Some(widths) => (widths.iter())
                .map(|&n| spec.clone().with_width(n).validate())
                .collect(),
        }
    }

    /// Puts what was given over the specs of a run; the rest stays.
    fn over(&self, given: &Given, run: &[TrainSpec]) -> Result<Vec<TrainSpec>> {
        refuse_tilt(given)?;
        let data = match self.data.clone() {
            Some((inputs, targets)) => TrainingData::new(inputs, targets)?,
            None => run[0].data.clone(),
        };
        let one = |spec: &TrainSpec| -> Result<TrainSpec> {
            let mut spec = spec.clone();
            spec.ensemble = given.over(spec.ensemble)?.with_d_out(data.d_out());
            spec.data = data.clone();
            spec.rate = self.rate.or(spec.rate);
            if let Some(steps) = &self.steps {
                spec.steps.clone_from(steps);
            }
            if let Some(train) = &self.train {
                spec.train = train.parse()?;
            }
            spec.validate()
        };
        match (&self.widths, &given.net) {
            (Some(widths), _) => {
                let first = one(&run[0])?;
                Ok((widths.iter())
                    .map(|&n| first.clone().with_width(n))
                    .collect())
            }
            // Its own width.
            (None, Some(_)) => Ok(vec![one(&run[0])?]),
            (None, None) => run.iter().map(one).collect(),
        }
    }
}

fn refuse_tilt(given: &Given) -> Result<()> {
    match given.tilts()? {
        true => {
            let reason = "networks that learn are drawn as they are; leave it out";
            Err(Error::invalid("tilt", "auto", reason))
        }
        false => Ok(()),
    }
}

fn ensemble(given: &Given, data: &TrainingData) -> Result<EnsembleSpec> {
    refuse_tilt(given)?;
    let mut given = given.clone();
    // The points of a net are those of its dimension, which is that of the data.
    if let (Some(net), None) = (&mut given.net, &given.x) {
        net.model = net.model.clone().with_d_in(data.d_in());
    }
    let mut spec = given.plain()?;
    if given.nets.is_none() {
        spec.nets = 10_000;
    }
    if given.experiments.is_none() {
        spec.experiments = 1;
    }
    Ok(spec)
}
