//! Figures: data first, drawn as SVG or as text, and written as CSV and JSON beside it.

mod scale;
mod svg;
mod terminal;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use scale::Scale;

use crate::state::replace;

/// One plot.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// File name without extension.
    pub name: String,
    /// What is shown, in a line.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is plotted, bottom to top.
    pub series: Vec<Series>,
}

/// One axis.
#[derive(Debug, Clone, Serialize)]
pub struct Axis {
    /// Quantity, with its unit if it has one.
    pub label: String,
    /// Linear or logarithmic; a logarithmic axis has no place for values below or at zero.
    pub scale: Scale,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        let (label, scale) = (label.into(), Scale::Linear);
        Self { label, scale }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        let (label, scale) = (label.into(), Scale::Log);
        Self { label, scale }
    }
}

/// How a series is drawn. Marks differ in shape as well as in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Filled circles.
    Dots,
    /// Open circles.
    Rings,
    /// Filled squares.
    Squares,
    /// Open diamonds.
    Diamonds,
    /// Filled triangles.
    Triangles,
    /// A line.
    Line,
    /// A dashed line.
    Dashes,
    /// The area between `range[0]` and `range[1]`.
    Band,
}

impl Style {
    /// Filled marks for the series of a figure, another for each of three in turn.
    pub fn nth_mark(k: usize) -> Self {
        [Self::Triangles, Self::Dots, Self::Squares][k % 3]
    }
}

/// Points of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// What they are.
    pub label: String,
    /// Index into the palette; series of one colour belong together.
    pub colour: usize,
    /// How they are drawn.
    pub style: Style,
    /// The mark in a terminal.
    pub symbol: char,
    /// The points, in order of x for lines.
    pub points: Vec<Point>,
}

/// One point.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Point {
    /// Horizontal.
    pub x: f64,
    /// Vertical.
    pub y: f64,
    /// Ends of the error bar or band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
}

impl Point {
    /// With an error bar of one standard error on both sides.
    pub fn measured(x: f64, y: f64, std_err: Option<f64>) -> Self {
        let range = std_err.filter(|&e| e > 0.0).map(|e| [y - e, y + e]);
        Self { x, y, range }
    }

    /// Without an error.
    pub fn new(x: f64, y: f64) -> Self {
        Self::measured(x, y, None)
    }
}

impl Series {
    /// A series without points.
    pub fn new(label: impl Into<String>, colour: usize, style: Style) -> Self {
        Self {
            label: label.into(),
            colour,
            style,
            symbol: match style {
                Style::Dots | Style::Squares | Style::Triangles => 'o',
                Style::Rings | Style::Diamonds => '+',
                Style::Line | Style::Band => '·',
                Style::Dashes => '-',
            },
            points: Vec::new(),
        }
    }

    /// With these points; those without a value are left out.
    pub fn with(mut self, points: impl IntoIterator<Item = Option<Point>>) -> Self {
        self.points.extend(points.into_iter().flatten());
        self
    }

    /// With the order of an n-point function as its mark in a terminal.
    pub fn of_order(self, n: usize) -> Self {
        match char::from_digit(n as u32, 10) {
            Some(digit) => self.marked(digit),
            None => self,
        }
    }

    /// With another mark in a terminal.
    pub fn marked(mut self, symbol: char) -> Self {
        self.symbol = symbol;
        self
    }
}

