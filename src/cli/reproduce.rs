//! `nnqft-gpu reproduce`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nnqft_gpu::analysis::{WIDTHS, connected_spec};
use nnqft_gpu::engine::Engine;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::model::{Architecture, EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::report::{
    EftDocument, FalloffDocument, Reproduction, RgDocument, Scale, SymmetryDocument, claims_table,
};
use nnqft_gpu::run::{self, CUTOFFS, Moments, Runner, symmetry};
use nnqft_gpu::state::replace;
use nnqft_gpu::theory::{self, Exact, Vertex};
use nnqft_gpu::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::args::{EngineArgs, Given, value};
use super::emit;
use super::output::Force;
use super::running::Running;
use super::terminal::Terminal;

/// Every table and figure of the source, with verdicts, in one report
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu reproduce --quick --out report/
         nnqft-gpu reproduce --backend gpu --out report/

The folder gets report.html, reproduce.json (verdicts with their numbers), data/ (one JSON
document per measurement) and figures/ (SVG, CSV and JSON). Finished measurements are kept:
the same command goes on where it was stopped.")]
pub struct Arguments {
    /// About a minute on two cores, instead of the source's 10 experiments of 10^6 networks
    #[arg(long)]
    quick: bool,
    /// Seed of the random stream
    #[arg(long, default_value = "0", allow_hyphen_values = true, value_parser = value::seed)]
    seed: u64,
    /// Folder of the report
    #[arg(long, value_name = "DIR", default_value = "report")]
    out: PathBuf,
    /// Print reproduce.json on stdout instead of the table of verdicts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: Given<EngineArgs>,
    #[command(flatten)]
    force: Force,
}

/// One measurement: what is drawn or calculated, and the files that it makes.
enum Task {
    /// One width of a falloff.
    Width(run::Ensembles),
    /// Coupling, 6-point prediction and flow of one ensemble, or of exact moments.
    Eft {
        name: String,
        spec: EnsembleSpec,
        exact: bool,
    },
    /// The flow of exact moments.
    Flow {
        name: String,
        spec: EnsembleSpec,
        vertex: Vertex,
        cutoffs: Vec<f64>,
    },
    Symmetry(symmetry::Plan),
    /// lambda as a function.
    Fit {
        name: String,
        spec: EnsembleSpec,
        cutoff: f64,
        exact: bool,
    },
}

/// Outputs of the symmetry tests.
const OUTPUTS: [usize; 4] = [1, 2, 4, 8];
/// Cutoff of couplings over d_out.
const CUTOFF: f64 = 100.0;

/// Makes all measurements that the folder does not hold, then the report.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scale = if arguments.quick {
        Scale::QUICK
    } else {
        Scale::FULL
    };
    let seed = arguments.seed;
    let tasks = plan(scale, seed)?;
    let out = Folder::open(&arguments.out)?;
    if !arguments.force.force {
        out.refuse_another_plan(&tasks)?;
    }
    let choice = arguments.engine.value.choice();
    let hint = format!(
        "; those before it are in {}, and the same command goes on from there",
        out.0.display()
    );
    let running = Running::begin(Terminal::new(hint), |progress| choice.open(progress))?;
    let start = Instant::now();
    let device = running.runner.device();
    let on_gpu = device.backend == "gpu";
    let mut found = Reproduction::new(scale, seed, device);
    let bar = bar(tasks.iter().map(|t| t.cost(on_gpu)).sum());
    (running.terminal).show(bar.clone(), move |spec, networks| {
        cost(spec, on_gpu) * networks / 1000
    });
    let kept = running.measure(|runner| measure(runner, &tasks, &out, &mut found, &bar))?;
    if kept > 0 {
        eprintln!("{kept} of {} measurements were there already", tasks.len());
    }
    found.assemble();
    let report = found.report(&arguments.engine.command_line());
    report
        .write(&arguments.out)
        .with_context(|| format!("writing the report to {}", arguments.out.display()))?;
    for name in ["report.html", "reproduce.json"] {
        eprintln!("wrote {}", arguments.out.join(name).display());
    }
    let json = serde_json::to_string(&report.document)? + "\n";
    match arguments.json {
        true => emit(&json)?,
        false => emit(&format!(
            "{}\n{:.0} s; {}\n",
            claims_table(&report.document.claims),
            start.elapsed().as_secs_f64(),
            arguments.out.join("report.html").display(),
        ))?,
    }
    Ok(())
}

