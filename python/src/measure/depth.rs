use std::sync::Arc;

use nnqft_gpu::analysis::{DEPTHS, check_interacting, check_range};
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::{Error, Result, run};
use pyo3::prelude::*;

use crate::given::Given;
use crate::outcome::Document;
use crate::run::{Run, Session};

/// Sweeps the number of hidden layers, all of the net's width, of each of these widths, or of that which an aspect
/// tells.
#[pyfunction]
pub fn depth(
    given: Given,
    depths: Option<Vec<usize>>,
    widths: Option<Vec<u64>>,
    aspect: Option<f64>,
) -> Run {
    Run::start(move |session| {
        let sweep = sweep(session, &given, depths, widths, aspect)?;
        let mut runner = session.runner(&given.engine()?.averaging(&sweep), None)?;
        Ok(Document::new(run::depth(&mut runner, &sweep)?).into())
    })
}

fn sweep(
    session: &Arc<Session>,
    given: &Given,
    depths: Option<Vec<usize>>,
    widths: Option<Vec<u64>>,
    aspect: Option<f64>,
) -> Result<Vec<EnsembleSpec>> {
    let mut spec = given.spec(&**session)?;
    if given.nets.is_none() {
        spec.nets = 10_000;
    }
    if given.estimator.is_none() {
        spec.estimator = Estimator::Connected;
    }
    let hidden = spec.net.hidden();
    if hidden.iter().any(|width| *width != hidden[0]) {
        let reason = "a sweep over depths has hidden layers of one width";
        return Err(Error::invalid("hidden", format!("{hidden:?}"), reason));
    }
    if let (Some(widths), Some(_)) = (&widths, aspect) {
        let reason = "an aspect gives each depth its width; leave out one of the two";
        return Err(Error::invalid("widths", format!("{widths:?}"), reason));
    }
    let depths = depths.unwrap_or_else(|| DEPTHS.to_vec());
    let widths = widths.unwrap_or_else(|| vec![hidden[0]]);
    (depths
        .iter()
        .flat_map(|&depth| widths.iter().map(move |&width| (width, depth))))
    .map(|(width, depth)| {
        let net = spec.net.clone().with_hidden(&vec![width; depth]);
        let net = net.map_err(|e| match e {
            Error::Invalid { value, reason, .. } => Error::invalid("depths", value, reason),
            other => other,
        })?;
        let mut spec = EnsembleSpec {
            net,
            ..spec.clone()
        };
        if let Some(aspect) = aspect {
            spec = spec.with_aspect(aspect)?;
        }
        let spec = spec.validate()?;
        check_range(&spec)?;
        check_interacting(&spec)?;
        Ok(spec)
    })
    .collect()
}
