//! Faults of files of points.

/// A fault says what is wrong with a file, and in which line.
#[derive(Debug)]
pub struct Fault {
    pub line: Option<u64>,
    pub reason: String,
}

impl Fault {
    pub fn at(line: u64, reason: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            reason: reason.into(),
        }
    }

    pub fn file(reason: impl Into<String>) -> Self {
        Self {
            line: None,
            reason: reason.into(),
        }
    }
}
