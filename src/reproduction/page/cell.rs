//! Tables of the page are made of cells that know where their numbers stand.

use std::borrow::Cow;

use serde::Serialize;

use super::view;
use crate::report::number::{beyond_rounding, measured};
use crate::reproduction::traced::{Number, Quantity, Traced};

/// A cell of a table has text, and where the link leads to if it has one: the place of its number in the view of a
/// document, or a file.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    pub caption: Cow<'static, str>,
    pub header: &'static [&'static str],
    pub rows: Vec<Vec<Cell>>,
}

impl Cell {
    /// Makes a cell of text that stands nowhere else.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            href: None,
        }
    }

    /// Makes the cell of what is not known.
    pub fn unknown() -> Self {
        Self::text("–")
    }

    /// Makes the cell of a verdict's number.
    pub fn of(number: &Number) -> Self {
        Self {
            text: measured(beyond_rounding(number.value, number.size), number.std_err),
            href: Some(view::href(&number.from)),
        }
    }

    /// Makes the cell of a document's number with its error, if it has a value.
    pub fn number<T: Quantity>(value: Traced<T>, std_err: Option<f64>) -> Self {
        (value.number("", std_err)).map_or_else(Self::unknown, |n| Self::of(&n))
    }

    /// Makes the cell of a document's number, which is zero where rounding is all that is left of numbers of this
    /// size.
    pub fn rest<T: Quantity>(value: Traced<T>, size: f64) -> Self {
        let number = value.number("", None).map(|n| n.of_size(size));
        number.map_or_else(Self::unknown, |n| Self::of(&n))
    }

    /// Makes a cell of text with a link to a file.
    pub fn link(text: impl Into<String>, file: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            href: Some(file.into()),
        }
    }

    /// Returns where the link leads to.
    pub fn href(&self) -> Option<&str> {
        self.href.as_deref()
    }

    /// Makes a cell of one of two words, if the question is decided.
    pub fn decided(holds: Option<bool>, [yes, no]: [&str; 2]) -> Self {
        holds.map_or_else(Self::unknown, |h| Self::text(if h { yes } else { no }))
    }

    /// Makes a cell that says whether averages have converged.
    pub fn convergence(is_converged: bool) -> Self {
        Self::decided(Some(is_converged), ["converged", "NOT CONVERGED"])
    }
}

/// `OrUnknown` makes a dash of the cell where its part of a document is missing.
pub(super) trait OrUnknown {
    fn or_unknown(self) -> Cell;
}

impl OrUnknown for Option<Cell> {
    fn or_unknown(self) -> Cell {
        self.unwrap_or_else(Cell::unknown)
    }
}
