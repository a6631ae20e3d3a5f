//! This module is the command `nnqft-gpu completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::shell::emit;

/// Print the completions of a shell
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu completions bash > ~/.local/share/bash-completion/completions/nnqft-gpu"
)]
pub struct Arguments {
    /// The shell that is to know the options
    shell: Shell,
}

/// Prints the completions.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut text = Vec::new();
    let mut program = super::Arguments::command();
    clap_complete::generate(arguments.shell, &mut program, "nnqft-gpu", &mut text);
    emit(&String::from_utf8(text)?)
}