/// Makes the measurements that the folder does not hold; returns how many it held.
fn measure(
    runner: &mut Runner,
    tasks: &[Task],
    out: &Folder,
    found: &mut Reproduction,
    bar: &ProgressBar,
) -> anyhow::Result<usize> {
    let on_gpu = runner.device().backend == "gpu";
    let mut kept = 0;
    for (k, task) in tasks.iter().enumerate() {
        runner.check()?;
        bar.set_message(task.title());
        if task.load(out, found) {
            // Not work: the remaining time is that of what is left.
            bar.set_length(bar.length().unwrap_or(0) - task.cost(on_gpu));
            kept += 1;
            continue;
        }
        let begin = (bar.position(), Instant::now());
        task.run(runner, out).with_context(|| task.title())?;
        bar.set_position(begin.0 + task.cost(on_gpu));
        if !task.load(out, found) {
            anyhow::bail!("{}: what was written cannot be read back", task.title());
        }
        if bar.is_hidden() {
            let seconds = begin.1.elapsed().as_secs_f64();
            eprintln!("{}/{} {}: {seconds:.1} s", k + 1, tasks.len(), task.title());
        }
    }
    bar.finish_and_clear();
    Ok(kept)
}

/// A bar over the whole plan, in units of estimated work.
fn bar(work: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(work), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(
        ProgressStyle::with_template("{msg:32} {wide_bar} {percent}%, {eta} left")
            .expect("a valid template"),
    );
    bar
}

/// Estimated work of a thousand networks, in nanoseconds of two cores: right to a factor of
/// two, which is what a remaining time needs.
fn cost(spec: &EnsembleSpec, on_gpu: bool) -> u64 {
    let per_unit = match (spec.arch, on_gpu) {
        (Architecture::Relu, true) => 2.7,
        (_, true) => 4.0,
        (Architecture::Relu, false) => 6.2,
        (Architecture::Gauss, false) => 15.0,
        (Architecture::Erf, false) => 48.0,
    };
    let moments = if spec.estimator == Estimator::Connected {
        3000.0
    } else {
        700.0
    };
    (1000.0 * (per_unit * spec.width as f64 + moments)) as u64
}

fn networks(spec: &EnsembleSpec) -> u64 {
    spec.nets * u64::from(spec.experiments)
}

/// All measurements, in the order of the report.
fn plan(scale: Scale, seed: u64) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    let preset = |arch, d_in| -> Result<EnsembleSpec> {
        Ok(EnsembleSpec {
            seed,
            experiments: scale.experiments,
            ..EnsembleSpec::preset(arch, d_in)?
        })
    };
    for arch in Architecture::ALL {
        for width in WIDTHS {
            let direct = EnsembleSpec {
                width,
                nets: scale.falloff,
                orders: (1..=6).collect(),
                ..preset(arch, 1)?
            };
            let connected = connected_spec(&direct, true)?;
            tasks.push(Task::Width((direct, connected)));
        }
    }
    for arch in Architecture::ALL {
        for d_in in 1..=3 {
            let width = arch.eft_width();
            let direct = EnsembleSpec {
                width,
                nets: scale.couplings,
                ..preset(arch, d_in)?
            };
            let connected = EnsembleSpec {
                nets: scale.connected,
                estimator: Estimator::Connected,
                tilt: theory::tilt(&direct),
                ..direct.clone()
            };
            let mut push = |kind: &str, spec: &EnsembleSpec, exact| {
                let (name, spec) = (format!("{arch}-d{d_in}-{kind}"), spec.clone());
                tasks.push(Task::Eft { name, spec, exact });
            };
            push("exact", &direct, true);
            push("connected", &connected, false);
            push("direct", &direct, false);
            if arch == Architecture::Gauss {
                tasks.push(Task::Flow {
                    name: format!("{arch}-d{d_in}-weight"),
                    spec: direct.clone(),
                    vertex: Vertex::Weight,
                    cutoffs: CUTOFFS.to_vec(),
                });
            }
            if d_in == 1 {
                tasks.push(Task::Flow {
                    name: format!("{arch}-fixed-points"),
                    spec: direct.clone(),
                    vertex: Vertex::Full,
                    cutoffs: (-8..=10).map(|k| 10f64.powf(0.5 * f64::from(k))).collect(),
                });
            }
        }
    }
    for arch in Architecture::ALL {
        let couplings = EnsembleSpec {
            width: arch.eft_width(),
            nets: scale.symmetry,
            experiments: 100,
            orders: vec![2, 4],
            estimator: Estimator::Connected,
            tilt: theory::tilt(&preset(arch, 1)?),
            ..preset(arch, 1)?
        };
        tasks.push(Task::Symmetry(symmetry::Plan::new(couplings, &OUTPUTS)?));
    }
    for arch in Architecture::ALL {
        let (inputs, width, cutoff) = run::v2_setting(arch);
        let mut spec = EnsembleSpec {
            inputs: Inputs::parse(inputs)?,
            width,
            nets: scale.connected,
            orders: vec![4],
            estimator: Estimator::Connected,
            ..preset(arch, 1)?
        };
        spec.tilt = theory::tilt(&spec);
        for (kind, exact) in [("exact", true), ("connected", false)] {
            let (name, spec) = (format!("{arch}-{kind}"), spec.clone());
            tasks.push(Task::Fit {
                name,
                spec,
                cutoff,
                exact,
            });
        }
    }
    Ok(tasks)
}

