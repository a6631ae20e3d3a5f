//! A table has rows of cells, as programs and people write them.

use super::cell::{Cell, has_decimal_comma, number};
use super::fault::Fault;
use super::names::is_header;

const EXPECTED: &str =
    "expected one point a line, its coordinates between commas, semicolons, tabs or blanks";

const MARKS: [char; 4] = [',', ';', '\t', ' '];

/// A row is a line that is neither blank nor all comment.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub number: u64,
    /// The line without its comment.
    text: &'a str,
    has_comment: bool,
}

impl Row<'_> {
    /// Makes an error at this line, which is shown.
    pub fn fault(&self, what: impl std::fmt::Display) -> Fault {
        let line: String = self.text.trim().chars().take(60).collect();
        let more = if line.len() < self.text.trim().len() {
            ".."
        } else {
            ""
        };
        Fault::at(
            self.number,
            format!("{what}; {EXPECTED}; the line is {line:?}{more}"),
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    One(char),
    /// Blanks, tabs, and runs of both.
    Blank,
}

/// A table holds the lines of a file that are points, and how they hold them.
#[derive(Debug)]
pub struct Table<'a> {
    separator: Separator,
    /// The first line, if it names the columns.
    pub header: Option<(Row<'a>, Vec<Cell<'a>>)>,
    pub rows: Vec<Row<'a>>,
    /// Columns up to the last that holds anything.
    columns: usize,
}

impl<'a> Table<'a> {
    pub fn new(text: &'a str) -> Result<Self, Fault> {
        let mut rows = rows(text);
        let mut table = Self {
            separator: separator(&rows)?,
            header: None,
            rows: Vec::new(),
            columns: 0,
        };
        if let Some(first) = rows.first() {
            let cells = table.split(first)?;
            if is_header(&cells) && (rows.len() > 1 || !cells[0].text.is_empty()) {
                table.header = Some((rows.remove(0), cells));
            }
        }
        table.rows = rows;
        // Spreadsheets end with lines of separators alone.
        while let Some(last) = table.rows.last()
            && table.separator != Separator::Blank
            && table.split(last)?.iter().all(Cell::is_empty)
        {
            table.rows.pop();
        }
        let held = |cells: &[Cell]| {
            cells
                .iter()
                .rposition(|c| !c.is_empty())
                .map_or(0, |k| k + 1)
        };
        table.columns = table.header.as_ref().map_or(0, |(_, names)| held(names));
        for row in &table.rows {
            table.columns = table.columns.max(held(&table.split(row)?));
        }
        Ok(table)
    }

