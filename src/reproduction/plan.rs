//! A plan says which ensembles are drawn, and what is measured on them.

use serde::Serialize;

use super::documents::Document;
use super::folder::Folder;
use super::names::Origin;
use super::source::{DIMENSIONS, SourceNet, source};
use crate::analysis::{WIDTHS, connected_spec};
use crate::model::{EnsembleSpec, Estimator, Inputs, TrainSpec, TrainingData};
use crate::run::{CUTOFFS, symmetry};
use crate::run::{EftDocument, FalloffDocument, RgDocument, SymmetryDocument, TrainDocument};
use crate::sentence::sentence;
use crate::theory::{Vertex, tilt};
use crate::{Error, Result};

/// `OUTPUTS` lists the numbers of outputs at which symmetries are tested.
pub(super) const OUTPUTS: [usize; 4] = [1, 2, 4, 8];
/// `CUTOFF` is the cutoff at which couplings are compared.
pub(super) const CUTOFF: f64 = 100.0;

/// A scale says how many networks a reproduction draws, per experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// Whether the scale is the quick one.
    pub quick: bool,
    /// Experiments of every ensemble but those of the symmetry tests, which have 100, and of trained networks.
    pub experiments: u32,
    /// Networks at each width of a falloff.
    pub falloff: u64,
    /// Networks for the couplings, direct estimator.
    pub couplings: u64,
    /// Networks for the couplings and function fits, connected estimator.
    pub connected: u64,
    /// Networks of the symmetry tests.
    pub symmetry: u64,
    /// Networks at each width that are trained, in one experiment.
    pub training: u64,
}

impl Scale {
    /// The source's scale: 10 experiments of 10^6 networks.
    pub const FULL: Self = Self {
        quick: false,
        experiments: 10,
        falloff: 1_000_000,
        couplings: 1_000_000,
        connected: 100_000,
        symmetry: 100_000,
        training: 100_000,
    };
    /// A quick scale: about a minute on two cores.
    pub const QUICK: Self = Self {
        quick: true,
        experiments: 10,
        falloff: 20_000,
        couplings: 100_000,
        connected: 10_000,
        symmetry: 1000,
        training: 20_000,
    };
}

/// A plan lists all measurements of a reproduction, in the order of the report.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Scale of the plan: how many networks.
    pub scale: Scale,
    /// Key of the random stream.
    pub seed: u64,
    pub(super) tasks: Vec<Task>,
}

/// A task is one measurement.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub title: String,
    pub kind: Kind,
}

/// A kind says what a measurement is of, and names the documents that it makes.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// One width of a falloff.
    Width {
        name: String,
        direct: EnsembleSpec,
        connected: Option<EnsembleSpec>,
    },
    /// Coupling, 6-point prediction and flow of one ensemble, or of exact moments.
    Couplings {
        name: String,
        flow_name: String,
        spec: EnsembleSpec,
        is_exact: bool,
        cutoffs: &'static [f64],
    },
    /// The flow of exact moments.
    Flow {
        name: String,
        spec: EnsembleSpec,
        vertex: Vertex,
        cutoffs: Vec<f64>,
    },
    /// The coupling over numbers of outputs, and tests of SO(d_out).
    Symmetry { name: String, plan: symmetry::Plan },
    /// The coupling as a function.
    Fit {
        name: String,
        spec: EnsembleSpec,
        is_exact: bool,
        cutoff: f64,
    },
    /// Networks that are trained, at several widths.
    Train { name: String, sweep: Vec<TrainSpec> },
}

impl Plan {
    /// Makes the plan at a scale.
    ///
    /// # Errors
    /// Those of [`EnsembleSpec::validate`].
    pub fn new(scale: Scale, seed: u64) -> Result<Self> {
        let mut plan = Self {
            scale,
            seed,
            tasks: Vec::new(),
        };
        let nets = &source().nets;
        (nets.iter()).try_for_each(|net| plan.falloff(net))?;
        (nets.iter()).try_for_each(|net| plan.couplings(net))?;
        (nets.iter()).try_for_each(|net| plan.symmetry(net))?;
        (nets.iter()).try_for_each(|net| plan.fits(net))?;
        (nets.iter()).try_for_each(|net| plan.training(net))?;
        Ok(plan)
    }

    /// Refuses a folder whose documents are all of another scale, seed or version. A document that
    /// is torn, or strange among others that fit, is measured again.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a refused folder.
    pub fn refuse_another(&self, folder: &Folder) -> Result<()> {
        if !folder.has_documents() || self.tasks.iter().any(|task| task.load(folder).is_some()) {
            return Ok(());
        }
        let reason = sentence!(
            "the folder holds the measurements of another scale, seed or version; give another folder, or add `force` to write over them"
        );
        Err(Error::invalid("out", folder.path().display(), reason))
    }

