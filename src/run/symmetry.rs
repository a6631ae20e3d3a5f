//! This module tests SO(d_out) on ensembles with several outputs, and follows the coupling over
//! d_out.

use std::time::Instant;

use super::Runner;
use super::{CouplingRow, Head, Source, SymmetryDocument, Timing};
use crate::Result;
use crate::analysis::{
    Interactions, OutputCoupling, Samples, SymmetryCheck, Unconverged, check_experiments,
    check_interacting, check_one_hidden_layer, check_range, correlators_beside, output_couplings,
    symmetry_breaking, symmetry_checks, test_points,
};
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::model::{EnsembleSpec, Estimator, Inputs};
use crate::plan::Plan as Compiled;
use crate::theory::{
    Exact, LoopIntegrals, Values, Vertex, VertexIntegrals, loop_integrals, vertex_integrals,
};

/// A plan lists the ensembles of one width.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Ensemble of one output for the couplings: the connected 4-point function does not depend on
    /// d_out.
    pub couplings: EnsembleSpec,
    /// Ensembles of the tests, one for each d_out.
    pub tests: Vec<EnsembleSpec>,
}

impl Plan {
    /// Plans the tests of `outputs` beside an ensemble of one output.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] if a spec is out of range, has no interaction or too few
    /// experiments.
    pub fn new(couplings: EnsembleSpec, outputs: &[usize]) -> Result<Self> {
        let tests = outputs.iter().map(|&d_out| test_spec(&couplings, d_out));
        let plan = Self {
            tests: tests.collect::<Result<_>>()?,
            couplings,
        };
        for spec in plan.ensembles() {
            check_one_hidden_layer(spec)?;
            check_range(spec)?;
            check_interacting(spec)?;
            check_experiments(spec)?;
        }
        Ok(plan)
    }

    /// Lists all ensembles of the plan, that of the couplings last.
    pub fn ensembles(&self) -> impl Iterator<Item = &EnsembleSpec> {
        self.tests.iter().chain([&self.couplings])
    }

    /// Lists the number of outputs of each test.
    pub fn outputs(&self) -> Vec<usize> {
        self.tests.iter().map(|spec| spec.net.d_out()).collect()
    }

    /// Counts the networks of all ensembles.
    pub fn networks(&self) -> u64 {
        self.ensembles().map(EnsembleSpec::networks).sum()
    }
}

/// Makes the direct ensemble that symmetries are tested on.
fn test_spec(spec: &EnsembleSpec, d_out: usize) -> Result<EnsembleSpec> {
    let points = test_points(spec.inputs.len(), d_out);
    let kept = points.iter().map(|&p| spec.inputs.points()[p].clone());
    EnsembleSpec {
        inputs: Inputs::new(kept.collect())?,
        orders: vec![2, 4],
        estimator: Estimator::Direct,
        tilt: None,
        ..spec.clone().with_d_out(d_out)
    }
    .validate()
}

/// A scheme says how couplings are defined, and what is known of them: the same at every width.
pub struct Scheme {
    vertex: Vertex,
    integrals: VertexIntegrals,
    loops: LoopIntegrals,
    outputs: Vec<usize>,
    neurons: Exact,
}

impl Scheme {
    /// Defines the couplings of a net at these inputs and one cutoff, for several numbers of
    /// outputs.
    ///
    /// # Errors
    /// Those of [`vertex_integrals`] and of [`loop_integrals`].
    pub fn new(
        spec: &EnsembleSpec,
        vertex: Vertex,
        cutoff: f64,
        outputs: &[usize],
    ) -> Result<Self> {
        Ok(Self {
            vertex,
            integrals: vertex_integrals(spec, vertex, &[cutoff])?.remove(0),
            loops: loop_integrals(spec, vertex, cutoff)?,
            outputs: outputs.to_vec(),
            neurons: Exact::new(&EnsembleSpec {
                orders: vec![4],
                ..spec.clone()
            }),
        })
    }

    fn couplings(&self, spec: &EnsembleSpec, four: &Samples) -> Result<Vec<OutputCoupling>> {
        let points = spec.inputs.len();
        let is_symmetric = spec.net.has_gaussian_readout();
        let (vertex, loops, outputs) = (&self.integrals, &self.loops, &self.outputs);
        output_couplings(points, four, vertex, loops, outputs, is_symmetric)
    }

    fn exact_four(&self, spec: &EnsembleSpec) -> Samples {
        Interactions::exact_four(spec, &self.neurons.at_width(spec.net.width()))
    }

