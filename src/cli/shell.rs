//! This module has what commands and the shell that runs them say to each other.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Returns the columns of the terminal that stdout is, or `None` in a pipe.
pub fn columns() -> Option<usize> {
    let terminal = console::Term::stdout();
    (terminal.is_term()).then(|| usize::from(terminal.size().1))
}

/// Breaks lines of prose at words where they are wider than a terminal; lines of tables and figures, whose blanks and
/// rules stand for something, stay as they are.
fn fold(text: &str, width: usize) -> String {
    let is_prose = |line: &str| {
        let has_rules = |c: char| ('\u{2500}'..'\u{2580}').contains(&c);
        !line.trim().contains("  ") && !line.contains(has_rules)
    };
    let mut folded = String::new();
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        if line.chars().count() <= width || !is_prose(line) {
            folded += line;
        } else {
            // Blanks at the beginning belong to the first word.
            let words = line.trim_start();
            let mut column = line.len() - words.len();
            folded += &line[..column];
            for (k, word) in words.split(' ').enumerate() {
                let length = word.chars().count();
                if k > 0 && column + 1 + length > width {
                    folded += "\n  ";
                    column = 2;
                } else if k > 0 {
                    folded.push(' ');
                    column += 1;
                }
                folded += word;
                column += length;
            }
        }
        folded += end;
    }
    folded
}

/// Writes text for readers to stdout, folded to its terminal if it is one.
pub fn emit_folded(text: &str) -> anyhow::Result<()> {
    match columns() {
        Some(width) => emit(&fold(text, width)),
        None => emit(text),
    }
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

/// Writes a line to stderr, folded to its terminal if it is one; one that is closed or full is no reason to fail.
pub fn say(line: impl std::fmt::Display) {
    let terminal = console::Term::stderr();
    let line = match terminal.is_term() {
        true => fold(&line.to_string(), usize::from(terminal.size().1)),
        false => line.to_string(),
    };
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Quotes a text as one word of a shell.
pub fn quote(text: &str) -> std::borrow::Cow<'_, str> {
    shlex::try_quote(text).expect("arguments hold no NUL")
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn prose_is_folded_at_words_and_tables_are_not() {
        let prose = "one two three four\n";
        assert_eq!(fold(prose, 80), prose);
        assert_eq!(fold(prose, 9), "one two\n  three\n  four\n");
        assert_eq!(fold("  one two", 7), "  one\n  two");
        assert_eq!(fold("unbreakable", 4), "unbreakable");
        for row in ["a   b   c", "────────", "  │ o  o"] {
            assert_eq!(fold(row, 4), row);
        }
        assert_eq!(fold("", 4), "");
    }
}
