use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use nnqft_gpu::analysis::{Interactions, Unconverged, check_flow};
use nnqft_gpu::model::{CatalogueEntry, EnsembleSpec};
use nnqft_gpu::report::read_moments;
use nnqft_gpu::run::{self, EngineChoice, EnsembleDocument, Moments, Sweep};
use nnqft_gpu::theory::{Vertex, check_cutoffs};
use nnqft_gpu::{Error, Result};
use pyo3::prelude::*;

use crate::given::{Given, Points};
use crate::outcome::Document;
use crate::run::{Run, Session};

/// Where the moments come from: an ensemble that is there, a folder that has one, or what is given.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Source {
    ensemble: Option<Py<Document>>,
    folder: Option<PathBuf>,
    given: Option<Given>,
    moments: String,
    vertex: String,
    cutoffs: Option<Vec<f64>>,
}

/// The same, away from Python.
struct Couplings {
    from: From,
    vertex: String,
    cutoffs: Option<Vec<f64>>,
}

enum From {
    Ensemble(Arc<EnsembleDocument>),
    Folder(PathBuf),
    Sampled(Given),
    Exact(Given),
}

impl Source {
    fn couplings(self) -> Result<Couplings> {
        let known = (self.ensemble.as_ref()).and_then(|d| d.get().ensemble().cloned());
        let from = match (known, self.folder, self.given, self.moments.as_str()) {
            (Some(document), ..) => From::Ensemble(document),
            (None, Some(folder), ..) => From::Folder(folder),
            (None, None, Some(given), "sampled") => From::Sampled(given),
            (None, None, Some(given), "exact") => From::Exact(given),
            (None, None, Some(_), other) => {
                return Err(Error::invalid(
                    "moments",
                    format!("'{other}'"),
                    "use sampled or exact",
                ));
            }
            (None, None, None, _) => {
                return Err(Error::invalid("net", "None", "give a net, or an ensemble"));
            }
        };
        Ok(Couplings {
            from,
            vertex: self.vertex,
            cutoffs: self.cutoffs,
        })
    }
}

impl Couplings {
    fn vertex(&self) -> Result<Vertex> {
        self.vertex.parse()
    }

    fn cutoffs(&self) -> Vec<f64> {
        (self.cutoffs.clone()).unwrap_or_else(|| run::CUTOFFS.to_vec())
    }

    /// Returns the same with other points; an ensemble that is there has its own.
    fn at(&self, x: Points) -> Result<Self> {
        let at = |given: &Given| Given {
            x: Some(x),
            ..given.clone()
        };
        let from = match &self.from {
            From::Sampled(given) => From::Sampled(at(given)),
            From::Exact(given) => From::Exact(at(given)),
            From::Ensemble(_) | From::Folder(_) => {
                let reason = "a fit draws two ensembles, to train it and to test it; give a net";
                return Err(Error::invalid("net", "with an ensemble", reason));
            }
        };
        Ok(Self {
            from,
            vertex: self.vertex.clone(),
            cutoffs: self.cutoffs.clone(),
        })
    }

    /// Decides where the moments come from; all that can be refused is refused now.
    fn sweep(
        &self,
        session: &Arc<Session>,
        check: impl Fn(&EnsembleSpec) -> Result<()>,
    ) -> Result<Sweep> {
        let start = Instant::now();
        let drawn = |spec: EnsembleSpec, interactions, unconverged| {
            Moments::check(&spec, true)?;
            check(&spec)?;
            let seconds = start.elapsed().as_secs_f64();
            let moments = Moments::drawn(spec, interactions, unconverged, seconds)?;
            Ok(Sweep::Known(Box::new(moments)))
        };
        let sweep = match &self.from {
            From::Ensemble(document) => {
                let spec = document.head.spec.clone();
                Moments::check(&spec, true)?;
                let interactions = Interactions::measured(&spec, &document.correlators)
                    .expect("the orders that are needed are there");
                return drawn(spec, interactions, Unconverged::of(&document.correlators));
            }
            From::Folder(folder) => {
                let (spec, interactions, unconverged) = read_moments(folder)?;
                return drawn(spec, interactions, unconverged);
            }
            From::Sampled(given) => Sweep::sampled(vec![given.spec(&**session)?])?,
            From::Exact(given) => Sweep::exact(vec![given.model()?])?,
        };
        sweep.specs().iter().try_for_each(check)?;
        Ok(sweep)
    }

    fn moments(&self, session: &Arc<Session>, sweep: Sweep) -> Result<Moments> {
        let choice = match &self.from {
            From::Sampled(given) => given.engine()?.averaging(sweep.specs()),
            From::Ensemble(_) | From::Folder(_) | From::Exact(_) => EngineChoice::cpu(),
        };
        let mut runner = session.runner(&choice, None)?;
        Ok(sweep.moments(&mut runner)?.remove(0))
    }
}

/// Measures the quartic coupling, and predicts the 6-point function.
#[pyfunction]
pub fn eft(source: Source) -> Run {
    let couplings = source.couplings();
    Run::start(move |session| {
        let couplings = couplings?;
        let (vertex, cutoffs) = (couplings.vertex()?, couplings.cutoffs());
        let sweep = couplings.sweep(session, |spec| check_cutoffs(spec, vertex, &cutoffs))?;
        let moments = couplings.moments(session, sweep)?;
        Ok(Document::new(run::eft(&moments, vertex, &cutoffs)?).into())
    })
}

/// Fits the coupling as a function of the points: at a net's points, trained on these over sqrt(2).
#[pyfunction]
pub fn fit(source: Source) -> Run {
    let couplings = source.couplings();
    Run::start(move |session| {
        let couplings = couplings?;
        let given = match &couplings.from {
            From::Sampled(given) | From::Exact(given) => Some(given),
            From::Ensemble(_) | From::Folder(_) => None,
        };
        let name = given.and_then(|given| given.net.as_ref()?.model.name());
        let source = match name {
            Some(name) => &CatalogueEntry::find(name)?.fit,
            None => &CatalogueEntry::all()[0].fit,
        };
        let cutoff = match couplings.cutoffs.as_deref() {
            None => source.cutoff,
            Some(&[cutoff]) => cutoff,
            Some(several) => {
                let value = format!("with {} values", several.len());
                return Err(Error::invalid("cutoffs", value, "a fit uses one cutoff").into());
            }
        };
        let vertex = couplings.vertex()?;
        let check = |spec: &EnsembleSpec| check_cutoffs(spec, vertex, &[cutoff]);
        let test = match given.is_some_and(|given| given.x.is_some()) {
            true => couplings,
            false => couplings.at(Points::Name(source.inputs.clone()))?,
        };
        let tested = test.sweep(session, check)?;
        let inputs = tested.inputs().expect("one width");
        let train = test.at(Points::Rows(run::train_inputs(inputs)?.points().to_vec()))?;
        let trained = train.sweep(session, check)?;
        let [tested, trained] = [
            test.moments(session, tested)?,
            train.moments(session, trained)?,
        ];
        Ok(Document::new(run::fit(&trained, &tested, vertex, cutoff)?).into())
    })
}

/// Follows the coupling over the cutoffs.
#[pyfunction]
pub fn rg(source: Source) -> Run {
    let couplings = source.couplings();
    Run::start(move |session| {
        let couplings = couplings?;
        let (vertex, cutoffs) = (couplings.vertex()?, couplings.cutoffs());
        let sweep = couplings.sweep(session, |spec| check_flow(spec, vertex, &cutoffs))?;
        let moments = couplings.moments(session, sweep)?;
        Ok(Document::new(run::rg(&moments, vertex, &cutoffs)?).into())
    })
}
