use nnqft_gpu::model::{EnsembleSpec, TrainSpec, TrainingData};
use nnqft_gpu::{Error, Result, run};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::given::{Given, rows};
use crate::outcome::Document;
use crate::run::Run;

/// What networks learn, and how.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Training<'py> {
    inputs: PyReadonlyArray2<'py, f64>,
    targets: PyReadonlyArray2<'py, f64>,
    widths: Option<Vec<u64>>,
    rate: Option<f64>,
    steps: Vec<u64>,
    train: String,
    allow_diverged: bool,
}

/// Trains networks on data, at every width.
#[pyfunction]
pub fn train(given: Given, training: Training<'_>) -> Run {
    let (inputs, targets) = (rows(&training.inputs), rows(&training.targets));
    let Training {
        widths,
        rate,
        steps,
        train,
        allow_diverged,
        ..
    } = training;
    Run::start(move |session| {
        let data = TrainingData::new(inputs, targets)?;
        let ensemble = ensemble(&given, &data)?;
        let mut spec = TrainSpec::new(ensemble, data, steps);
        (spec.rate, spec.train) = (rate, train.parse()?);
        if let Some(orders) = &given.orders {
            spec.ensemble.orders.clone_from(orders);
        }
        let sweep = match widths {
            None => vec![spec.validate()?],
            Some(widths) => (widths.iter())
                .map(|&n| spec.clone().with_width(n).validate())
                .collect::<Result<_>>()?,
        };
        let progress: std::sync::Arc<dyn run::Progress> = session.clone();
        let engine = given.engine()?.training(&sweep).open(&progress)?;
        let mut runner = session.watch(run::Runner::new(engine));
        Ok(Document::new(run::train(&mut runner, &sweep, allow_diverged)?).into())
    })
}

fn ensemble(given: &Given, data: &TrainingData) -> Result<EnsembleSpec> {
    if given.tilts()? {
        let reason = "networks that learn are drawn as they are; leave it out";
        return Err(Error::invalid("tilt", "auto", reason));
    }
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
