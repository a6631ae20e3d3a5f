//! A run goes over a plan: what the folder does not hold yet is measured.

use std::io;
use std::path::PathBuf;

use super::documents::Documents;
use super::folder::Folder;
use super::plan::{CUTOFF, Kind, Plan, Task};
use crate::Error;
use crate::engine::DeviceKind;
use crate::engine::cpu::CpuEngine;
use crate::model::EnsembleSpec;
use crate::run::EftDocument;
use crate::run::{self, Moments, Runner, symmetry};
use crate::theory::{Values, Vertex};

/// A step is a measurement of a plan, as those who watch know it.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Number of the step, counted from 1.
    pub number: usize,
    /// Title of what is measured.
    pub title: &'a str,
    /// Estimated work of the step, in nanoseconds.
    pub work: u64,
}

/// A watch is told how far a run has come.
pub trait Watch: Sync {
    /// Hears that a measurement is looked for, and made if it is not there.
    fn begins(&self, step: Step);
    /// Hears that the measurement was there already.
    fn was_there(&self, step: Step);
    /// Hears that the measurement was made.
    fn is_done(&self, step: Step);
}

/// A failure says why a run ended before its plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A measurement failed.
    #[error("{title}")]
    Measurement {
        /// Title of the measurement.
        title: String,
        /// Error that it failed with.
        source: Error,
    },
    /// The document of a measurement cannot be written.
    #[error("{title}: writing {}", path.display())]
    Writing {
        /// Title of the measurement.
        title: String,
        /// Path of the file.
        path: PathBuf,
        /// Error of writing the file.
        source: io::Error,
    },
    /// The document that is read is not what was written.
    #[error("{title}: what was written cannot be read back")]
    Reading {
        /// Title of the measurement.
        title: String,
    },
}

/// Makes all measurements that the folder does not hold, and reads the documents of all.
///
/// # Errors
/// The failure of the first measurement that fails; what is finished stays in the folder.
pub fn run(
    plan: &Plan,
    folder: &Folder,
    runner: &mut Runner,
    watch: &dyn Watch,
) -> Result<Documents, Failure> {
    let on_gpu = runner.device().backend == DeviceKind::Gpu;
    let mut documents = Documents::new();
    for (k, task) in plan.tasks.iter().enumerate() {
        let step = Step {
            number: k + 1,
            title: &task.title,
            work: task.work(on_gpu),
        };
        watch.begins(step);
        if let Some(found) = task.load(folder) {
            documents.add(found);
            watch.was_there(step);
            continue;
        }
        task.measure(folder, runner)?;
        let written = task.load(folder).ok_or_else(|| Failure::Reading {
            title: task.title.clone(),
        })?;
        documents.add(written);
        watch.is_done(step);
    }
    documents.join_widths();
    Ok(documents)
}

/// Makes the moments of an ensemble, drawn or exact.
fn moments(runner: &mut Runner, spec: &EnsembleSpec, is_exact: bool) -> crate::Result<Moments> {
    match is_exact {
        true => Moments::exact(spec.clone(), &Moments::neurons(spec)),
        false => Moments::sampled(runner, spec.clone(), &Values::new(spec)),
    }
}

impl Task {
    fn measure(&self, folder: &Folder, runner: &mut Runner) -> Result<(), Failure> {
        let failed = |source| Failure::Measurement {
            title: self.title.clone(),
            source,
        };
        runner.check().map_err(failed)?;
        match &self.kind {
            Kind::Width {
                name,
                direct,
                connected,
            } => {
                let document = run::falloff(runner, &[(direct.clone(), connected.clone())]);
                self.write(folder, name, &document.map_err(failed)?)
            }
            Kind::Couplings {
                name,
                flow_name,
                spec,
                is_exact,
                cutoffs,
            } => {
                let moments = moments(runner, spec, *is_exact).map_err(failed)?;
                let couplings = run::eft(&moments, Vertex::Full, cutoffs).map_err(failed)?;
                let flow = run::rg(&moments, Vertex::Full, cutoffs).map_err(failed)?;
                self.write(folder, name, &couplings)?;
                self.write(folder, flow_name, &flow)
            }
            Kind::Flow {
                name,
                spec,
                vertex,
                cutoffs,
            } => {
                let document =
                    moments(runner, spec, true).and_then(|m| run::rg(&m, *vertex, cutoffs));
                self.write(folder, name, &document.map_err(failed)?)
            }
            Kind::Symmetry { name, plan } => {
                let scheme =
                    symmetry::Scheme::new(&plan.couplings, Vertex::Full, CUTOFF, &plan.outputs());
                let document = scheme.and_then(|scheme| symmetry::sampled(runner, plan, &scheme));
                self.write(folder, name, &document.map_err(failed)?)
            }
            Kind::Fit {
                name,
                spec,
                is_exact,
                cutoff,
            } => {
                let document = fit(runner, spec, *is_exact, *cutoff);
                self.write(folder, name, &document.map_err(failed)?)
            }
            Kind::Train { name, sweep } => {
                // In f64, whatever draws the others.
                let mut runner = runner.beside(Box::new(CpuEngine::new()));
                let document = run::train(&mut runner, sweep, false);
                self.write(folder, name, &document.map_err(failed)?)
            }
        }
    }

    fn write<T: serde::Serialize>(
        &self,
        folder: &Folder,
        name: &str,
        document: &T,
    ) -> Result<(), Failure> {
        (folder.write(name, document)).map_err(|source| Failure::Writing {
            title: self.title.clone(),
            path: folder.document(name),
            source,
        })
    }
}

/// Fits the coupling as a function, and tests it on the inputs of the spec.
fn fit(
    runner: &mut Runner,
    spec: &EnsembleSpec,
    is_exact: bool,
    cutoff: f64,
) -> crate::Result<EftDocument> {
    let train = EnsembleSpec {
        inputs: run::train_inputs(&spec.inputs)?,
        ..spec.clone()
    };
    let test = moments(runner, spec, is_exact)?;
    let train = moments(runner, &train, is_exact)?;
    run::fit(&train, &test, Vertex::Weight, cutoff)
}
