//! A network, as Python makes it.

use nnqft_gpu::model::{Activation, CatalogueEntry, Law, Net as Model, PerLayer};
use nnqft_gpu::{Error, Result};
use pyo3::prelude::*;

use crate::error::exception;
use crate::value::Value;

/// A net without input dimension, which points bring along.
#[pyclass(frozen, from_py_object, module = "nnqft._engine")]
#[derive(Clone)]
pub struct Net {
    pub model: Model,
}

/// What was given of a net; the rest is the catalogue's.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Given {
    arch: Option<String>,
    activation: Option<String>,
    hidden: Vec<u64>,
    d_out: usize,
    sigma_w: Option<Vec<f64>>,
    sigma_b: Option<Vec<f64>>,
    law_w: Option<Vec<String>>,
    law_b: Option<Vec<String>>,
}

impl Given {
    fn net(self) -> Result<Model> {
        let first = || CatalogueEntry::all()[0].name.clone();
        let mut net = Model::named(&self.arch.unwrap_or_else(first), 1)?;
        net = net.with_hidden(&self.hidden)?.with_d_out(self.d_out);
        if let Some(activation) = self.activation {
            net = net.with_activation(activation.parse::<Activation>()?);
        }
        // A phase brings its standard deviation along.
        if let Some(laws) = self.law_w {
            net = net.with_law_w(law("law_w", &laws)?)?;
        }
        if let Some(laws) = self.law_b {
            net = net.with_law_b(law("law_b", &laws)?)?;
        }
        if let Some(sigmas) = self.sigma_w {
            net = net.with_each_sigma_w(sigmas)?;
        }
        if let Some(sigmas) = self.sigma_b {
            net = net.with_each_sigma_b(sigmas)?;
        }
        Ok(net)
    }
}

fn law(name: &'static str, laws: &[String]) -> Result<PerLayer<Law>> {
    let parse = |text: &String| {
        text.parse().map_err(|e| match e {
            Error::Invalid { value, reason, .. } => Error::Invalid {
                name,
                value,
                reason,
            },
            other => other,
        })
    };
    Ok((laws.iter().map(parse).collect::<Result<Vec<Law>>>()?).into())
}

#[pymethods]
impl Net {
    #[new]
    fn new(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let model = given.extract::<Given>()?.net().map_err(|e| exception(&e))?;
        Ok(Self { model })
    }

    /// The net as documents have it, but for `d_in`.
    fn spec(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match Value::of(&self.model) {
            Value::Map(entries) => {
                let rest = entries.into_iter().filter(|(key, _)| key != "d_in");
                Value::Map(rest.collect()).into_python(py)
            }
            other => other.into_python(py),
        }
    }

    /// The critical point of the activation.
    fn critical(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let critical = py.detach(|| nnqft_gpu::theory::critical(self.model.activation()));
        Value::of(&critical.map_err(|e| exception(&e))?).into_python(py)
    }
}
