//! A reproduction measures by the functions of the other commands.

use nnqft_gpu::Result;
use nnqft_gpu::analysis;
use nnqft_gpu::engine::{DeviceInfo, Engine};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::report::{EftDocument, FalloffDocument, RgDocument, SymmetryDocument};
use nnqft_gpu::reproduction::{Measurements, Progress, Settings};
use nnqft_gpu::theory::{Exact, Vertex, loop_integrals, vertex_integrals};

use super::options::{CUTOFFS, Moment};
use super::{eft, falloff, symmetry};

/// The source has these settings.
pub const SETTINGS: Settings = Settings {
    cutoffs: &CUTOFFS,
    symmetry_test: symmetry::test_spec,
};

/// This engine makes the measurements.
pub struct Measuring<'a>(pub &'a mut dyn Engine);

impl Measuring<'_> {
    fn moment(
        &mut self,
        spec: &EnsembleSpec,
        is_exact: bool,
        progress: Progress,
    ) -> Result<Moment> {
        match is_exact {
            true => Ok(Moment::exact(spec.clone(), &Moment::neurons(spec))),
            false => Moment::sampled(self.0, spec.clone(), &Exact::new(spec), &|n| {
                progress(spec, n);
            }),
        }
    }
}

impl Measurements for Measuring<'_> {
    fn device(&self) -> DeviceInfo {
        self.0.device()
    }

    fn width(
        &mut self,
        direct: &EnsembleSpec,
        connected: Option<&EnsembleSpec>,
        progress: Progress,
    ) -> Result<FalloffDocument> {
        let ensembles = (direct.clone(), connected.cloned());
        falloff::measure(self.0, &[ensembles], progress)
    }

    fn couplings(
        &mut self,
        spec: &EnsembleSpec,
        is_exact: bool,
        cutoffs: &[f64],
        progress: Progress,
    ) -> Result<(EftDocument, RgDocument)> {
        let moment = self.moment(spec, is_exact, progress)?;
        let (vertex, interactions) = (Vertex::Full, &moment.interactions);
        let flow = RgDocument {
            head: moment.head("nnqft.rg/1"),
            vertex,
            flow: analysis::flow(spec, vertex, cutoffs, &interactions.four)?,
        };
        let couplings = EftDocument {
            train_unconverged: Vec::new(),
            head: moment.head("nnqft.eft/1"),
            vertex,
            cutoffs: eft::measure(spec, interactions, vertex, cutoffs)?,
            fits: Vec::new(),
        };
        Ok((couplings, flow))
    }

    fn flow(&mut self, spec: &EnsembleSpec, vertex: Vertex, cutoffs: &[f64]) -> Result<RgDocument> {
        let moment = Moment::exact(spec.clone(), &Moment::neurons(spec));
        Ok(RgDocument {
            head: moment.head("nnqft.rg/1"),
            vertex,
            flow: analysis::flow(spec, vertex, cutoffs, &moment.interactions.four)?,
        })
    }

    fn symmetry(
        &mut self,
        couplings: &EnsembleSpec,
        tests: &[EnsembleSpec],
        cutoff: f64,
        progress: Progress,
    ) -> Result<SymmetryDocument> {
        let vertex = Vertex::Full;
        let integrals = vertex_integrals(couplings, vertex, &[cutoff])?.remove(0);
        let loops = loop_integrals(couplings, vertex, cutoff)?;
        let outputs: Vec<usize> = tests.iter().map(|spec| spec.net.d_out()).collect();
        let at = symmetry::Vertices(&integrals, &loops, &outputs);
        let plan = symmetry::Plan {
            couplings: couplings.clone(),
            tests: tests.to_vec(),
        };
        symmetry::sampled(self.0, &plan, &Exact::new(couplings), vertex, at, progress)
    }

    fn fit(
        &mut self,
        spec: &EnsembleSpec,
        is_exact: bool,
        cutoff: f64,
        progress: Progress,
    ) -> Result<EftDocument> {
        let train = EnsembleSpec {
            inputs: eft::train_inputs(&spec.inputs)?,
            ..spec.clone()
        };
        let test = self.moment(spec, is_exact, progress)?;
        let train = self.moment(&train, is_exact, progress)?;
        let vertex = Vertex::Weight;
        Ok(EftDocument {
            train_unconverged: Vec::new(),
            fits: eft::fit(&train, &test, vertex, cutoff)?,
            head: test.head("nnqft.eft/1"),
            vertex,
            cutoffs: Vec::new(),
        })
    }
}
