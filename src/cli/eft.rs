//! `nnqft-gpu eft`

use clap::Args;
use nnqft_gpu::analysis::{
    self, Coupling, FunctionFit, Interactions, SixPoint, Tuples, fit_function,
};
use nnqft_gpu::model::{Architecture, EnsembleSpec, Inputs};
use nnqft_gpu::report::{EftDocument, EftPoint, eft_figure, eft_table, fit_table, six_point_table};
use nnqft_gpu::theory::{Vertex, check_cutoffs, vertex_integrals};
use nnqft_gpu::{Error, Result};

use super::emit;
use super::options::{EftOptions, EngineOptions, ModelOptions, Moment, SamplingOptions};
use super::output::{OutputOptions, PlotOptions};

/// Measure the quartic coupling on the 4-point function and predict the 6-point function
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu eft --arch erf --moments exact --cutoffs 10,100,1000
         nnqft-gpu eft --arch relu --nets 1e6
         nnqft-gpu eft --arch gauss --moments exact --fit"
)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    #[command(flatten)]
    eft: EftOptions,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    plot: PlotOptions,
    /// Fit lambda as a function, {l0}, {l0, l2}, {l0, l2, lNL}: trained on the inputs over
    /// sqrt(2), tested on the inputs; one cutoff [default: the source's v2 setting for --arch]
    #[arg(long, conflicts_with_all = ["from", "elements", "plot"])]
    fit: bool,
    /// Print the 6-point prediction of every element
    #[arg(long)]
    elements: bool,
}

/// Runs every width and prints the results.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.fit {
        return fits(arguments);
    }
    let vertex = arguments.eft.vertex(Vertex::Full)?;
    let cutoffs = arguments.eft.source_cutoffs()?;
    let mut files = (arguments.output).prepare(Some(&arguments.plot), arguments.eft.source())?;
    let model = arguments.model.clone().or_width(|arch| arch.eft_width())?;
    files.expect_figures(model.widths_given())?;
    let check = |spec: &EnsembleSpec| check_cutoffs(spec, vertex, &cutoffs);
    let all = moments(arguments, &model, &check)?;
    let mut documents = Vec::new();
    for moment in &all {
        let document = EftDocument {
            cutoffs: measure(&moment.spec, &moment.interactions, vertex, &cutoffs)?,
            head: moment.head("nnqft.eft/1"),
            vertex,
            fits: Vec::new(),
            train_unconverged: Vec::new(),
        };
        if !arguments.output.json {
            emit(&eft_table(&document))?;
            if arguments.elements {
                emit(&six_point_table(&document))?;
            }
        }
        documents.push(document);
    }
    files.documents("eft.json", &documents)?;
    let figures: Vec<_> = (documents.iter())
        .map(|d| eft_figure(d, documents.len()))
        .collect();
    files.figures(&figures)?;
    files.finish()?;
    (all.iter().zip(&documents))
        .try_for_each(|(moment, document)| moment.supports(&[4, 6], document.unmeasured()))?;
    Ok(())
}

fn moments(
    arguments: &Arguments,
    model: &ModelOptions,
    check: &dyn Fn(&EnsembleSpec) -> Result<()>,
) -> Result<Vec<Moment>> {
    let (sampling, engine) = (&arguments.sampling, &arguments.engine);
    arguments.eft.interactions(model, sampling, engine, check)
}

/// Coupling and 6-point prediction at every cutoff.
pub fn measure(
    spec: &EnsembleSpec,
    interactions: &Interactions,
    vertex: Vertex,
    cutoffs: &[f64],
) -> Result<Vec<EftPoint>> {
    Ok((vertex_integrals(spec, vertex, cutoffs)?.iter())
        .map(|v| EftPoint {
            cutoff: v.cutoff,
            lambda: Coupling::measure(spec.inputs.len(), &interactions.four, v),
            six_point: SixPoint::predict(spec, interactions, v),
        })
        .collect())
}

/// The settings of arXiv:2008.08601v2: inputs, width, cutoff.
pub fn v2_setting(arch: Architecture) -> (&'static str, u64, f64) {
    match arch {
        Architecture::Erf => ("erf-fit", 5, 100.0),
        Architecture::Gauss => ("gauss-fit", 1000, f64::INFINITY),
        Architecture::Relu => ("relu-fit", 20, 100.0),
    }
}

/// The inputs that a fit is trained on: those that it is tested on, over sqrt(2).
pub fn train_inputs(test: &Inputs) -> Result<Inputs> {
    let scaled = (test.points().iter()).map(|x| x.iter().map(|x| x * 0.5f64.sqrt()).collect());
    Inputs::new(scaled.collect())
}

fn fits(arguments: &Arguments) -> anyhow::Result<()> {
    let vertex = arguments.eft.vertex(Vertex::Weight)?;
    let arch = arguments.model.arch()?;
    let (inputs, width, cutoff) = v2_setting(arch);
    let cutoffs = arguments.eft.cutoffs(&[cutoff])?;
    let &[cutoff] = &cutoffs[..] else {
        let list = format!("with {} values", cutoffs.len());
        return Err(Error::invalid("--cutoffs", list, "--fit uses one cutoff").into());
    };
    let mut files = arguments.output.prepare(None, None)?;
    let model = (arguments.model.clone())
        .or_width(|_| width)?
        .or_inputs(inputs);
    let check = |spec: &EnsembleSpec| check_cutoffs(spec, vertex, &[cutoff]);
    let test = moments(arguments, &model, &check)?;
    let model = model.with_inputs(&train_inputs(&test[0].spec.inputs)?);
    let train = moments(arguments, &model, &check)?;
    let mut documents = Vec::new();
    for (train, test) in train.iter().zip(&test) {
        let document = EftDocument {
            fits: fit(train, test, vertex, cutoff)?,
            head: test.head("nnqft.eft/1"),
            vertex,
            cutoffs: Vec::new(),
            train_unconverged: Vec::new(),
        };
        if !arguments.output.json {
            emit(&fit_table(&document))?;
        }
        documents.push(document);
    }
    files.documents("eft.json", &documents)?;
    files.finish()?;
    (train.iter()).try_for_each(|moment| moment.supports(&[4], None))?;
    (test.iter().zip(&documents))
        .try_for_each(|(moment, document)| moment.supports(&[4], document.unmeasured()))?;
    Ok(())
}

/// Fits the source's models on one ensemble and tries them on the other.
pub fn fit(train: &Moment, test: &Moment, vertex: Vertex, cutoff: f64) -> Result<Vec<FunctionFit>> {
    let at = |spec: &EnsembleSpec| vertex_integrals(spec, vertex, &[cutoff]);
    let vertices = [at(&train.spec)?.remove(0), at(&test.spec)?.remove(0)];
    let tuples = |k: usize| {
        let moment = [train, test][k];
        Tuples {
            points: moment.spec.inputs.len(),
            four: &moment.interactions.four,
            vertex: &vertices[k],
        }
    };
    (analysis::MODELS.iter())
        .map(|terms| fit_function(terms, tuples(0), tuples(1)))
        .collect()
}
