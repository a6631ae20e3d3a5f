//! This module reads points in text.

use super::fault::Fault;
use super::header::{check_header, check_index};
use super::table::Table;

/// Parses the points of a text file, shape `[points][d_in]`.
///
/// Commas, semicolons, tabs or runs of blanks between numbers; `#` and `%` begin comments; a
/// first line without a number is a header; line ends of any system; a separator that ends every
/// line separates nothing.
pub fn parse(text: &str) -> Result<Vec<Vec<f64>>, Fault> {
    let table = Table::new(text)?;
    let Some(first) = table.rows.first() else {
        return Err(Fault::file(match table.header {
            None => "the file holds no points",
            Some(_) => "the file holds no points, only a header",
        }));
    };
    check_header(&table)?;
    let wanted = table.cells(first)?.len();
    let mut points = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let point = table.point(row)?;
        if point.len() != wanted {
            return Err(row.fault(format!(
                "{} coordinates, the first point (line {}) has {wanted}",
                point.len(),
                first.number
            )));
        }
        points.push(point);
    }
    check_index(&table, &points)?;
    Ok(points)
}
