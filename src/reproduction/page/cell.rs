//! Tables of the page are made of cells that know where their numbers stand.

use std::borrow::Cow;

use serde::Serialize;

use crate::report::number::measured;
use crate::reproduction::traced::{Number, Quantity, Traced};

/// A cell of a table has text, and the place where its number stands if it is one.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    pub caption: Cow<'static, str>,
    pub header: &'static [&'static str],
    pub rows: Vec<Vec<Cell>>,
}

impl Cell {
    /// Text that stands nowhere else.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            from: None,
        }
    }

    /// What is not known.
    pub fn unknown() -> Self {
        Self::text("–")
    }

    /// A number of a verdict.
    pub fn of(number: &Number) -> Self {
        Self {
            text: measured(number.value, number.std_err),
            from: Some(number.from.clone()),
        }
    }

    /// A number of a document with its error, if it has a value.
    pub fn number<T: Quantity>(value: Traced<T>, std_err: Option<f64>) -> Self {
        (value.number("", std_err)).map_or_else(Self::unknown, |n| Self::of(&n))
    }

    /// A text of a document.
    pub fn word<T: AsRef<str>>(value: Traced<T>) -> Self {
        Self {
            text: value.value.as_ref().replace('_', " "),
            from: Some(value.place()),
        }
    }

    /// Text with a link to a file.
    pub fn link(text: impl Into<String>, file: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            from: Some(file.into()),
        }
    }

    /// One of two words, if it is decided.
    pub fn decided(holds: Option<bool>, [yes, no]: [&str; 2]) -> Self {
        holds.map_or_else(Self::unknown, |h| Self::text(if h { yes } else { no }))
    }

    /// Whether averages have converged.
    pub fn convergence(is_converged: bool) -> Self {
        Self::decided(Some(is_converged), ["converged", "NOT CONVERGED"])
    }
}

/// A cell of a part of a document that may be missing is a dash where it is.
pub(super) trait OrUnknown {
    fn or_unknown(self) -> Cell;
}

impl OrUnknown for Option<Cell> {
    fn or_unknown(self) -> Cell {
        self.unwrap_or_else(Cell::unknown)
    }
}
