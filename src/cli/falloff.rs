//! `nnqft-gpu falloff`

use std::time::Instant;

use clap::Args;
use nnqft_gpu::analysis::{
    Falloff, FalloffWidth, WIDTHS, check_interacting, check_range, connected_spec,
};
use nnqft_gpu::engine::Engine;
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::report::{FalloffDocument, Head, Source, Timing, falloff_figure, falloff_table};
use nnqft_gpu::theory::Exact;
use nnqft_gpu::{Error, Result};

use super::ensemble::measure_with;
use super::options::{EngineOptions, ModelOptions, SamplingOptions};
use super::output::{OutputOptions, PlotOptions};
use super::progress::Progress;
use super::verdict::must_rest_on;
use super::{columns, emit};

/// Sweep the width: how the n-point functions fall off to those of the Gaussian process
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu falloff --arch relu --nets 1e5
         nnqft-gpu falloff --arch gauss --width 2,5,20,100 --nets 1e5 --plot falloff.svg

Beside the direct estimator, a second curve comes from the connected one with a tenth of
the networks (at least 1000 an experiment, tilted 10000; tilted where the net needs it), which
reaches far below the background.
--estimator draws one of them only. Slopes are fitted over the widths whose mean m_n is above the
background: it differs from zero by more than three of its own errors.")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    plot: PlotOptions,
}

/// Runs the sweep and prints it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let model = arguments.model.clone().or_widths(&WIDTHS);
    let sampling = &arguments.sampling;
    let specs = sampling.specs(&model)?;
    for spec in &specs {
        check_range(spec)?;
        check_interacting(spec)?;
    }
    let second = match (sampling.has_estimator(), sampling.tilt()?.unwrap_or(true)) {
        (true, _) => vec![None; specs.len()],
        (false, may_tilt) => (specs.iter())
            .map(|spec| connected_spec(spec, may_tilt))
            .collect::<Result<_>>()?,
    };
    let mut files = (arguments.output).prepare(Some(&arguments.plot), None)?;
    let mut engine = arguments.engine.engine()?;
    let sweep: Vec<Ensembles> = specs.into_iter().zip(second).collect();
    let networks = |s: &EnsembleSpec| s.nets * u64::from(s.experiments);
    let total = (sweep.iter())
        .map(|(a, b)| networks(a) + b.as_ref().map_or(0, networks))
        .sum();
    let bar = Progress::new(total, 0);
    let document = measure(engine.as_mut(), &sweep, &|_, n| bar.inc(n))?;
    bar.finish();
    let figure = falloff_figure(&document);
    if !arguments.output.json {
        emit(&falloff_table(&document))?;
        emit(&format!("\n{}", figure.text(columns())))?;
    }
    files.documents("falloff.json", std::slice::from_ref(&document))?;
    files.figures(&[figure])?;
    files.finish()?;
    let unconverged = document.head.source.unconverged.iter();
    let reasons: Vec<String> = unconverged.map(ToString::to_string).collect();
    Ok(must_rest_on(&reasons, None)?)
}

/// The direct ensemble of one width and the connected one beside it.
pub type Ensembles = (EnsembleSpec, Option<EnsembleSpec>);

/// Draws a sweep; `progress` is told the ensemble and the networks done.
pub fn measure(
    engine: &mut dyn Engine,
    sweep: &[Ensembles],
    progress: &(dyn Fn(&EnsembleSpec, u64) + Sync),
) -> Result<FalloffDocument> {
    let start = Instant::now();
    let (mut widths, mut compile_s) = (Vec::new(), 0.0);
    // Neither the width nor the estimator changes them.
    let exact = Exact::new(&sweep[0].0);
    for (spec, second) in sweep {
        let mut draw = |spec: &EnsembleSpec| {
            let (correlators, timing) = measure_with(engine, spec, &exact, &|n| progress(spec, n))?;
            compile_s += timing.compile_s.unwrap_or(0.0);
            Ok::<_, Error>(correlators)
        };
        let measured = draw(spec)?;
        let connected = second.as_ref().map(&mut draw).transpose()?;
        widths.push(FalloffWidth::new(
            (spec, &measured),
            second.as_ref().zip(connected.as_deref()),
        ));
    }
    let (spec, second) = &sweep[0];
    let falloff = Falloff::new(widths);
    let source = Source {
        moments: "sampled".into(),
        unconverged: falloff.unconverged(),
    };
    // Rates would mix the widths.
    let timing = Timing::theory(start.elapsed().as_secs_f64() - compile_s).after(compile_s);
    Ok(FalloffDocument {
        head: Head::new(
            "nnqft.falloff/1",
            spec.clone(),
            engine.device(),
            timing,
            source,
        ),
        connected_spec: second.clone(),
        falloff,
    })
}
