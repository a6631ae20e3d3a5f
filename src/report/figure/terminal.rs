use super::scale::Span;
use super::{Figure, Panel, Series, Style};

/// The plot itself has so many rows.
const ROWS: usize = 18;

impl Figure {
    /// The text has at most `width` columns: full marks cover open ones,
    /// and marks cover lines.
    pub fn text(&self, width: usize) -> String {
        let width = width.clamp(40, 100);
        let panels: String = self.panels.iter().map(|panel| panel.text(width)).collect();
        panels + &self.legend_text(width)
    }

    /// The legend has a key for each label, with all marks of it.
    fn legend_text(&self, width: usize) -> String {
        let mut lines: Vec<String> = Vec::new();
        for key in self.keys() {
            let marks: String = key.symbols.iter().collect();
            let entry = format!("{marks} {}", key.label);
            let longer = |line: &String| line.chars().count() + 3 + entry.chars().count();
            match lines.last_mut().filter(|line| longer(line) <= width) {
                Some(line) => *line = format!("{line}   {entry}"),
                None => lines.push(format!("  {entry}")),
            }
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Panel {
    fn text(&self, width: usize) -> String {
        let [x, y] = self.spans();
        let labels: Vec<(usize, String)> = (y.ticks(6).iter())
            .map(|&t| (row(&y, t), y.label(t)))
            .collect();
        let margin = labels
            .iter()
            .map(|(_, l)| l.chars().count())
            .max()
            .unwrap_or(0);
        let columns = width - margin - 3;
        let mut grid = vec![vec![' '; columns]; ROWS];
        let layer = |s: &Series| match s.style {
            Style::Line | Style::Dashes | Style::Band => 0,
            Style::Rings | Style::Diamonds => 1,
            Style::Dots | Style::Squares | Style::Triangles => 2,
        };
        let mut ordered: Vec<&Series> = self.series.iter().collect();
        ordered.sort_by_key(|s| layer(s));
        for series in ordered {
            let at: Vec<(f64, f64)> = (self.drawable(series))
                .map(|p| (x.fraction(p.x) * (columns - 1) as f64, y.fraction(p.y)))
                .collect();
            let mut put = |column: f64, height: f64| {
                if (0.0..=1.0).contains(&height) && column >= 0.0 {
                    let row = ((1.0 - height) * (ROWS - 1) as f64).round() as usize;
                    let column = (column.round() as usize).min(columns - 1);
                    grid[row][column] = series.symbol;
                }
            };
            if layer(series) == 0 {
                for pair in at.windows(2) {
                    let [(a, ya), (b, yb)] = [pair[0], pair[1]];
                    let steps = (b - a).abs().ceil().max(1.0) as usize;
                    for k in 0..=steps {
                        let t = k as f64 / steps as f64;
                        // Every other column: lines stay lighter than marks.
                        let column = (a + t * (b - a)).round();
                        if column % 2.0 == 0.0 {
                            put(column, ya + t * (yb - ya));
                        }
                    }
                }
            } else {
                at.iter().for_each(|&(column, height)| put(column, height));
            }
        }
        let mut text = match self.title.as_str() {
            "" => format!("{}\n", self.y.label),
            title => format!("{}, {title}\n", self.y.label),
        };
        for (r, cells) in grid.iter().enumerate() {
            let label = labels
                .iter()
                .find(|(at, _)| *at == r)
                .map_or("", |(_, l)| l);
            let axis = if label.is_empty() { '│' } else { '┤' };
            let cells: String = cells.iter().collect();
            text.push_str(&format!("{label:>margin$} {axis}{}\n", cells.trim_end()));
        }
        let mut axis = vec!['─'; columns];
        let mut below = vec![' '; columns];
        let mut free = 0;
        for tick in x.ticks(8) {
            let column = (x.fraction(tick) * (columns - 1) as f64).round() as usize;
            axis[column.min(columns - 1)] = '┬';
            let label: Vec<char> = x.label(tick).chars().collect();
            let start = column.saturating_sub(label.len() / 2);
            if start >= free && start + label.len() <= columns {
                below[start..start + label.len()].copy_from_slice(&label);
                free = start + label.len() + 1;
            }
        }
        let [axis, below] = [axis, below].map(|cells| cells.into_iter().collect::<String>());
        text.push_str(&format!("{:margin$} └{axis}\n", ""));
        text.push_str(&format!("{:margin$}  {}\n", "", below.trim_end()));
        let at = margin + 2 + (columns + self.x.label.chars().count()) / 2;
        text.push_str(&format!("{:>at$}\n", self.x.label));
        text
    }
}

fn row(y: &Span, value: f64) -> usize {
    ((1.0 - y.fraction(value)) * (ROWS - 1) as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Panel, Point, Series, Style};

    #[test]
    fn marks_sit_at_their_ticks_and_within_the_width() {
        let points = [1.0, 10.0, 100.0, 1000.0].map(|x| Some(Point::new(x, 1.0 / x)));
        let panel = Panel {
            title: String::new(),
            x: Axis::log("N"),
            y: Axis::log("m"),
            series: vec![
                Series::new("line", 0, Style::Line).with(points),
                Series::new("data", 0, Style::Dots).marked('4').with(points),
            ],
        };
        let figure = panel.alone("f", "a falloff");
        for width in [10, 40, 80, 300] {
            let text = figure.text(width);
            assert!(
                text.lines()
                    .all(|l| l.chars().count() <= width.clamp(40, 100)),
                "{text}"
            );
            let rows: Vec<&str> = text
                .lines()
                .filter(|l| l.contains('4') && l.contains('┤'))
                .collect();
            // One mark in each row of a tick, moving right.
            assert_eq!(rows.len(), 4, "{text}");
            let at: Vec<usize> = rows.iter().map(|r| r.find('4').unwrap()).collect();
            assert!(at.is_sorted() && at[0] < at[3], "{text}");
        }
    }
}