    /// Counts the measurements.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Tells whether there is nothing to measure.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Estimates the work of all measurements, in nanoseconds of two cores, or of a GPU.
    pub fn work(&self, on_gpu: bool) -> u64 {
        self.tasks.iter().map(|task| task.work(on_gpu)).sum()
    }

    fn preset(&self, net: &SourceNet, d_in: usize) -> Result<EnsembleSpec> {
        Ok(EnsembleSpec {
            seed: self.seed,
            experiments: self.scale.experiments,
            ..net.preset(d_in)?
        })
    }

    fn push(&mut self, title: String, kind: Kind) {
        self.tasks.push(Task { title, kind });
    }

    fn falloff(&mut self, net: &'static SourceNet) -> Result<()> {
        for width in WIDTHS {
            let direct = EnsembleSpec {
                nets: self.scale.falloff,
                orders: (1..=6).collect(),
                ..self.preset(net, 1)?.with_width(width)
            };
            let kind = Kind::Width {
                name: net.width_name(width),
                connected: connected_spec(&direct, true)?,
                direct,
            };
            self.push(format!("falloff {} N = {width}", net.name()), kind);
        }
        Ok(())
    }

    fn couplings(&mut self, net: &'static SourceNet) -> Result<()> {
        for d_in in DIMENSIONS {
            let direct = EnsembleSpec {
                nets: self.scale.couplings,
                ..self.preset(net, d_in)?.with_width(net.eft_width())
            };
            let connected = EnsembleSpec {
                nets: self.scale.connected,
                estimator: Estimator::Connected,
                tilt: tilt(&direct),
                ..direct.clone()
            };
            for (origin, spec) in [
                (Origin::Exact, &direct),
                (Origin::Connected, &connected),
                (Origin::Direct, &direct),
            ] {
                let title = format!("couplings {}-d{d_in}-{}", net.name(), origin.name());
                let kind = Kind::Couplings {
                    name: net.couplings_name(d_in, origin),
                    flow_name: net.flow_name(d_in, origin),
                    spec: spec.clone(),
                    is_exact: origin == Origin::Exact,
                    cutoffs: &CUTOFFS,
                };
                self.push(title, kind);
            }
            if net.weight_flow {
                let kind = Kind::Flow {
                    name: net.weight_flow_name(d_in),
                    spec: direct.clone(),
                    vertex: Vertex::Weight,
                    cutoffs: CUTOFFS.to_vec(),
                };
                self.push(format!("flow {}-d{d_in}-weight", net.name()), kind);
            }
            if d_in == 1 {
                let kind = Kind::Flow {
                    name: net.fixed_points_name(),
                    spec: direct,
                    vertex: Vertex::Full,
                    cutoffs: (-8..=10).map(|k| 10f64.powf(0.5 * f64::from(k))).collect(),
                };
                self.push(format!("flow {}-fixed-points", net.name()), kind);
            }
        }
        Ok(())
    }

    fn symmetry(&mut self, net: &'static SourceNet) -> Result<()> {
        let couplings = EnsembleSpec {
            nets: self.scale.symmetry,
            experiments: 100,
            orders: vec![2, 4],
            estimator: Estimator::Connected,
            tilt: tilt(&self.preset(net, 1)?),
            ..self.preset(net, 1)?.with_width(net.eft_width())
        };
        let kind = Kind::Symmetry {
            name: net.symmetry_name(),
            plan: symmetry::Plan::new(couplings, &OUTPUTS)?,
        };
        self.push(format!("symmetry {}", net.name()), kind);
        Ok(())
    }

    fn fits(&mut self, net: &'static SourceNet) -> Result<()> {
        let fit = &net.entry().fit;
        let mut spec = EnsembleSpec {
            inputs: Inputs::parse(&fit.inputs)?,
            nets: self.scale.connected,
            orders: vec![4],
            estimator: Estimator::Connected,
            ..self.preset(net, 1)?.with_width(fit.width)
        };
        spec.tilt = tilt(&spec);
        for origin in [Origin::Exact, Origin::Connected] {
            let kind = Kind::Fit {
                name: net.fit_name(origin),
                spec: spec.clone(),
                is_exact: origin == Origin::Exact,
                cutoff: fit.cutoff,
            };
            self.push(format!("fits {}-{}", net.name(), origin.name()), kind);
        }
        Ok(())
    }

    fn training(&mut self, net: &'static SourceNet) -> Result<()> {
        let Some(training) = &net.training else {
            return Ok(());
        };
        let ensemble = EnsembleSpec {
            nets: self.scale.training,
            experiments: 1,
            ..self.preset(net, 1)?
        };
        let ensemble = ensemble.with_inputs(Inputs::parse(&training.inputs)?);
        let data = TrainingData::parse(&training.data)?;
        let mut spec = TrainSpec::new(ensemble, data, training.steps.clone());
        spec.ensemble.orders = vec![1, 2];
        spec.rate = Some(training.rate);
        let sweep = (training.widths.iter())
            .map(|&width| spec.clone().with_width(width).validate())
            .collect::<Result<_>>()?;
        let kind = Kind::Train {
            name: net.training_name(),
            sweep,
        };
        self.push(format!("training {}", net.name()), kind);
        Ok(())
    }
}

