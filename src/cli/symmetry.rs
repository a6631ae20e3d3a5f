//! `nnqft-gpu symmetry`

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use nnqft_gpu::analysis::{
    self, Interactions, Samples, SymmetryCheck, Unconverged, check_experiments, output_couplings,
    symmetry_checks, test_points,
};
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::report::{
    CouplingRow, Head, Source, SymmetryDocument, Timing, symmetry_figure, symmetry_table,
};
use nnqft_gpu::theory::{
    Exact, LoopIntegrals, Vertex, VertexIntegrals, check_loop_cutoff, loop_integrals,
    vertex_integrals,
};
use nnqft_gpu::{Error, Result};

use super::options::{
    EXACT_MOMENTS, EngineOptions, ModelOptions, Moments, SamplingOptions, cutoff,
};
use super::output::{OutputOptions, PlotOptions};
use super::progress::Progress;
use super::verdict::must_rest_on;
use super::{compiling, emit};

/// Test SO(d_out) on ensembles with several outputs, and follow the coupling over d_out
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu symmetry --arch relu --width 20 --d-out 1,2,4,8
         nnqft-gpu symmetry --arch erf --moments exact --d-out 1,2,4,8,16,32 --json

Checks, for each d_out, on a direct ensemble of orders 2 and 4 at as many of the points as
16 fields allow (4012 elements): exact (all elements against their exact values), unpaired
(correlators whose outputs do not pair vanish), rotation (random rotations of the outputs
change nothing), placements (connected iijj over its three placements is iiii). A check
passes at a p-value of 1e-4 or more; one that fails on an ensemble that has not converged is
undecided (exit code 1, like every result that is not to be relied on). With --moments exact there is nothing to test.
Couplings: connected estimator, all points."
)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    /// Moments that the couplings are measured on; exact draws no networks at all
    #[arg(long, value_enum, default_value = "sampled")]
    moments: Moments,
    /// Lines into the vertex: full (K) or weight (K - sigma_b^2)
    #[arg(long, default_value = "full")]
    vertex: String,
    /// The cutoff L of the box [-L, L]^d_in
    #[arg(long, default_value = "100", allow_hyphen_values = true)]
    cutoffs: String,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    plot: PlotOptions,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let vertex: Vertex = arguments.vertex.parse()?;
    if arguments.cutoffs.contains(',') {
        let given = format!("'{}'", arguments.cutoffs);
        return Err(
            Error::invalid("--cutoffs", given, "symmetry uses one cutoff, a number").into(),
        );
    }
    let cutoff = cutoff(&arguments.cutoffs)?;
    let (plan, d_outs) = plan(arguments)?;
    for spec in &plan {
        check_loop_cutoff(&spec.couplings, vertex, cutoff)?;
    }
    let mut files = (arguments.output).prepare(Some(&arguments.plot), None)?;
    files.expect_figures(plan.len())?;
    let mut engine = match arguments.moments {
        Moments::Sampled => Some(arguments.engine.engine()?),
        Moments::Exact => None,
    };
    // Vertices do not depend on the width.
    let first = &plan[0].couplings;
    let vertices = vertex_integrals(first, vertex, &[cutoff])?.remove(0);
    let loops = loop_integrals(first, vertex, cutoff)?;
    let neurons = Exact::new(&EnsembleSpec {
        orders: vec![4],
        ..first.clone()
    });
    let mut documents = Vec::new();
    for width in &plan {
        let exact = neurons.at_width(width.couplings.width);
        let at = Vertices(&vertices, &loops, &d_outs);
        let document = match &mut engine {
            Some(engine) => {
                let bar = Progress::new(width.networks(), 0);
                let document = sampled(engine.as_mut(), width, &exact, vertex, at, &|_, n| {
                    bar.inc(n)
                });
                bar.finish();
                document?
            }
            None => from_theory(width, &exact, vertex, at)?,
        };
        if !arguments.output.json {
            emit(&symmetry_table(&document))?;
        }
        documents.push(document);
    }
    files.documents("symmetry.json", &documents)?;
    let figures: Vec<_> = (documents.iter())
        .map(|d| symmetry_figure(d, documents.len()))
        .collect();
    files.figures(&figures)?;
    files.finish()?;
    let failed: Vec<String> = (documents.iter())
        .flat_map(|d| d.checks.iter().filter(|c| c.pass == Some(false)))
        .map(|c| format!("{} at d_out = {}", c.name, c.d_out))
        .collect();
    if !failed.is_empty() {
        return Err(Error::Symmetry(failed.join(", ")).into());
    }
    let reasons = documents.iter().flat_map(|d| &d.head.source.unconverged);
    let unmeasured = documents.iter().filter_map(SymmetryDocument::unmeasured);
    let reasons = reasons.map(ToString::to_string).chain(unmeasured);
    let reasons: Vec<String> = reasons.collect();
    must_rest_on(&reasons, Some(EXACT_MOMENTS))?;
    let undecided: Vec<String> = (documents.iter().flat_map(|d| &d.checks))
        .filter_map(|c| {
            let reason = c.reason.as_ref()?;
            let check = format!("{} at d_out = {}", c.name, c.d_out);
            Some(format!("{check} is undecided, {reason}"))
        })
        .collect();
    must_rest_on(&undecided, None)?;
    Ok(())
}

