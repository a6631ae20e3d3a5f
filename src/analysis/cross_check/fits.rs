//! Fits to the tensors of both engines must agree.

use serde::Serialize;

use super::bounds::EPSILON;
use crate::analysis::{Correlator, Coupling, Interactions, LogFit, SixPoint, correlators};
use crate::engine::cpu::CpuEngine;
use crate::engine::{self, Engine};
use crate::model::{CatalogueEntry, EnsembleSpec, Estimator, Net};
use crate::theory::{Vertex, kernel_matrix, vertex_integrals};
use crate::{Error, Result};

/// The fraction of their errors to which fits must agree.
const FITS: f64 = 1e-2;
/// The relative difference that rounding to f32 explains in numbers that hardly fluctuate: that of
/// averages of products of six fields.
const ROUNDING: f64 = 96.0 * EPSILON;

/// Width and cutoff of the coupling; nets of the catalogue have a width of their own.
const WIDTH: u64 = 20;
const CUTOFF: f64 = 100.0;

/// `Fit` is a fitted number from the tensors of both engines.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Fit {
    /// Name of what was fitted.
    pub fit: String,
    /// Number fitted to the GPU's tensors.
    pub gpu: f64,
    /// Number fitted to the CPU's tensors.
    pub cpu: f64,
    /// Statistical error of either number.
    pub std_err: f64,
    /// Largest |gpu - cpu|: a hundredth of the error, or what rounding to f32 explains.
    pub tolerance: f64,
    /// Whether both numbers agree.
    pub pass: bool,
}

/// Fits the slope of log |m_4| against log N, the coupling and delta to either engine's tensors, of
/// one net or of two of the source's. What the tensors of the f64 engine do not fix is left out.
pub(super) fn fits(engine: &mut dyn Engine, net: Option<&Net>, thorough: bool) -> Result<Vec<Fit>> {
    let nets = if thorough { 200_000 } else { 20_000 };
    let cases = match net {
        // The slope of a weak interaction needs the connected estimator, and that a normal readout in the
        // shaders of a deep net.
        Some(net) if net.depth() > 1 && !net.has_gaussian_readout() => Vec::new(),
        Some(net) => vec![(net.clone(), Estimator::Connected)],
        None => vec![
            (Net::named("relu", 1)?, Estimator::Direct),
            (Net::named("erf", 1)?, Estimator::Connected),
        ],
    };
    let mut all = Vec::new();
    for (net, estimator) in cases {
        let spec = EnsembleSpec {
            nets,
            experiments: 5,
            estimator,
            orders: vec![4],
            ..EnsembleSpec::of_net(net.with_d_in(1))?
        };
        all.extend(slope(engine, &spec)?);
        all.extend(coupling(engine, &spec)?);
    }
    Ok(all)
}

/// Compares a number that was fitted; without one from the GPU's tensors the check fails.
fn fit(what: String, gpu: Option<f64>, cpu: f64, std_err: f64) -> Fit {
    let gpu = gpu.unwrap_or(f64::NAN);
    let tolerance = (FITS * std_err).max(ROUNDING * cpu.abs());
    Fit {
        fit: what,
        gpu,
        cpu,
        std_err,
        tolerance,
        pass: (gpu - cpu).abs() <= tolerance,
    }
}

fn slope(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Result<Option<Fit>> {
    let slope = |engine: &mut dyn Engine| -> Result<Option<LogFit>> {
        let points = [2, 3, 5, 10].map(|width| {
            let c = measure(engine, &spec.clone().with_width(width))?;
            let mean = c[0].deviation_mean.zip(c[0].deviation_mean_std_err);
            Ok(mean.map(|(m, error)| (width as f64, m, error)))
        });
        let points: Vec<_> = points.into_iter().collect::<Result<_>>()?;
        let points: Vec<_> = points.into_iter().flatten().collect();
        Ok(LogFit::new(&points))
    };
    let Some(on_cpu) = slope(&mut CpuEngine::new())? else {
        return Ok(None);
    };
    Ok(Some(fit(
        format!("{} falloff slope of m_4", spec.net),
        slope(engine)?.map(|fit| fit.slope),
        on_cpu.slope,
        on_cpu.std_err,
    )))
}

fn coupling(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Result<Vec<Fit>> {
    // Integrals over the kernel of a deep net take long, and the slope is of the same tensors.
    if spec.net.depth() > 1 {
        return Ok(Vec::new());
    }
    let width = match spec.net.name() {
        Some(name) => CatalogueEntry::find(name)?.eft_width,
        None => WIDTH,
    };
    let spec = EnsembleSpec {
        orders: vec![4, 6],
        ..spec.clone().with_width(width)
    };
    let vertex = match vertex_integrals(&spec, Vertex::Full, &[CUTOFF]) {
        Ok(mut vertices) => vertices.remove(0),
        // An integral that leaves the range of f64 has no coupling.
        Err(Error::Invalid { .. }) => return Ok(Vec::new()),
        Err(other) => return Err(other),
    };
    let measured = |engine: &mut dyn Engine| -> Result<Option<(Coupling, SixPoint)>> {
        let moments = Interactions::measured(&spec, &measure(engine, &spec)?);
        Ok(moments.and_then(|m| {
            let coupling = Coupling::measure(spec.inputs.len(), &m.four, &vertex)?;
            let six = SixPoint::predict(&kernel_matrix(&spec), &m, &vertex)?;
            Some((coupling, six))
        }))
    };
    let Some((lambda, six)) = measured(&mut CpuEngine::new())? else {
        return Ok(Vec::new());
    };
    let on_gpu = measured(engine)?;
    let mut all = Vec::new();
    if let Some(std_err) = lambda.std_err {
        all.push(fit(
            format!("{} coupling at L = {CUTOFF}", spec.net),
            on_gpu.as_ref().map(|on_gpu| on_gpu.0.mean),
            lambda.mean,
            std_err,
        ));
    }
    if let (Some(delta), Some(std_err)) = (six.delta_mean, six.delta_std_err) {
        all.push(fit(
            format!("{} delta at L = {CUTOFF}", spec.net),
            on_gpu.and_then(|on_gpu| on_gpu.1.delta_mean),
            delta,
            std_err,
        ));
    }
    Ok(all)
}

fn measure(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Result<Vec<Correlator>> {
    correlators(spec, &engine::run(engine, spec, &|_| {})?)
}
