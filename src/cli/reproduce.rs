//! This module is the command `nnqft-gpu reproduce`.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use nnqft_gpu::engine::DeviceKind;
use nnqft_gpu::reproduction::{self, Failure, Folder, Plan, Report, Scale, Step, Watch};

use super::args::{EngineArgs, Given, value};
use super::interrupt;
use super::output::Force;
use super::present::print;
use super::progress::target;
use super::running::Running;
use super::shell::emit;
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

/// Makes all measurements that the folder does not hold, then the report.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scale = if arguments.quick {
        Scale::QUICK
    } else {
        Scale::FULL
    };
    let plan = Plan::new(scale, arguments.seed)?;
    let folder = Folder::open(&arguments.out)?;
    if !arguments.force.force {
        plan.refuse_another(&folder)?;
    }
    let choice = arguments.engine.value.choice();
    let hint = format!(
        "; those before it are in {}, and the same command goes on from there",
        arguments.out.display()
    );
    let mut running = Running::begin(Terminal::new(hint), |progress| choice.open(progress))?;
    let start = Instant::now();
    let device = running.runner.device();
    let on_gpu = device.backend == DeviceKind::Gpu;
    let bar = Bar::new(plan.work(on_gpu), plan.len());
    (running.terminal).show(bar.bar.clone(), move |spec, networks| {
        reproduction::work(spec, networks, on_gpu)
    });
    let documents = reproduction::run(&plan, &folder, &mut running.runner, &bar);
    let documents = documents.map_err(|failure| match failure {
        Failure::Measurement { title, source } => anyhow::Error::new(source).context(title),
        other => other.into(),
    })?;
    bar.finish();
    interrupt::would_cost(format!(
        "all measurements are in {}, and the same command makes the report",
        arguments.out.display()
    ));
    let report = Report::new(&plan, device, documents, &arguments.engine.command_line());
    report
        .write(&folder)
        .with_context(|| format!("writing the report to {}", arguments.out.display()))?;
    for name in ["report.html", "reproduce.json"] {
        note!("wrote {}", arguments.out.join(name).display());
    }
    interrupt::would_cost(format!("the report is in {}", arguments.out.display()));
    print(&report.document, arguments.json)?;
    if !arguments.json {
        emit(&format!(
            "\n{:.0} s; {}\n",
            start.elapsed().as_secs_f64(),
            arguments.out.join("report.html").display(),
        ))?;
    }
    Ok(())
}

/// `Bar` goes over the whole plan, in units of estimated work; a line per measurement where stderr
/// is no terminal.
struct Bar {
    bar: ProgressBar,
    measurements: usize,
    state: Mutex<State>,
}

/// `State` says where the bar stood, and when, as the current measurement began; and counts the
/// measurements found.
struct State {
    begun: (u64, Instant),
    kept: usize,
}

impl Bar {
    fn new(work: u64, measurements: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(work), target());
        bar.set_style(
            ProgressStyle::with_template("{msg:32} {wide_bar} {percent}%, {eta} left")
                .expect("a valid template"),
        );
        let state = State {
            begun: (0, Instant::now()),
            kept: 0,
        };
        Self {
            bar,
            measurements,
            state: state.into(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
        let (kept, all) = (self.state().kept, self.measurements);
        if kept > 0 {
            note!("{kept} of {all} measurements were there already");
        }
    }
}

impl Watch for Bar {
    fn begins(&self, step: Step) {
        self.bar.set_message(step.title.to_string());
        self.state().begun = (self.bar.position(), Instant::now());
    }

    fn was_there(&self, step: Step) {
        // Not work: the remaining time is that of what is left.
        let length = self.bar.length().unwrap_or(0);
        self.bar.set_length(length.saturating_sub(step.work));
        self.state().kept += 1;
    }

    fn is_done(&self, step: Step) {
        let (position, start) = self.state().begun;
        self.bar.set_position(position + step.work);
        if self.bar.is_hidden() {
            let (k, all, title) = (step.number, self.measurements, step.title);
            let seconds = start.elapsed().as_secs_f64();
            note!("{k}/{all} {title}: {seconds:.1} s");
        }
    }
}