impl Figure {
    /// Points that can be drawn: finite, and above zero on a logarithmic axis.
    fn drawable<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = Point> + 'a {
        (series.points.iter())
            .copied()
            .filter(|p| self.x.scale.has(p.x) && self.y.scale.has(p.y))
    }

    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        self.series
            .iter()
            .all(|s| self.drawable(s).next().is_none())
    }

    /// Smallest and largest values on each axis, with a margin. Error bars that reach far
    /// down a logarithmic axis are cut.
    fn ranges(&self) -> [[f64; 2]; 2] {
        let points = || self.series.iter().flat_map(|s| self.drawable(s));
        let ys = points().flat_map(|p| {
            let ends = p.range.unwrap_or([p.y, p.y]);
            let low = match self.y.scale {
                Scale::Log => ends[0].max(p.y / 3.0),
                Scale::Linear => ends[0],
            };
            [p.y, low, ends[1]]
        });
        [
            self.x.scale.around(points().map(|p| p.x)),
            self.y.scale.around(ys),
        ]
    }

    /// CSV with the columns series, x, y, low, high; low and high are empty without a range.
    pub fn csv(&self) -> String {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut row = |cells: [&str; 5]| csv.write_record(cells).expect("memory takes all");
        row(["series", &self.x.label, &self.y.label, "low", "high"]);
        for series in &self.series {
            for p in &series.points {
                let [low, high] = match p.range {
                    Some(ends) => ends.map(|e| e.to_string()),
                    None => Default::default(),
                };
                row([
                    &series.label,
                    &p.x.to_string(),
                    &p.y.to_string(),
                    &low,
                    &high,
                ]);
            }
        }
        let bytes = csv.into_inner().expect("memory takes all");
        String::from_utf8(bytes).expect("numbers and labels are text")
    }

    /// Writes `<name>.svg` and `<name>.csv` to a folder.
    ///
    /// # Errors
    /// Those of writing the files.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        replace(&self.path(dir, "svg"), self.svg().as_bytes())?;
        replace(&self.path(dir, "csv"), self.csv().as_bytes())
    }

    /// Writes `<name>.json` to a folder.
    ///
    /// # Errors
    /// Those of writing the file.
    pub fn write_json(&self, dir: &Path) -> io::Result<()> {
        let text = serde_json::to_string(self)? + "\n";
        replace(&self.path(dir, "json"), text.as_bytes())
    }

    fn path(&self, dir: &Path, extension: &str) -> PathBuf {
        dir.join(format!("{}.{extension}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(scale: fn(&str) -> Axis, style: Style, points: &[(f64, f64)]) -> Figure {
        let points = points
            .iter()
            .map(|&(x, y)| Some(Point::measured(x, y, Some(0.1))));
        Figure {
            name: "f".into(),
            title: "a < b".into(),
            x: scale("x"),
            y: scale("y"),
            series: vec![Series::new("data", 0, style).with(points)],
        }
    }

    fn linear(label: &str) -> Axis {
        Axis::linear(label)
    }

    fn log(label: &str) -> Axis {
        Axis::log(label)
    }

    /// Values that can be pointed at, in a drawing without a number that is none.
    fn drawn(figure: &Figure) -> usize {
        let (svg, text) = (figure.svg(), figure.text(80));
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("a &lt; b") && !svg.contains("NaN") && !svg.contains("inf"));
        assert!(text.lines().all(|l| l.chars().count() <= 80) && !text.contains("NaN"));
        svg.matches("class=\"value\"").count()
    }

    const STYLES: [Style; 8] = [
        Style::Dots,
        Style::Rings,
        Style::Squares,
        Style::Diamonds,
        Style::Triangles,
        Style::Line,
        Style::Dashes,
        Style::Band,
    ];

    #[test]
    fn nothing_is_drawn_of_nothing() {
        for scale in [linear, log] {
            for style in STYLES {
                let figure = figure(scale, style, &[]);
                assert!(figure.is_empty());
                assert_eq!(drawn(&figure), 0);
            }
        }
        let csv = figure(linear, Style::Dots, &[]).csv();
        assert_eq!(csv, "series,x,y,low,high\n");
    }

    #[test]
    fn one_point_is_a_figure() {
        for scale in [linear, log] {
            for style in STYLES {
                for at in [(1.0, 2.0), (1e-300, 1e300), (5e-324, 1.0)] {
                    let figure = figure(scale, style, &[at]);
                    assert!(!figure.is_empty());
                    assert_eq!(drawn(&figure), 1, "{style:?} {at:?}");
                }
            }
        }
    }

    #[test]
    fn what_has_no_logarithm_is_left_out_of_the_drawing_but_not_of_the_data() {
        let points = [
            (1.0, 0.0),
            (10.0, -1.0),
            (0.0, 1.0),
            (10.0, f64::NAN),
            (2.0, 3.0),
        ];
        for style in STYLES {
            let figure = figure(log, style, &points);
            assert_eq!(drawn(&figure), 1, "{style:?}");
            assert!(!figure.is_empty());
            assert_eq!(figure.csv().lines().count(), 6);
        }
        assert!(figure(log, Style::Dots, &points[..4]).is_empty());
        assert_eq!(drawn(&figure(linear, Style::Dots, &points)), 4);
    }

    #[test]
    fn numbers_of_the_data_are_whole() {
        let third = 1.0 / 3.0;
        let csv = figure(linear, Style::Dots, &[(third, -1e-300)]).csv();
        let row = csv.lines().nth(1).unwrap();
        let cells: Vec<f64> = row.split(',').skip(1).map(|x| x.parse().unwrap()).collect();
        assert_eq!(cells, [third, -1e-300, -0.1, 0.1]);
        let point = Series::new("s", 0, Style::Dots).with([None, Some(Point::new(1.0, 2.0))]);
        assert_eq!(point.points.len(), 1);
    }
}
