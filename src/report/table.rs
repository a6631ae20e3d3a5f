//! All tables have one layout.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::theory::MIN_MEAN_UNIT;

/// The table has these columns, of which the first so many are text.
pub fn table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for (i, column) in table.column_iter_mut().enumerate() {
        // Two blanks between columns, none at either end.
        column.set_padding((if i == 0 { 0 } else { 2 }, 0));
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// An element is named by its points, and its outputs if there are several: 0,0,1,2 of 0,0,1,1.
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

/// A note says which elements a row's means do without.
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
