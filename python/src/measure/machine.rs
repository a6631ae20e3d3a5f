use nnqft_gpu::engine::gpu::GpuEngine;
use nnqft_gpu::run::{self, Runner};
use pyo3::prelude::*;

use crate::net::Net;
use crate::outcome::Document;
use crate::run::Run;

/// Lists the adapters of the machine.
#[pyfunction]
pub fn devices() -> Run {
    Run::start(|_| Ok(Document::new(run::devices()).into()))
}

/// Compares the GPU with the f64 CPU engine.
#[pyfunction]
pub fn compare_cpu(net: Option<Net>, adapter: Option<String>, thorough: bool) -> Run {
    Run::start(move |session| {
        let engine = GpuEngine::new(adapter.as_deref())?;
        let mut runner = session.watch(Runner::on(Box::new(engine)));
        let net = net.map(|net| net.model);
        Ok(Document::new(run::compare(&mut runner, net.as_ref(), thorough)?).into())
    })
}
