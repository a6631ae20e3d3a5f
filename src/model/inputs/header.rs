//! Columns that are no coordinates are refused, as their names and numbers tell.

use super::cell::{Cell, number};
use super::fault::Fault;
use super::names::counts_from_zero;
use super::table::Table;

/// Names of columns that number the rows.
const COUNTERS: [&str; 6] = ["index", "idx", "id", "row", "rownames", "no"];

const ROW_NAMES: &str = "the first column has no name and numbers or names the rows: it is no coordinate; write the file with write.table(.., row.names=FALSE), or without the index";

/// Refuses a header that says of a column that it is no coordinate, or that does not fit.
///
/// # Panics
/// If the table has no rows.
pub fn check_header(table: &Table) -> Result<(), Fault> {
    let Some((row, names)) = &table.header else {
        return Ok(());
    };
    let first = &table.rows[0];
    let cells = table.cells(first)?;
    let (named, found) = (names.len(), cells.len());
    let name = names[0].text;
    if (name.is_empty() && named > 1) || name.to_ascii_lowercase().starts_with("unnamed:") {
        return Err(row.fault(
            "the first column has no name: it is an index of pandas or row names of R and no coordinate; write the file with to_csv(.., index=False) or write.csv(.., row.names=FALSE)",
        ));
    }
    let is_text = |c: &Cell| c.is_quoted || number(c.text).is_err();
    if named + 1 == found && is_text(&cells[0]) && !cells[1..].iter().any(is_text) {
        return Err(first.fault(ROW_NAMES));
    }
    let named = named - names.iter().rev().take_while(|c| c.text.is_empty()).count();
    // One fewer may be for lack of a name of the index.
    if table.lists(row) && named != found && named + 1 != found {
        return Err(first.fault(format!(
            "{found} coordinates, the header (line {}) names {named}",
            row.number
        )));
    }
    Ok(())
}

/// Refuses a first column that counts, and a first line that does, where they are known to be no
/// coordinate and no point.
///
/// # Panics
/// If there are no points.
pub fn check_index(table: &Table, points: &[Vec<f64>]) -> Result<(), Fault> {
    let (start, d_in) = (points[0][0], points[0].len());
    let counts = points.len() > 1
        && (start == 0.0 || start == 1.0)
        && (points.iter().enumerate()).all(|(k, x)| x[0] == start + k as f64);
    let first = &table.rows[0];
    let Some((row, names)) = &table.header else {
        if counts && all_cells(table, |k, cell| cell.is_quoted == (k == 0))? && d_in > 1 {
            return Err(first.fault(ROW_NAMES));
        }
        return check_numbered_columns(table, points);
    };
    let name = names[0].text;
    if counts && names.len() + 1 == d_in {
        return Err(first.fault(ROW_NAMES));
    }
    if table.lists(row) && names.len() + 1 == d_in {
        return Err(first.fault(format!(
            "{d_in} coordinates, the header (line {}) names {}",
            row.number,
            names.len()
        )));
    }
    // Filtered frames keep the numbers of their rows.
    let numbers = || points.iter().all(|x| x[0].fract() == 0.0);
    if d_in > 1 && COUNTERS.iter().any(|c| name.eq_ignore_ascii_case(c)) && numbers() {
        return Err(row.fault(format!(
            "the column '{name}' numbers the rows and is taken for an index, not for a coordinate; write the file without it, as pandas does with to_csv(.., index=False), or rename the column"
        )));
    }
    Ok(())
}

/// Refuses the names that pandas gives to columns without any, 0 to d_in - 1, above a table of
/// decimals.
fn check_numbered_columns(table: &Table, points: &[Vec<f64>]) -> Result<(), Fault> {
    let first = &table.rows[0];
    if points.len() < 3 || points[0].len() < 2 || !counts_from_zero(&table.cells(first)?) {
        return Ok(());
    }
    for row in &table.rows[1..] {
        let cells = table.cells(row)?;
        if !cells.iter().all(|c| c.text.contains(['.', 'e', 'E'])) {
            return Ok(());
        }
    }
    Err(first.fault(
        "the first line counts the columns above a table of decimals and is taken for pandas' names of them; write the file with to_csv(.., header=False, index=False), or, if it is a point, with decimals as the others",
    ))
}

fn all_cells(table: &Table, holds: impl Fn(usize, &Cell) -> bool) -> Result<bool, Fault> {
    for row in &table.rows {
        if !(table.cells(row)?.iter().enumerate()).all(|(k, cell)| holds(k, cell)) {
            return Ok(false);
        }
    }
    Ok(true)
}