impl Task {
    fn title(&self) -> String {
        match self {
            Self::Width((spec, _)) => format!("falloff {} N = {}", spec.arch, spec.width),
            Self::Eft { name, .. } => format!("couplings {name}"),
            Self::Flow { name, .. } => format!("flow {name}"),
            Self::Symmetry(plan) => format!("symmetry {}", plan.couplings.arch),
            Self::Fit { name, .. } => format!("fits {name}"),
        }
    }

    /// Estimated work, in nanoseconds.
    fn cost(&self, on_gpu: bool) -> u64 {
        let of = |spec: &EnsembleSpec| cost(spec, on_gpu) * networks(spec) / 1000;
        match self {
            Self::Width((spec, second)) => of(spec) + second.as_ref().map_or(0, of),
            Self::Eft {
                exact: false, spec, ..
            } => of(spec),
            Self::Symmetry(plan) => of(&plan.couplings) + plan.tests.iter().map(of).sum::<u64>(),
            Self::Fit {
                exact: false, spec, ..
            } => 2 * of(spec),
            // Quadrature.
            _ => 300_000_000,
        }
    }

    /// Takes what an earlier run has finished; false if there is nothing that fits.
    fn load(&self, out: &Folder, found: &mut Reproduction) -> bool {
        match self {
            Self::Width((spec, second)) => {
                let name = width_name(spec);
                (out.read(&name, |d: &FalloffDocument| {
                    d.head.is_of(spec) && d.connected_spec == *second
                }))
                .map(|d| found.add_width(name, d))
            }
            Self::Eft { name, spec, .. } => {
                let eft = out.read(&format!("eft-{name}"), |d: &EftDocument| d.head.is_of(spec));
                let rg = out.read(&format!("rg-{name}"), |d: &RgDocument| d.head.is_of(spec));
                eft.zip(rg).map(|(eft, rg)| {
                    found.add_eft(format!("eft-{name}"), eft);
                    found.add_rg(format!("rg-{name}"), rg);
                })
            }
            Self::Flow {
                name,
                spec,
                vertex,
                cutoffs,
            } => {
                let fits = |d: &RgDocument| {
                    let same = d
                        .flow
                        .points
                        .iter()
                        .map(|p| p.cutoff)
                        .eq(cutoffs.iter().copied());
                    d.head.is_of(spec) && d.vertex == *vertex && same
                };
                (out.read(&format!("rg-{name}"), fits))
                    .map(|d| found.add_rg(format!("rg-{name}"), d))
            }
            Self::Symmetry(plan) => {
                let name = format!("symmetry-{}", plan.couplings.arch);
                (out.read(&name, |d: &SymmetryDocument| {
                    d.head.is_of(&plan.couplings) && d.ensembles == plan.tests
                }))
                .map(|d| found.add_symmetry(name, d))
            }
            Self::Fit { name, spec, .. } => {
                let name = format!("fit-{name}");
                out.read(&name, |d: &EftDocument| d.head.is_of(spec))
                    .map(|d| found.add_fit(name, d))
            }
        }
        .is_some()
    }

