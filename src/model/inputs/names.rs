//! A first line may name the columns.

use super::cell::{Cell, is_name};

/// Tells whether a first line names the columns: no cell holds anything like a number, or the
/// columns of a pandas frame without names (",0,1").
pub fn is_header(cells: &[Cell]) -> bool {
    let has_text = |c: &Cell| !c.text.is_empty();
    let (first, last) = (
        cells.iter().position(has_text),
        cells.iter().rposition(has_text),
    );
    let (Some(first), Some(last)) = (first, last) else {
        return false;
    };
    let is_frame = first == 1 && counts_from_zero(&cells[1..]);
    is_frame || cells[first..=last].iter().all(|c| is_name(c.text))
}

/// Tells whether cells are 0, 1, 2, ..
pub fn counts_from_zero(cells: &[Cell]) -> bool {
    (cells.iter().enumerate()).all(|(k, cell)| cell.text == k.to_string())
}
