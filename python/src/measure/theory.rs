use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::run::LayersOfNet;
use nnqft_gpu::{Error, Result, theory as values};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::given::{Given, rows};
use crate::net::Net;
use crate::outcome::Document;
use crate::run::{Finished, Run};
use crate::value::Value;

/// Calculates the n-point functions of a net. Of several outputs only the components whose outputs pair are kept.
#[pyfunction]
pub fn theory(given: Given, layers: bool) -> Run {
    Run::start(move |_| {
        let mut spec = given.model()?;
        if spec.net.d_out() > 1 && spec.orders.iter().all(|n| n % 2 == 0) {
            spec.estimator = Estimator::Connected;
        }
        let mut documents = nnqft_gpu::run::theory(vec![spec.validate()?])?;
        let mut document = documents.remove(0);
        if layers {
            let of_net = LayersOfNet::new(&document.head.spec)?;
            document = document.with_layers(of_net);
        }
        Ok(Document::new(document).into())
    })
}

/// Calculates the kernel at points, or between two sets of points.
#[pyfunction]
pub fn kernel(net: Net, x: PyReadonlyArray2<'_, f64>, y: Option<PyReadonlyArray2<'_, f64>>) -> Run {
    let (x, y) = (rows(&x), y.map(|y| rows(&y)));
    Run::start(move |_| Ok(Finished::Value(Value::rows(&matrix(&net, x, y)?))))
}

/// Calculates the variances at points.
#[pyfunction]
pub fn kernel_diagonal(net: Net, x: PyReadonlyArray2<'_, f64>) -> Run {
    let x = rows(&x);
    Run::start(move |_| {
        let spec = at(&net, x)?;
        let variances = values::kernel_diagonal(&spec.net, spec.inputs.points());
        Ok(Finished::Value(Value::of(&variances)))
    })
}

/// Makes a spec of a net at points.
fn at(net: &Net, x: Vec<Vec<f64>>) -> Result<EnsembleSpec> {
    Ok(EnsembleSpec::of_net(net.model.clone())?.with_inputs(Inputs::new(x)?))
}

fn matrix(net: &Net, x: Vec<Vec<f64>>, y: Option<Vec<Vec<f64>>>) -> Result<Vec<Vec<f64>>> {
    let spec = at(net, x)?;
    let Some(y) = y else {
        return Ok(values::kernel_matrix(&spec));
    };
    let y = Inputs::new(y).map_err(|e| match e {
        Error::Invalid { value, reason, .. } => Error::invalid("y", value, reason),
        other => other,
    })?;
    if y.d_in() != spec.net.d_in() {
        let value = format!("with {} coordinates per point", y.d_in());
        let reason = format!("the points of x have {}", spec.net.d_in());
        return Err(Error::invalid("y", value, reason));
    }
    Ok(values::kernel_between(
        &spec.net,
        spec.inputs.points(),
        y.points(),
    ))
}
