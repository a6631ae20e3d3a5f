//! This module shows mistakes in expressions, with carets under the place.

use std::fmt::{self, Display};
use std::ops::Range;

/// Characters of an expression that an error shows around the place.
const WINDOW: usize = 72;

/// An expression error is a mistake in an expression: the expression, the place and one sentence.
///
/// ```
/// use nnqft_gpu::model::activation::Activation;
///
/// let error = "2*tahn(z)".parse::<Activation>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "there is no function tahn; did you mean tanh?\n    2*tahn(z)\n      ^^^^",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    expression: String,
    place: Range<usize>,
    message: String,
}

impl ExpressionError {
    pub(super) fn new(expression: &str, place: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            expression: expression.into(),
            place,
            message: message.into(),
        }
    }

    /// Returns the expression as it was given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Returns the bytes of the expression that the sentence is about; an empty range at its end
    /// where something is missing there.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// Says what is wrong, and what would be right.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the part of the expression around the place, and the columns of the place in it.
    fn window(&self) -> (String, Range<usize>) {
        // One column a character: those that move the cursor are not shown as they are.
        let show = |c: char| if c.is_control() { ' ' } else { c };
        let chars: Vec<char> = self.expression.chars().map(show).collect();
        let column = |byte: usize| {
            let before = |&(at, _): &(usize, char)| at < byte;
            self.expression.char_indices().take_while(before).count()
        };
        let (start, end) = (column(self.place.start), column(self.place.end));
        let from = if chars.len() <= WINDOW {
            0
        } else {
            let middle = start + (end - start).min(WINDOW) / 2;
            middle.saturating_sub(WINDOW / 2).min(chars.len() - WINDOW)
        };
        let to = chars.len().min(from + WINDOW);
        let (before, after) = (
            if from > 0 { ".." } else { "" },
            if to < chars.len() { ".." } else { "" },
        );
        let text: String = chars[from..to].iter().collect();
        let at = |column: usize| column.clamp(from, to) - from + before.len();
        let columns = at(start)..at(end).max(at(start) + 1);
        (format!("{before}{text}{after}"), columns)
    }
}

impl Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, columns) = self.window();
        let (before, carets) = (" ".repeat(columns.start), "^".repeat(columns.len()));
        write!(f, "{}\n    {text}\n    {before}{carets}", self.message)
    }
}

impl std::error::Error for ExpressionError {}

impl From<ExpressionError> for crate::Error {
    fn from(error: ExpressionError) -> Self {
        crate::Error::invalid("activation", excerpt(&error.expression), error.to_string())
    }
}

/// Shortens a text that is shown within a sentence to its beginning, if it is long.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.into(),
    }
}

/// Returns the known name that a misspelled one resembles.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, nearest) = known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .min_by_key(|&(distance, _)| distance)?;
    // A short name may differ wholly; a long one must share half of its letters.
    (2 * distance <= name.chars().count().max(2)).then_some(nearest)
}

/// Counts the letters to insert, delete, replace or swap with their neighbour between two names.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: [Vec<usize>; 3] = [vec![], vec![], (0..=b.len()).collect()];
    for i in 1..=a.len() {
        rows.rotate_left(1);
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let other = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[1][j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[0][j - 2] + 1);
            }
        }
        rows[2] = row;
    }
    rows[2][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_known() {
        for (a, b, n) in [
            ("", "", 0),
            ("abs", "", 3),
            ("", "abs", 3),
            ("kitten", "sitting", 3),
            ("tahn", "tanh", 1),
            ("π", "pi", 2),
        ] {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }

    #[test]
    fn carets_stand_under_the_place_whatever_the_letters() {
        let text = "zπ\t*é";
        let at = text.find('*').unwrap();
        let error = ExpressionError::new(text, at..at + 1, "no");
        assert_eq!(error.to_string(), "no\n    zπ *é\n       ^");
        // Something is missing at the end.
        let error = ExpressionError::new("é+", 3..3, "no");
        assert_eq!(error.to_string(), "no\n    é+\n      ^");
    }

    #[test]
    fn of_long_expressions_the_part_around_the_place_is_shown() {
        let text = "é".repeat(100) + "!" + &"é".repeat(100);
        let error = ExpressionError::new(&text, 200..201, "no").to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines[1].trim().chars().count(), WINDOW + 4);
        let column = |line: &str, c: char| line.chars().position(|x| x == c).unwrap();
        assert_eq!(column(lines[1], '!'), column(lines[2], '^'));
        // At either end, and longer than what is shown.
        for place in [0..1, 400..401, 400..402, 0..401, 401..401] {
            let (shown, columns) = ExpressionError::new(&text, place, "no").window();
            assert!(columns.end <= shown.chars().count() + 1);
        }
    }
}
