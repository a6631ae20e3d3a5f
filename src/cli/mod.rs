//! The command line has arguments and output; no physics.

/// Writes a line to stderr, as `eprintln!` does, but does not mind a stderr that takes nothing.
macro_rules! say {
    ($($line:tt)*) => { $crate::cli::shell::say(format_args!($($line)*)) };
}

/// Writes a note to stderr, unless the user wants none.
macro_rules! note {
    ($($line:tt)*) => {
        if !$crate::cli::shell::is_quiet() {
            say!($($line)*)
        }
    };
}

mod args;
mod bench;
mod checkpoint;
mod compare_cpu;
mod completions;
mod depth;
mod devices;
mod eft;
mod ensemble;
mod falloff;
mod flags;
mod interrupt;
mod man;
mod merge;
mod output;
mod present;
mod progress;
mod reproduce;
mod rg;
mod running;
mod sample;
mod shell;
mod slurm;
mod symmetry;
mod terminal;
mod theory;
mod train;

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use nnqft_gpu::Error;

/// Ensembles of random neural networks as field theories: n-point functions, measured on
/// the GPU and held against the Gaussian process of infinite width.
#[derive(Parser)]
#[command(version, after_help = format!(
    "Example: nnqft-gpu ensemble --arch relu --width 20 --nets 1e6\n\n{}",
    present::EXIT_CODES
))]
struct Arguments {
    /// No progress and no notes on stderr; warnings and errors stay
    #[arg(short, long, global = true, display_order = 900)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ensemble(Box<ensemble::Arguments>),
    Merge(merge::Arguments),
    Sample(Box<sample::Arguments>),
    Theory(Box<theory::Arguments>),
    Falloff(Box<falloff::Arguments>),
    Depth(Box<depth::Arguments>),
    Eft(Box<eft::Arguments>),
    Rg(Box<rg::Arguments>),
    Symmetry(Box<symmetry::Arguments>),
    Train(Box<train::Arguments>),
    Reproduce(reproduce::Arguments),
    Slurm(Box<slurm::Arguments>),
    CompareCpu(compare_cpu::Arguments),
    Devices(devices::Arguments),
    Bench(bench::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Command {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Ensemble(arguments) => ensemble::run(&arguments),
            Self::Merge(arguments) => merge::run(&arguments),
            Self::Sample(arguments) => sample::run(&arguments),
            Self::Theory(arguments) => theory::run(&arguments),
            Self::Falloff(arguments) => falloff::run(&arguments),
            Self::Depth(arguments) => depth::run(&arguments),
            Self::Eft(arguments) => eft::run(&arguments),
            Self::Rg(arguments) => rg::run(&arguments),
            Self::Symmetry(arguments) => symmetry::run(&arguments),
            Self::Train(arguments) => train::run(&arguments),
            Self::Reproduce(arguments) => reproduce::run(&arguments),
            Self::Slurm(arguments) => slurm::run(&arguments),
            Self::CompareCpu(arguments) => compare_cpu::run(&arguments),
            Self::Devices(arguments) => devices::run(&arguments),
            Self::Bench(arguments) => bench::run(&arguments),
            Self::Completions(arguments) => completions::run(&arguments),
            Self::Man(arguments) => man::run(&arguments),
        }
    }
}

/// Runs the program with these arguments, the first of them its name, and returns its exit code. It listens to
/// SIGINT and SIGTERM from then on, and ends the process itself where a program would not wait: a process runs it once.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let Arguments { quiet, command } = parse(arguments);
    if quiet {
        shell::be_quiet();
    }
    let done = interrupt::listen().and_then(|()| match &command {
        // They guard their parts themselves: while they draw, they save before they end.
        Command::Ensemble(_) | Command::Sample(_) | Command::Train(_) => command.run(),
        _ => interrupt::guard(|| command.run()),
    });
    match done {
        Ok(()) => 0,
        Err(error) => match error.downcast_ref::<Error>() {
            Some(interrupted @ Error::Interrupted(_)) => {
                interrupt::end_now(&interrupted.to_string())
            }
            known => {
                say!("error: {}", flags::chain(&error));
                let usage = known.is_some_and(Error::is_usage);
                if usage { 2 } else { 1 }
            }
        },
    }
}

/// Parses the arguments; a value that is refused is reported as a wrong parameter anywhere else is.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Arguments {
    Arguments::try_parse_from(arguments).unwrap_or_else(|usage| {
        let source = std::error::Error::source(&usage);
        if let Some(error) = source.and_then(|e| e.downcast_ref::<Error>()) {
            say!("error: {}", flags::error(error));
            std::process::exit(2)
        }
        usage.exit()
    })
}
