//! The layout of tables.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

use crate::analysis::Reference;
use crate::theory::MIN_MEAN_UNIT;

/// The title of a column of what theory knows beyond the GP.
pub fn reference_title<'a>(all: impl Iterator<Item = &'a Reference>) -> &'static str {
    let names = all.filter(|r| r.known().is_some()).map(Reference::name);
    let same = |a, b| if a == b { a } else { "theory" };
    names.reduce(same).unwrap_or("exact")
}

/// The number of blanks between columns, where there is room.
const BLANKS: usize = 3;

/// Room for every column.
pub const WIDE: usize = usize::MAX;

/// A table of these columns, of which the first so many are text.
pub fn table(header: &[&str], left: usize) -> Table {
    Table {
        header: header.iter().map(|title| title.to_string()).collect(),
        left,
        rows: Vec::new(),
        expendable: Vec::new(),
    }
}

/// A table is fitted to the width that there is.
pub struct Table {
    header: Vec<String>,
    left: usize,
    rows: Vec<Vec<String>>,
    /// Titles of columns that are left out where room is scarce, the first of them first.
    expendable: Vec<&'static str>,
}

impl Table {
    /// The row has a cell for each column.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Columns of these titles are left out where room is scarce, the first of them first, and
    /// their errors with them.
    pub fn without(mut self, titles: &[&'static str]) -> Self {
        self.expendable = titles.to_vec();
        self
    }

    /// The text is no wider than this, if fewer blanks between columns and leaving columns out can make it so; a line
    /// below names them.
    pub fn fit(&self, width: usize) -> String {
        let mut kept: Vec<usize> = (0..self.header.len()).collect();
        let mut gone = Vec::new();
        for title in &self.expendable {
            if self.width(&kept, BLANKS - 1) <= width {
                break;
            }
            let is_error = |k: usize| self.header[k].starts_with('±') && k > 0;
            let before = kept.len();
            kept.retain(|&k| {
                let owner = if is_error(k) { k - 1 } else { k };
                self.header[owner] != *title
            });
            if kept.len() < before {
                gone.push(*title);
            }
        }
        let fits = |blanks: &usize| self.width(&kept, *blanks) <= width;
        let text = self.layout(&kept, (1..=BLANKS).rev().find(fits).unwrap_or(1));
        match gone.is_empty() {
            true => text,
            false => format!("{text}\nno room for {}; --json has all", gone.join(", ")),
        }
    }

    /// The columns take so much room with these blanks between them.
    fn width(&self, columns: &[usize], blanks: usize) -> usize {
        let cell = |text: &String| text.chars().count();
        let column = |&k: &usize| {
            let cells = self.rows.iter().map(|row| cell(&row[k]));
            cells.fold(cell(&self.header[k]), usize::max)
        };
        columns.iter().map(column).sum::<usize>() + blanks * columns.len().saturating_sub(1)
    }

    fn layout(&self, columns: &[usize], blanks: usize) -> String {
        let line = LineStyle::none().fill('─').junction('─');
        let mut table = comfy_table::Table::new();
        table
            .load_style(TableStyle::new().header_separator(line))
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(columns.iter().map(|&k| &self.header[k]));
        for row in &self.rows {
            table.add_row(columns.iter().map(|&k| &row[k]));
        }
        for (at, (&k, column)) in columns.iter().zip(table.column_iter_mut()).enumerate() {
            // Blanks between columns, of which one is the border, none at either end.
            column.set_padding((if at == 0 { 0 } else { blanks as u16 - 1 }, 0));
            if k >= self.left {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.fit(WIDE))
    }
}

/// Points, and outputs if there are several: 0,0,1,2 of 0,0,1,1.
pub fn points(index: &[usize], outputs: Option<&Vec<usize>>) -> String {
    let list = |all: &[usize]| {
        all.iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    match outputs {
        None => list(index),
        Some(outputs) => format!("{} of {}", list(index), list(outputs)),
    }
}

/// Which elements a row's means do without.
pub fn left_out(order: usize, left_out: usize, of: usize, d_out: usize) -> String {
    if left_out == 0 {
        return String::new();
    }
    let outputs = match d_out {
        1 => "",
        _ => ", or vanishes because outputs do not pair",
    };
    format!(
        "n = {order}: {left_out} of {of} elements left out of the means, as their GP value is below {MIN_MEAN_UNIT} sqrt(prod K_ii){outputs}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_left_out_by_rank_with_their_errors() {
        let mut rows = table(&["n", "mean", "± error", "spread", "± error", "verdict"], 0)
            .without(&["spread", "mean"]);
        rows.add_row(["4", "0.5", "0.1", "1e-5", "1e-6", "above"]);
        let titles = |width: usize| {
            let text = rows.fit(width);
            text.lines()
                .next()
                .unwrap()
                .split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(titles(WIDE).len(), 8);
        assert_eq!(titles(50).len(), 8);
        // Fewer blanks come before fewer columns.
        let narrow = rows.fit(43);
        let widest = |text: &str| text.lines().map(|l| l.chars().count()).max().unwrap();
        assert_eq!((titles(43).len(), widest(&narrow)), (8, 43));
        assert_eq!(titles(30), ["n", "mean", "±", "error", "verdict"]);
        assert_eq!(titles(12), ["n", "verdict"]);
        // What nothing can be left out of stays.
        assert_eq!(titles(3), ["n", "verdict"]);
        assert_eq!(rows.fit(3).lines().next().unwrap(), "n verdict");
        assert!(rows.fit(30).ends_with("no room for spread; --json has all"));
        assert!(
            rows.fit(12)
                .lines()
                .take(3)
                .all(|l| l.chars().count() <= 12)
        );
        assert_eq!(rows.to_string(), rows.fit(WIDE));
    }
}
