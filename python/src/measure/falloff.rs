use std::sync::Arc;

use nnqft_gpu::analysis::{WIDTHS, check_interacting, check_range};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::{Result, run};
use pyo3::prelude::*;

use crate::given::Given;
use crate::outcome::Document;
use crate::run::{Run, Session};

/// Sweeps the width. Without an estimator both are drawn.
#[pyfunction]
pub fn falloff(given: Given, widths: Option<Vec<u64>>) -> Run {
    Run::start(move |session| {
        let sweep = sweep(session, &given, widths)?;
        let all = (sweep.iter()).flat_map(|(spec, second)| second.iter().chain([spec]));
        let choice = given.engine()?.averaging(all);
        let mut runner = session.runner(&choice, None)?;
        Ok(Document::new(run::falloff(&mut runner, &sweep)?).into())
    })
}

fn sweep(
    session: &Arc<Session>,
    given: &Given,
    widths: Option<Vec<u64>>,
) -> Result<Vec<run::Ensembles>> {
    let spec = given.spec(&**session)?;
    let widths = widths.unwrap_or_else(|| WIDTHS.to_vec());
    let specs = (widths.into_iter())
        .map(|width| spec.clone().with_width(width).validate())
        .collect::<Result<Vec<EnsembleSpec>>>()?;
    for spec in &specs {
        check_range(spec)?;
        check_interacting(spec)?;
    }
    match given.estimator {
        Some(_) => Ok(specs.into_iter().map(|spec| (spec, None)).collect()),
        None => run::beside(specs, given.tilt.as_deref() != Some("none")),
    }
}
