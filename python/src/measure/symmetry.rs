use nnqft_gpu::analysis::{check_interacting, check_range};
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::run::symmetry::{Plan, Scheme, exact, sampled};
use nnqft_gpu::theory::check_loop_cutoff;
use nnqft_gpu::{Error, Result};
use pyo3::prelude::*;

use crate::given::Given;
use crate::outcome::Document;
use crate::run::Run;

/// What is tested, and how couplings are defined.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Tests {
    d_out: Vec<usize>,
    moments: String,
    vertex: String,
    cutoff: f64,
}

/// Tests SO(d_out), and follows the coupling over d_out.
#[pyfunction]
pub fn symmetry(given: Given, tests: Tests) -> Run {
    Run::start(move |session| {
        let draws = match tests.moments.as_str() {
            "sampled" => true,
            "exact" => false,
            other => {
                return Err(Error::invalid(
                    "moments",
                    format!("'{other}'"),
                    "use sampled or exact",
                )
                .into());
            }
        };
        let vertex = tests.vertex.parse()?;
        let spec = couplings(&given, draws)?;
        check_range(&spec)?;
        check_interacting(&spec)?;
        check_loop_cutoff(&spec, vertex, tests.cutoff)?;
        let scheme = || Scheme::new(&spec, vertex, tests.cutoff, &tests.d_out);
        let document = match draws {
            true => {
                let plan = Plan::new(spec.clone(), &tests.d_out)?;
                let choice = given.engine()?.averaging(plan.ensembles());
                let mut runner = session.runner(&choice, None)?;
                sampled(&mut runner, &plan, &scheme()?)?
            }
            false => exact(&spec, &scheme()?)?,
        };
        Ok(Document::new(document).into())
    })
}

/// Makes the ensemble that couplings are measured on, of one output.
fn couplings(given: &Given, draws: bool) -> Result<EnsembleSpec> {
    let mut spec = match draws {
        true => given.plain()?,
        false => given.model()?,
    };
    spec = spec.with_d_out(1);
    spec.orders = vec![2, 4];
    if !draws {
        return spec.validate();
    }
    if given.nets.is_none() {
        spec.nets = 10_000;
    }
    if given.experiments.is_none() {
        spec.experiments = 100;
    }
    if given.estimator.is_none() {
        spec.estimator = Estimator::Connected;
    }
    let mut spec = spec.validate()?;
    if given.tilts()? {
        spec.tilt = nnqft_gpu::theory::tilt(&spec);
    }
    Ok(spec)
}
