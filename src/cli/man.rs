//! This module is the command `nnqft-gpu man`.

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::shell::emit;

/// Print the manual page
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu man > ~/.local/share/man/man1/nnqft-gpu.1")]
pub struct Arguments {
    /// The page of one command, such as ensemble, instead of the program's
    command: Option<String>,
}

/// Prints the page.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut program = super::Arguments::command();
    program.build();
    let page = match &arguments.command {
        None => Man::new(program),
        Some(name) => {
            let known = program.find_subcommand(name).cloned();
            let reason = "no command of nnqft-gpu has this name; nnqft-gpu --help lists them";
            let command =
                known.ok_or_else(|| nnqft_gpu::Error::invalid("command", name, reason))?;
            Man::new(command)
        }
    };
    let mut text = Vec::new();
    page.render(&mut text)?;
    emit(&String::from_utf8(text)?)
}