    fn run(&self, runner: &mut Runner, out: &Folder) -> anyhow::Result<()> {
        let moments = |runner: &mut Runner, spec: &EnsembleSpec, exact| match exact {
            true => Moments::exact(spec.clone(), &Moments::neurons(spec)),
            false => Moments::sampled(runner, spec.clone(), &Exact::new(spec)),
        };
        match self {
            Self::Width(ensembles) => {
                let document = run::falloff(runner, std::slice::from_ref(ensembles))?;
                out.write(&width_name(&ensembles.0), &document)
            }
            Self::Eft { name, spec, exact } => {
                let moments = moments(runner, spec, *exact)?;
                let rg = run::rg(&moments, Vertex::Full, &CUTOFFS)?;
                let eft = run::eft(&moments, Vertex::Full, &CUTOFFS)?;
                out.write(&format!("eft-{name}"), &eft)?;
                out.write(&format!("rg-{name}"), &rg)
            }
            Self::Flow {
                name,
                spec,
                vertex,
                cutoffs,
            } => {
                let moments = moments(runner, spec, true)?;
                let document = run::rg(&moments, *vertex, cutoffs)?;
                out.write(&format!("rg-{name}"), &document)
            }
            Self::Symmetry(plan) => {
                let spec = &plan.couplings;
                let scheme = symmetry::Scheme::new(spec, Vertex::Full, CUTOFF, &OUTPUTS)?;
                let document = symmetry::sampled(runner, plan, &scheme)?;
                out.write(&format!("symmetry-{}", spec.arch), &document)
            }
            Self::Fit {
                name,
                spec,
                cutoff,
                exact,
            } => {
                let train = EnsembleSpec {
                    inputs: run::train_inputs(&spec.inputs)?,
                    ..spec.clone()
                };
                let test = moments(runner, spec, *exact)?;
                let train = moments(runner, &train, *exact)?;
                let document = run::fit(&train, &test, Vertex::Weight, *cutoff)?;
                out.write(&format!("fit-{name}"), &document)
            }
        }
    }
}

fn width_name(spec: &EnsembleSpec) -> String {
    format!("falloff-{}-n{}", spec.arch, spec.width)
}

/// The folder of the documents.
struct Folder(PathBuf);

impl Folder {
    fn open(out: &Path) -> Result<Self> {
        let data = out.join("data");
        let probe = data.join(".nnqft-gpu-probe");
        (std::fs::create_dir_all(&data))
            .and_then(|()| std::fs::create_dir_all(out.join("figures")))
            .and_then(|()| std::fs::write(&probe, b""))
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| {
                let reason = format!("the folder cannot be written: {e}");
                Error::invalid("out", out.display(), reason)
            })?;
        Ok(Self(data))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }

    /// Refuses a folder whose documents are all of another scale, seed or version. What is torn, or
    /// strange among others that fit, is measured again.
    fn refuse_another_plan(&self, tasks: &[Task]) -> Result<()> {
        let mut documents = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let is_document = |e: std::fs::DirEntry| {
            let text = std::fs::read(e.path()).unwrap_or_default();
            serde_json::from_slice::<serde_json::Value>(&text).is_ok()
        };
        let mut none = Reproduction::new(Scale::QUICK, 0, CpuEngine::new().device());
        if !documents.any(is_document) || tasks.iter().any(|task| task.load(self, &mut none)) {
            return Ok(());
        }
        let dir = self.0.parent().unwrap_or(&self.0).display();
        let reason = "the folder holds the measurements of another scale, seed or version; give another folder, or add --force to write over them";
        Err(Error::invalid("out", dir, reason))
    }

    /// A document that is whole and of this plan.
    fn read<T: DeserializeOwned>(&self, name: &str, fits: impl Fn(&T) -> bool) -> Option<T> {
        let text = std::fs::read_to_string(self.path(name)).ok()?;
        serde_json::from_str(&text).ok().filter(fits)
    }

    /// Writes a document whole or not at all.
    fn write<T: Serialize>(&self, name: &str, document: &T) -> anyhow::Result<()> {
        let path = self.path(name);
        let text = serde_json::to_string(document)? + "\n";
        replace(&path, text.as_bytes()).with_context(|| format!("writing {}", path.display()))
    }
}