    fn document(
        &self,
        head: Head,
        couplings: Vec<CouplingRow>,
        ensembles: &[EnsembleSpec],
    ) -> SymmetryDocument {
        SymmetryDocument {
            head,
            vertex: self.vertex,
            cutoff: self.integrals.cutoff,
            couplings,
            checks: Vec::new(),
            breaking: Vec::new(),
            ensembles: ensembles.to_vec(),
            notes: Vec::new(),
        }
    }
}

/// Draws the ensembles of one width, tests their symmetry and measures the couplings.
///
/// # Errors
/// Those of [`Runner::draw`], of [`symmetry_checks`] and of [`output_couplings`].
pub fn sampled(runner: &mut Runner, plan: &Plan, scheme: &Scheme) -> Result<SymmetryDocument> {
    runner.drawing(plan.networks(), |runner| draw(runner, plan, scheme))
}

fn draw(runner: &mut Runner, plan: &Plan, scheme: &Scheme) -> Result<SymmetryDocument> {
    let start = Instant::now();
    let mut compile_s = 0.0;
    let mut draw = |spec: &EnsembleSpec| {
        let compiled = Compiled::new(spec.clone())?;
        let (moments, timing) = runner.draw(&compiled)?;
        compile_s += timing.compile_s.unwrap_or(0.0);
        let exact = Exact::with_kernel(compiled.spec(), compiled.kernel().clone());
        let values = Values::Exact(exact.clone());
        let correlators = correlators_beside(&values, &compiled, &moments)?;
        Ok::<_, crate::Error>((compiled, exact, moments, correlators))
    };
    let mut checks: Vec<SymmetryCheck> = Vec::new();
    let (mut breaking, mut notes) = (Vec::new(), Vec::new());
    for spec in &plan.tests {
        let (compiled, exact, moments, correlators) = draw(spec)?;
        // What to do about it is left out: the tests are of the direct estimator.
        let unconverged: Vec<String> = (correlators.iter())
            .filter_map(|c| Some(format!("{}-point function, {}", c.order, c.why.as_ref()?)))
            .collect();
        let weak = |reason| format!("weak test at d_out = {}: {reason}", spec.net.d_out());
        notes.extend(unconverged.iter().map(weak));
        let reason = unconverged.last().map(String::as_str);
        checks.extend(symmetry_checks(&compiled, &exact, &moments, reason)?);
        breaking.extend(symmetry_breaking(&compiled, &exact, &moments)?);
    }
    let spec = &plan.couplings;
    let (_, _, _, correlators) = draw(spec)?;
    let measured = Interactions::measured(spec, &correlators).expect("order 4 is measured");
    let rows = (scheme.couplings(spec, &measured.four)?.into_iter())
        .zip(scheme.couplings(spec, &scheme.exact_four(spec))?)
        .map(|(coupling, exact)| CouplingRow {
            coupling,
            lambda_tree_exact: exact.lambda_tree,
            lambda_one_loop_exact: exact.lambda_one_loop,
        });
    let all = EnsembleSpec {
        nets: plan.networks(),
        experiments: 1,
        ..spec.clone()
    };
    let timing = Timing::new(&all, start.elapsed().as_secs_f64() - compile_s).after(compile_s);
    let unconverged = Unconverged::of(&correlators).into_iter();
    let source = Source::sampled(unconverged.map(|u| u.under("couplings")).collect());
    let device = runner.device();
    let head = Head::new(
        SymmetryDocument::COMMAND,
        spec.clone(),
        device,
        timing,
        source,
    );
    Ok(SymmetryDocument {
        checks,
        breaking,
        notes,
        ..scheme.document(head, rows.collect(), &plan.tests)
    })
}

/// Calculates the couplings of exact moments; there is nothing to test.
///
/// # Errors
/// Those of [`output_couplings`].
pub fn exact(spec: &EnsembleSpec, scheme: &Scheme) -> Result<SymmetryDocument> {
    let start = Instant::now();
    let four = scheme.exact_four(spec);
    let rows = (scheme.couplings(spec, &four)?.into_iter()).map(|coupling| CouplingRow {
        lambda_tree_exact: coupling.lambda_tree,
        lambda_one_loop_exact: coupling.lambda_one_loop,
        coupling,
    });
    let timing = Timing::theory(start.elapsed().as_secs_f64());
    let device = CpuEngine::new().device();
    let head = Head::new(
        SymmetryDocument::COMMAND,
        spec.clone(),
        device,
        timing,
        Source::exact(),
    );
    Ok(scheme.document(head, rows.collect(), &[]))
}