/// The ensembles of one width.
pub struct Plan {
    /// One output: the connected 4-point function does not depend on d_out.
    pub couplings: EnsembleSpec,
    /// One for each d_out.
    pub tests: Vec<EnsembleSpec>,
}

impl Plan {
    /// Networks of all ensembles.
    pub fn networks(&self) -> u64 {
        let networks = |spec: &EnsembleSpec| spec.nets * u64::from(spec.experiments);
        (self.tests.iter().chain([&self.couplings]))
            .map(networks)
            .sum()
    }
}

/// Vertex and loop integrals, and the outputs to follow.
#[derive(Clone, Copy)]
pub struct Vertices<'a>(
    pub &'a VertexIntegrals,
    pub &'a LoopIntegrals,
    pub &'a [usize],
);

impl Vertices<'_> {
    fn couplings(
        self,
        spec: &EnsembleSpec,
        four: &Samples,
    ) -> Result<Vec<analysis::OutputCoupling>> {
        output_couplings(spec.inputs.len(), four, self.0, self.1, self.2)
    }
}

fn plan(arguments: &Arguments) -> Result<(Vec<Plan>, Vec<usize>)> {
    let model = arguments.model.clone().or_width(|arch| arch.eft_width())?;
    let model = model.only_orders(&[2, 4], "symmetry measures orders 2 and 4")?;
    let sampling = &arguments.sampling;
    let sampled = arguments.moments == Moments::Sampled;
    let mut d_outs = Vec::new();
    let mut tests: Vec<Vec<EnsembleSpec>> = Vec::new();
    let one = model.clone().with_d_out(1);
    let couplings = match sampled {
        true => sampling.specs_or(&one, ["1e4", "100", "connected"])?,
        false => one.specs()?,
    };
    for model in model.each_d_out(&[1, 2, 4, 8]) {
        let d_out = model.d_out()?;
        d_outs.push(d_out);
        if sampled {
            let of = |spec: &EnsembleSpec| test_spec(spec, d_out);
            tests.push(couplings.iter().map(of).collect::<Result<_>>()?);
        }
    }
    let plans = couplings
        .into_iter()
        .enumerate()
        .map(|(k, couplings)| Plan {
            tests: tests.iter().map(|widths| widths[k].clone()).collect(),
            couplings,
        });
    let plans: Vec<Plan> = plans.collect();
    for spec in plans
        .iter()
        .flat_map(|p| p.tests.iter().chain([&p.couplings]))
    {
        analysis::check_range(spec)?;
        analysis::check_interacting(spec)?;
        if sampled {
            check_experiments(spec)?;
        }
    }
    Ok((plans, d_outs))
}

