//! Fits to the tensors of both engines must agree.

use serde::Serialize;

use crate::analysis::{Correlator, Coupling, Interactions, LogFit, SixPoint, correlators};
use crate::engine::cpu::CpuEngine;
use crate::engine::{self, Engine};
use crate::model::{CatalogueEntry, EnsembleSpec, Estimator};
use crate::theory::{Vertex, kernel_matrix, vertex_integrals};
use crate::{Error, Result};

/// The fraction of their errors to which fits must agree.
const FITS: f64 = 1e-2;

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
    /// Largest |gpu - cpu|: a hundredth of the error.
    pub tolerance: f64,
    /// Whether both numbers agree.
    pub pass: bool,
}

/// Fits the slope of log |m_4| against log N, the coupling and delta to either engine's tensors.
pub(super) fn fits(engine: &mut dyn Engine, thorough: bool) -> Result<Vec<Fit>> {
    let nets = if thorough { 200_000 } else { 20_000 };
    let mut all = Vec::new();
    let mut push = |fit: String, gpu: f64, cpu: f64, std_err: f64| {
        let tolerance = FITS * std_err;
        all.push(Fit {
            fit,
            gpu,
            cpu,
            std_err,
            tolerance,
            pass: (gpu - cpu).abs() <= tolerance,
        });
    };
    // The slope of a weak interaction needs the connected estimator.
    for (arch, estimator) in [("relu", Estimator::Direct), ("erf", Estimator::Connected)] {
        let at = |width: u64| EnsembleSpec {
            nets,
            experiments: 5,
            estimator,
            orders: vec![4],
            ..EnsembleSpec::preset(arch, 1)
                .expect("the source's inputs")
                .with_width(width)
        };
        let slope = |engine: &mut dyn Engine| -> Result<LogFit> {
            let points = [2, 3, 5, 10].map(|width| {
                let c = measure(engine, &at(width))?;
                let mean = c[0].deviation_mean.zip(c[0].deviation_mean_std_err);
                Ok(mean.map(|(m, error)| (width as f64, m, error)))
            });
            let points: Vec<_> = points.into_iter().collect::<Result<_>>()?;
            let points: Vec<_> = points.into_iter().flatten().collect();
            let fit = LogFit::new(&points);
            fit.ok_or_else(|| Error::NotFinite("the falloff's slope".into()))
        };
        let (on_gpu, on_cpu) = (slope(engine)?, slope(&mut CpuEngine::new())?);
        push(
            format!("{arch} falloff slope of m_4"),
            on_gpu.slope,
            on_cpu.slope,
            on_cpu.std_err,
        );

        let spec = EnsembleSpec {
            orders: vec![4, 6],
            ..at(CatalogueEntry::find(arch)?.eft_width)
        };
        let vertex = vertex_integrals(&spec, Vertex::Full, &[100.0])?.remove(0);
        let fit = |engine: &mut dyn Engine| -> Result<Option<(Coupling, SixPoint)>> {
            let moments = Interactions::measured(&measure(engine, &spec)?);
            Ok(moments.and_then(|m| {
                let coupling = Coupling::measure(spec.inputs.len(), &m.four, &vertex)?;
                Some((
                    coupling,
                    SixPoint::predict(&kernel_matrix(&spec), &m, &vertex)?,
                ))
            }))
        };
        if let (Some(g), Some(c)) = (fit(engine)?, fit(&mut CpuEngine::new())?) {
            let error = |e: Option<f64>| e.unwrap_or(0.0);
            push(
                format!("{arch} coupling at L = 100"),
                g.0.mean,
                c.0.mean,
                error(c.0.std_err),
            );
            // Without a measured coupling there is no delta, and the check fails.
            let delta = |d: Option<f64>| d.unwrap_or(f64::NAN);
            push(
                format!("{arch} delta at L = 100"),
                delta(g.1.delta_mean),
                delta(c.1.delta_mean),
                error(c.1.delta_std_err),
            );
        }
    }
    Ok(all)
}

fn measure(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Result<Vec<Correlator>> {
    correlators(spec, &engine::run(engine, spec, &|_| {})?)
}
