//! This module has what commands and the shell that runs them say to each other.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Returns the columns of the terminal that stdout is, or `None` in a pipe.
pub fn columns() -> Option<usize> {
    let terminal = console::Term::stdout();
    (terminal.is_term()).then(|| usize::from(terminal.size().1))
}

/// Writes a result to stdout; a reader that has left (`| head`) is no error.
pub fn emit(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

/// Whether notes and progress are left out.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves out notes and progress from now on; warnings and errors stay.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Tells whether notes and progress are left out.
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Writes a line to stderr; one that is closed or full is no reason to fail.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Quotes a text as one word of a shell.
pub fn quote(text: &str) -> std::borrow::Cow<'_, str> {
    shlex::try_quote(text).expect("arguments hold no NUL")
}