/// Nanoseconds that two cores need for a hidden unit, at one data point, in one step of its training: right to a factor of
/// two.
const WORK_OF_STEP: f64 = 5.0;

/// Estimates the work of so many networks of one of the source's nets, in nanoseconds: right to a
/// factor of two, which is what a remaining time needs.
pub fn work(spec: &EnsembleSpec, networks: u64, on_gpu: bool) -> u64 {
    let is_of = |net: &&SourceNet| spec.net.name() == Some(net.name());
    let net = source().nets.iter().find(is_of);
    let per_unit = net.map_or(0.0, |net| if on_gpu { net.work.gpu } else { net.work.cpu });
    let per_network = match spec.estimator {
        Estimator::Connected => 3000.0,
        Estimator::Direct => 700.0,
    };
    let of_a_thousand = (1000.0 * (per_unit * spec.net.width() as f64 + per_network)) as u64;
    of_a_thousand * networks / 1000
}

/// Estimates the work of a training, in nanoseconds.
fn work_of_training(spec: &TrainSpec) -> u64 {
    let steps = spec.steps.last().copied().unwrap_or(0);
    let units = spec.ensemble.networks() * spec.ensemble.net.units();
    (WORK_OF_STEP * (units * steps * spec.data.len() as u64) as f64) as u64
}

impl Task {
    /// Estimates the work of the task, in nanoseconds.
    pub fn work(&self, on_gpu: bool) -> u64 {
        let of = |spec: &EnsembleSpec| work(spec, spec.networks(), on_gpu);
        match &self.kind {
            Kind::Width {
                direct, connected, ..
            } => of(direct) + connected.as_ref().map_or(0, of),
            Kind::Couplings {
                is_exact: false,
                spec,
                ..
            } => of(spec),
            Kind::Symmetry { plan, .. } => plan.ensembles().map(of).sum(),
            Kind::Fit {
                is_exact: false,
                spec,
                ..
            } => 2 * of(spec),
            Kind::Train { sweep, .. } => sweep.iter().map(work_of_training).sum(),
            // Quadrature.
            Kind::Couplings { is_exact: true, .. }
            | Kind::Flow { .. }
            | Kind::Fit { is_exact: true, .. } => 300_000_000,
        }
    }

    /// Takes the documents that an earlier run has finished, if they are of this plan.
    pub fn load(&self, folder: &Folder) -> Option<Vec<(String, Document)>> {
        match &self.kind {
            Kind::Width {
                name,
                direct,
                connected,
            } => {
                let document = folder.read(name, |d: &FalloffDocument| {
                    d.head.is_of(direct) && d.connected_spec == *connected
                })?;
                Some(vec![(name.clone(), Document::Falloff(document))])
            }
            Kind::Couplings {
                name,
                flow_name,
                spec,
                ..
            } => {
                let eft = folder.read(name, |d: &EftDocument| d.head.is_of(spec))?;
                let flow = folder.read(flow_name, |d: &RgDocument| d.head.is_of(spec))?;
                Some(vec![
                    (name.clone(), Document::Eft(eft)),
                    (flow_name.clone(), Document::Flow(flow)),
                ])
            }
            Kind::Flow {
                name,
                spec,
                vertex,
                cutoffs,
            } => {
                let document = folder.read(name, |d: &RgDocument| {
                    let same = (d.flow.points.iter().map(|p| &p.cutoff)).eq(cutoffs);
                    d.head.is_of(spec) && d.vertex == *vertex && same
                })?;
                Some(vec![(name.clone(), Document::Flow(document))])
            }
            Kind::Symmetry { name, plan } => {
                let document = folder.read(name, |d: &SymmetryDocument| {
                    d.head.is_of(&plan.couplings) && d.ensembles == plan.tests
                })?;
                Some(vec![(name.clone(), Document::Symmetry(document))])
            }
            Kind::Train { name, sweep } => {
                let document = folder.read(name, |d: &TrainDocument| {
                    let widths = sweep.iter().map(|spec| spec.ensemble.net.width());
                    d.head.is_of(&sweep[0]) && d.widths.iter().map(|w| w.width).eq(widths)
                })?;
                Some(vec![(name.clone(), Document::Train(document))])
            }
            Kind::Fit { name, spec, .. } => {
                let document = folder.read(name, |d: &EftDocument| d.head.is_of(spec))?;
                Some(vec![(name.clone(), Document::Eft(document))])
            }
        }
    }
}
