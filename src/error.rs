//! The errors of the library are sentences that a user can act on.

use std::path::PathBuf;

use crate::Sentence;
use crate::sentence::sentence;

/// An error says what went wrong, from parsing an option to reading back the last batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter has a value that no run can use.
    #[error("{name} {value}: {reason}")]
    Invalid {
        /// The parameter (`sigma_w`).
        name: &'static str,
        /// The offending value as given.
        value: String,
        /// What is wrong, and what would be right.
        reason: Sentence,
    },
    /// A file cannot be used.
    #[error("{}{}: {reason}", path.display(), line.map(|l| format!(", line {l}")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where the format has lines.
        line: Option<u64>,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no adapter that fits the request.
    #[error("{0}")]
    NoAdapter(Sentence),
    /// The numbers of this run do not fit the 32-bit floats of the GPU.
    #[error("{}", overflow(.0))]
    Overflow(String),
    /// A result is NaN or infinite.
    #[error("{0} is not a finite number; the run gives no result")]
    NotFinite(String),
    /// A result rests on averages that have not converged.
    #[error("{0}: the result above is not to be relied on")]
    Unconverged(String),
    /// GPU and CPU do not agree.
    #[error("GPU and CPU disagree: {0}")]
    Disagreement(String),
    /// A measured ensemble violates a symmetry, or another identity, that it has.
    #[error("not consistent with what is exact: {0}")]
    Symmetry(String),
    /// Parts are not of one run.
    #[error("{0}")]
    Mismatch(Sentence),
    /// Parts of a run are missing.
    #[error("{0}")]
    Incomplete(String),
    /// The user, or the system, ended the run.
    #[error("interrupted: {0}")]
    Interrupted(String),
    /// The adapter failed in mid-run.
    #[error("the GPU failed: {0}")]
    Device(String),
}

impl Error {
    /// Makes an [`Error::Invalid`].
    pub fn invalid(
        name: &'static str,
        value: impl std::fmt::Display,
        reason: impl Into<Sentence>,
    ) -> Self {
        debug_assert!(!name.starts_with('-'), "{name}: parameters are no flags");
        Error::Invalid {
            name,
            value: value.to_string(),
            reason: reason.into(),
        }
    }

    /// Writes the error with each parameter as `spell` has it.
    ///
    /// ```
    /// use nnqft_gpu::Error;
    ///
    /// let error = Error::invalid("sigma_w", -1, "must not be negative");
    /// assert_eq!(error.to_string(), "sigma_w -1: must not be negative");
    /// let flag = |name: &str| format!("--{}", name.replace('_', "-"));
    /// assert_eq!(error.spelled(&flag), "--sigma-w -1: must not be negative");
    /// ```
    pub fn spelled(&self, spell: &dyn Fn(&str) -> String) -> String {
        self.sentence().spelled(spell)
    }

    /// Returns the error as a sentence, which knows which of its words are parameters.
    pub fn sentence(&self) -> Sentence {
        match self {
            Error::Invalid {
                name,
                value,
                reason,
            } => (Sentence::parameter(*name).and(format!(" {value}: "))).and(reason.clone()),
            Error::NoAdapter(sentence) | Error::Mismatch(sentence) => sentence.clone(),
            Error::Overflow(what) => overflow(what),
            Error::File { .. }
            | Error::NotFinite(_)
            | Error::Unconverged(_)
            | Error::Disagreement(_)
            | Error::Symmetry(_)
            | Error::Incomplete(_)
            | Error::Interrupted(_)
            | Error::Device(_) => self.to_string().into(),
        }
    }

    /// Tells whether the user can mend the error by changing the input (exit code 2), as opposed to
    /// a run that failed (exit code 1).
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Error::Device(_)
                | Error::NotFinite(_)
                | Error::Unconverged(_)
                | Error::Disagreement(_)
                | Error::Symmetry(_)
                | Error::Incomplete(_)
                | Error::Interrupted(_)
        )
    }
}

fn overflow(what: &str) -> Sentence {
    sentence!(
        "{} does not fit the 32-bit floats of the GPU; use `backend` cpu, which computes in f64",
        what
    )
}

/// `Result` is a result with the library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