    /// Returns the cells of a row without the empty ones beyond the last column.
    pub fn cells(&self, row: &Row<'a>) -> Result<Vec<Cell<'a>>, Fault> {
        let mut cells = self.split(row)?;
        cells.truncate(self.columns);
        Ok(cells)
    }

    /// Tells whether a header lists names, rather than being a title: it has the mark that
    /// separates cells, or it is a single word.
    pub fn lists(&self, header: &Row) -> bool {
        let is_marked =
            matches!(self.separator, Separator::One(mark) if header.text.contains(mark));
        !header.has_comment && (is_marked || header.text.split_whitespace().count() == 1)
    }

    /// Returns the coordinates in a row.
    pub fn point(&self, row: &Row<'a>) -> Result<Vec<f64>, Fault> {
        (self.cells(row)?.iter().enumerate())
            .map(|(k, cell)| {
                let column = match self.columns {
                    1 => String::new(),
                    _ => format!(" (column {})", k + 1),
                };
                if self.separator == Separator::One(';') && has_decimal_comma(cell.text) {
                    return Err(decimal_comma(row, cell.text));
                }
                if cell.text.is_empty() {
                    return Err(row.fault(format!(
                        "there is no value{column}, and every point needs all its coordinates"
                    )));
                }
                number(cell.text)
                    .map_err(|what| row.fault(format!("'{}' {what}{column}", shown(cell.text))))
            })
            .collect()
    }

    fn split(&self, row: &Row<'a>) -> Result<Vec<Cell<'a>>, Fault> {
        let ends = |c: char| match self.separator {
            Separator::One(mark) => c == mark,
            Separator::Blank => c.is_whitespace(),
        };
        let (mut quoted, mut start) = (false, 0);
        let mut all = Vec::new();
        let mut push = |text: &'a str| {
            let text = text.trim();
            let inner = ['"', '\''].iter().find_map(|&q| {
                (text.len() > 1)
                    .then(|| text.strip_prefix(q)?.strip_suffix(q))
                    .flatten()
            });
            if self.separator != Separator::Blank || !text.is_empty() {
                all.push(Cell {
                    text: inner.unwrap_or(text).trim(),
                    is_quoted: inner.is_some(),
                });
            }
        };
        for (at, c) in row.text.char_indices() {
            if c == '"' {
                quoted = !quoted;
            } else if !quoted && ends(c) {
                push(&row.text[start..at]);
                start = at + c.len_utf8();
            }
        }
        push(&row.text[start..]);
        match quoted {
            true => Err(row.fault("a quote is not closed")),
            false => Ok(all),
        }
    }
}

fn shown(cell: &str) -> String {
    match cell.chars().count() {
        0..=40 => cell.into(),
        _ => cell.chars().take(40).chain("..".chars()).collect(),
    }
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut number = 0;
    let mut all = Vec::new();
    // "\r\n" of Windows, "\n", and "\r" of old Macintoshes.
    for line in text.split('\n') {
        for line in line.strip_suffix('\r').unwrap_or(line).split('\r') {
            number += 1;
            let code = code(line);
            let is_hint = all.is_empty() && code.trim().starts_with("sep=");
            if !code.trim().is_empty() && !is_hint {
                all.push(Row {
                    number,
                    text: code,
                    has_comment: code.len() < line.len(),
                });
            }
        }
    }
    all
}

/// Returns a line without its comment. A per cent sign after a number is no comment, nor is what a
/// spreadsheet or a C library writes in place of a number (`#N/A`, `1.#INF`).
fn code(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => {
                let is_apart = at == 0 || line[..at].ends_with([' ', '\t', ',', ';']);
                if is_apart && !is_error_value(&line[at..]) {
                    return &line[..at];
                }
            }
            '%' if !quoted => {
                let (before, after) = (&line[..at], line[at + 1..].trim_start());
                let is_unit = before.trim_end() != ""
                    && (!before.ends_with([' ', '\t', ',', ';'])
                        || after.is_empty()
                        || after.starts_with([',', ';', '%', '"']));
                if !is_unit {
                    return before;
                }
            }
            _ => {}
        }
    }
    line
}

/// Tells whether a text begins with an error value of a spreadsheet: `#N/A`, `#NV`, `#DIV/0!`,
/// `#NAME?`.
fn is_error_value(text: &str) -> bool {
    let value = text.split([',', ';', '\t', ' ', '"']).next().unwrap_or("");
    let is_shouted = !value.contains(char::is_lowercase) && value.len() > 2;
    is_shouted && (value.ends_with(['!', '?']) || value.starts_with("#N/") || value == "#NV")
}

/// Finds what stands between the numbers.
fn separator(rows: &[Row]) -> Result<Separator, Fault> {
    // A first row without a number may be a header with marks of its own.
    let is_number = |word: &str| number(word.trim_matches(['"', '\''])).is_ok();
    let data = match rows {
        [first, rest @ ..] if !rest.is_empty() && !(first.text.split(MARKS)).any(is_number) => rest,
        rows => rows,
    };
    let has = |mark: char| (data.iter()).any(|row| unquoted(row.text).any(|c| c == mark));
    if has(';') {
        return Ok(Separator::One(';'));
    }
    if has(',') {
        for row in data {
            let words: Vec<&str> = row.text.split_whitespace().collect();
            if words.len() > 1 && words.iter().all(|word| has_decimal_comma(word)) {
                return Err(decimal_comma(row, words[0]));
            }
        }
        return Ok(Separator::One(','));
    }
    // A table of tabs has as many in every line, the header included, and no empty cells and
    // none of several words, to begin with.
    let tabs = |row: &Row| row.text.matches('\t').count();
    let is_table = rows.get(1).or(rows.first()).is_some_and(|row| {
        tabs(row) > 0
            && rows.iter().all(|other| tabs(other) == tabs(row))
            && (row.text.split('\t')).all(|cell| cell.split_whitespace().count() == 1)
    });
    Ok(match is_table {
        true => Separator::One('\t'),
        false => Separator::Blank,
    })
}

fn decimal_comma(row: &Row, cell: &str) -> Fault {
    row.fault(format!(
        "'{cell}' has a comma where commas are not the separator: if it is a decimal comma, write a decimal point; if it separates coordinates, give each point a line of its own"
    ))
}

fn unquoted(text: &str) -> impl Iterator<Item = char> {
    let mut quoted = false;
    text.chars().filter(move |&c| {
        quoted ^= c == '"';
        !quoted && c != '"'
    })
}
