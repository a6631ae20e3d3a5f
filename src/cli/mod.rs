//! The command line has arguments and output; no physics.

mod args;
mod checkpoint;
mod compare_cpu;
mod devices;
mod eft;
mod ensemble;
mod falloff;
mod flags;
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

use std::process::ExitCode;

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
    Eft(Box<eft::Arguments>),
    Rg(Box<rg::Arguments>),
    Symmetry(Box<symmetry::Arguments>),
    Reproduce(reproduce::Arguments),
    Slurm(Box<slurm::Arguments>),
    CompareCpu(compare_cpu::Arguments),
    Devices(devices::Arguments),
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let done = match parse().command {
        Command::Ensemble(arguments) => ensemble::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Theory(arguments) => theory::run(&arguments),
        Command::Falloff(arguments) => falloff::run(&arguments),
        Command::Eft(arguments) => eft::run(&arguments),
        Command::Rg(arguments) => rg::run(&arguments),
        Command::Symmetry(arguments) => symmetry::run(&arguments),
        Command::Reproduce(arguments) => reproduce::run(&arguments),
        Command::Slurm(arguments) => slurm::run(&arguments),
        Command::CompareCpu(arguments) => compare_cpu::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Error>() {
            Some(interrupted @ Error::Interrupted(_)) => {
                eprintln!("{interrupted}");
                // Nothing is left to do, and a driver may still be compiling on a thread of its
                // own: not a moment to run the destructors that a return does.
                signal_hook::low_level::exit(130)
            }
            known => {
                let mut text = format!("{error:#}");
                if let Some(known) = known {
                    text = text.replace(&known.to_string(), &flags::error(known));
                }
                eprintln!("error: {text}");
                let usage = known.is_some_and(Error::is_usage);
                ExitCode::from(if usage { 2 } else { 1 })
            }
        },
    }
}

/// Parses the arguments; a value that is refused is reported as a wrong parameter anywhere else is.
fn parse() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|usage| {
        let source = std::error::Error::source(&usage);
        if let Some(error) = source.and_then(|e| e.downcast_ref::<Error>()) {
            eprintln!("error: {}", flags::error(error));
            std::process::exit(2)
        }
        usage.exit()
    })
}