/// The direct ensemble that symmetries are tested on.
pub fn test_spec(spec: &EnsembleSpec, d_out: usize) -> Result<EnsembleSpec> {
    let points = test_points(spec.inputs.len(), d_out);
    let kept = points.iter().map(|&p| spec.inputs.points()[p].clone());
    EnsembleSpec {
        inputs: Inputs::new(kept.collect())?,
        d_out,
        orders: vec![2, 4],
        estimator: Estimator::Direct,
        tilt: None,
        ..spec.clone()
    }
    .validate()
}

pub fn sampled(
    engine: &mut dyn Engine,
    plan: &Plan,
    exact: &Exact,
    vertex: Vertex,
    at: Vertices,
    progress: &(dyn Fn(&EnsembleSpec, u64) + Sync),
) -> Result<SymmetryDocument> {
    let start = Instant::now();
    let mut compile_s = 0.0;
    let mut draw = |spec: &EnsembleSpec| {
        compile_s += compiling::prepare(engine, spec, &AtomicBool::new(false))?;
        engine::run(engine, spec, &|n| progress(spec, n))
    };
    let mut checks: Vec<SymmetryCheck> = Vec::new();
    let mut notes = Vec::new();
    for spec in &plan.tests {
        let moments = draw(spec)?;
        let correlators = analysis::correlators(spec, &moments)?;
        let unconverged: Vec<String> = (correlators.iter())
            .filter_map(|c| {
                let (n, reason) = (c.order, c.reason.as_ref()?);
                let reason = reason.split(';').next().unwrap_or(reason);
                Some(format!("{n}-point function, {reason}"))
            })
            .collect();
        let weak = |reason| format!("weak test at d_out = {}: {reason}", spec.d_out);
        notes.extend(unconverged.iter().map(weak));
        let reason = unconverged.last().map(String::as_str);
        checks.extend(symmetry_checks(spec, &moments, reason)?);
    }
    let spec = &plan.couplings;
    let correlators = analysis::correlators(spec, &draw(spec)?)?;
    let unconverged = Unconverged::of(&correlators).into_iter();
    let measured = Interactions::measured(&correlators).expect("order 4 is measured");
    let exact = Interactions::exact_four(spec, exact);
    let rows = (at.couplings(spec, &measured.four)?.into_iter())
        .zip(at.couplings(spec, &exact)?)
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
    let sampling_s = start.elapsed().as_secs_f64() - compile_s;
    let timing = Timing::new(&all, sampling_s).after(compile_s);
    let source = Source {
        moments: "sampled".into(),
        unconverged: unconverged.map(|u| u.under("couplings")).collect(),
    };
    Ok(SymmetryDocument {
        vertex,
        cutoff: at.0.cutoff,
        couplings: rows.collect(),
        checks,
        ensembles: plan.tests.clone(),
        notes,
        head: Head::new(
            "nnqft.symmetry/1",
            spec.clone(),
            engine.device(),
            timing,
            source,
        ),
    })
}

fn from_theory(
    plan: &Plan,
    exact: &Exact,
    vertex: Vertex,
    at: Vertices,
) -> Result<SymmetryDocument> {
    let start = Instant::now();
    let spec = &plan.couplings;
    let four = Interactions::exact_four(spec, exact);
    let rows = (at.couplings(spec, &four)?.into_iter()).map(|coupling| CouplingRow {
        lambda_tree_exact: coupling.lambda_tree,
        lambda_one_loop_exact: coupling.lambda_one_loop,
        coupling,
    });
    let source = Source {
        moments: "exact".into(),
        unconverged: Vec::new(),
    };
    Ok(SymmetryDocument {
        vertex,
        cutoff: at.0.cutoff,
        couplings: rows.collect(),
        checks: Vec::new(),
        ensembles: Vec::new(),
        notes: Vec::new(),
        head: Head::new(
            "nnqft.symmetry/1",
            spec.clone(),
            CpuEngine::new().device(),
            Timing::theory(start.elapsed().as_secs_f64()),
            source,
        ),
    })
}
