//! What was given of an ensemble; the rest is the source's, or that of the run that goes on.

use nnqft_gpu::model::{EnsembleSpec, Inputs};
use nnqft_gpu::run::{EngineChoice, Progress, TiltChoice};
use nnqft_gpu::{Error, Result, Sentence, analysis, theory};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::net::Net;

/// The arguments of an ensemble.
#[derive(Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Given {
    pub net: Option<Net>,
    #[pyo3(from_py_with = points)]
    pub x: Option<Points>,
    pub nets: Option<u64>,
    pub experiments: Option<u32>,
    pub orders: Option<Vec<usize>>,
    pub estimator: Option<String>,
    pub tilt: Option<String>,
    pub seed: Option<u64>,
    pub backend: String,
    pub adapter: Option<String>,
}

/// Points as they were given.
#[derive(Clone)]
pub enum Points {
    /// What the command line takes: a preset's name, a file.
    Name(String),
    Rows(Vec<Vec<f64>>),
}

impl Points {
    fn inputs(&self) -> Result<Inputs> {
        match self {
            Self::Name(text) => Inputs::parse(text),
            Self::Rows(rows) => Inputs::new(rows.clone()),
        }
    }
}

fn points(x: &Bound<'_, PyAny>) -> PyResult<Option<Points>> {
    if x.is_none() {
        return Ok(None);
    }
    match x.extract::<String>() {
        Ok(text) => Ok(Some(Points::Name(text))),
        Err(_) => Ok(Some(Points::Rows(rows(&x.extract()?)))),
    }
}

/// Lists the rows of a matrix.
pub fn rows(array: &PyReadonlyArray2<'_, f64>) -> Vec<Vec<f64>> {
    let array = array.as_array();
    array.rows().into_iter().map(|row| row.to_vec()).collect()
}

impl Given {
    /// Makes a spec that is not validated yet.
    pub fn plain(&self) -> Result<EnsembleSpec> {
        let Some(net) = &self.net else {
            return Err(Error::invalid("net", "None", "give a net"));
        };
        self.over(EnsembleSpec::of_net(net.model.clone())?)
    }

    /// Makes a spec of net, points and orders alone, for what draws no networks.
    pub fn model(&self) -> Result<EnsembleSpec> {
        let drawn = self.plain()?;
        let spec = EnsembleSpec::of_net(drawn.net.with_d_in(1))?.with_inputs(drawn.inputs);
        let orders = self.orders.clone().unwrap_or_else(|| spec.orders.clone());
        EnsembleSpec { orders, ..spec }.validate()
    }

    /// Makes the spec of an ensemble, with its importance sampling.
    pub fn spec(&self, progress: &dyn Progress) -> Result<EnsembleSpec> {
        let mut spec = self.plain()?.validate()?;
        if self.tilts()? {
            spec.tilt = theory::tilt(&spec);
            progress.note(&format!("tilt: {}", TiltChoice(&spec)).into());
            if spec.estimator == nnqft_gpu::model::Estimator::Direct {
                let reason =
                    Sentence::from("importance sampling is for the connected estimator; use ")
                        .and(Sentence::parameter("estimator"))
                        .and(" connected");
                return Err(Error::invalid("tilt", "auto", reason));
            }
        }
        analysis::check_range(&spec)?;
        Ok(spec)
    }

    /// Puts what was given over a spec; the rest stays.
    pub fn over(&self, mut spec: EnsembleSpec) -> Result<EnsembleSpec> {
        if let Some(net) = &self.net {
            spec.net = net.model.clone().with_d_in(spec.inputs.d_in());
        }
        if let Some(points) = &self.x {
            spec = spec.with_inputs(points.inputs()?);
        }
        if let Some(nets) = self.nets {
            spec.nets = nets;
        }
        if let Some(experiments) = self.experiments {
            spec.experiments = experiments;
        }
        if let Some(orders) = &self.orders {
            spec.orders.clone_from(orders);
        }
        if let Some(estimator) = &self.estimator {
            spec.estimator = estimator.parse()?;
        }
        if let Some(seed) = self.seed {
            spec.seed = seed;
        }
        Ok(spec)
    }

    /// Tells whether importance sampling is asked for.
    pub fn tilts(&self) -> Result<bool> {
        match self.tilt.as_deref() {
            Some("auto") => Ok(true),
            Some("none") | None => Ok(false),
            Some(other) => Err(Error::invalid(
                "tilt",
                format!("'{other}'"),
                "use auto or none",
            )),
        }
    }

    /// Returns the engine that is asked for.
    pub fn engine(&self) -> Result<EngineChoice> {
        let choice = EngineChoice {
            backend: self.backend.parse()?,
            adapter: self.adapter.clone(),
            ..EngineChoice::default()
        };
        choice.check()?;
        Ok(choice)
    }
}
