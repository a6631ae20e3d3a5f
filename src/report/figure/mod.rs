//! A figure is its data first: drawn as SVG or as text, and written as CSV and JSON beside it.

mod scale;
mod svg;
mod terminal;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use scale::Scale;

use crate::state::replace;

/// A figure is one plot.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The name is that of the file, without extension.
    pub name: String,
    /// The title says in a line what is shown.
    pub title: String,
    /// The horizontal axis is x.
    pub x: Axis,
    /// The vertical axis is y.
    pub y: Axis,
    /// The series are plotted from bottom to top.
    pub series: Vec<Series>,
}

/// An axis has a quantity and a scale.
#[derive(Debug, Clone, Serialize)]
pub struct Axis {
    /// The label is the quantity, with its unit if it has one.
    pub label: String,
    /// The scale decides what has a place: a logarithmic axis has none for values below or at zero.
    pub scale: Scale,
}

impl Axis {
    /// The axis is linear.
    pub fn linear(label: impl Into<String>) -> Self {
        let (label, scale) = (label.into(), Scale::Linear);
        Self { label, scale }
    }

    /// The axis is logarithmic.
    pub fn log(label: impl Into<String>) -> Self {
        let (label, scale) = (label.into(), Scale::Log);
        Self { label, scale }
    }
}

/// A style is how a series is drawn. Marks differ in shape as well as in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Style {
    /// Points are filled circles.
    Dots,
    /// Points are open circles.
    Rings,
    /// Points are filled squares.
    Squares,
    /// Points are open diamonds.
    Diamonds,
    /// Points are filled triangles.
    Triangles,
    /// A line joins the points.
    Line,
    /// A dashed line joins the points.
    Dashes,
    /// The area between `range[0]` and `range[1]` is filled.
    Band,
}

impl Style {
    /// The series of a figure take three filled marks in turn.
    pub fn nth_mark(k: usize) -> Self {
        [Self::Triangles, Self::Dots, Self::Squares][k % 3]
    }
}

/// A series is points of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// The label says what the points are.
    pub label: String,
    /// The colour is an index into the palette; series of one colour belong together.
    pub colour: usize,
    /// The style is how the points are drawn.
    pub style: Style,
    /// The symbol is the mark in a terminal.
    pub symbol: char,
    /// The points of a line are in order of x.
    pub points: Vec<Point>,
}

/// A point has a place, and may have a range.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Point {
    /// The horizontal coordinate is x.
    pub x: f64,
    /// The vertical coordinate is y.
    pub y: f64,
    /// The range holds the ends of the error bar or band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
}

impl Point {
    /// The point has an error bar of one standard error on both sides.
    pub fn measured(x: f64, y: f64, std_err: Option<f64>) -> Self {
        let range = std_err.filter(|&e| e > 0.0).map(|e| [y - e, y + e]);
        Self { x, y, range }
    }

    /// The point has no error.
    pub fn new(x: f64, y: f64) -> Self {
        Self::measured(x, y, None)
    }
}

impl Series {
    /// The series has no points yet.
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

    /// The series takes these points; those without a value are left out.
    pub fn with(mut self, points: impl IntoIterator<Item = Option<Point>>) -> Self {
        self.points.extend(points.into_iter().flatten());
        self
    }

    /// The series is marked by the order of its n-point function in a terminal.
    pub fn of_order(self, n: usize) -> Self {
        match char::from_digit(n as u32, 10) {
            Some(digit) => self.marked(digit),
            None => self,
        }
    }

    /// The series has another mark in a terminal.
    pub fn marked(mut self, symbol: char) -> Self {
        self.symbol = symbol;
        self
    }
}

impl Figure {
    /// Points can be drawn if they are finite, and above zero on a logarithmic axis.
    fn drawable<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = Point> + 'a {
        (series.points.iter())
            .copied()
            .filter(|p| self.x.scale.has(p.x) && self.y.scale.has(p.y))
    }

    /// A figure is empty if there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.series
            .iter()
            .all(|s| self.drawable(s).next().is_none())
    }

    /// Each axis reaches from the smallest to the largest value, with a margin. Error bars that
    /// reach far down a logarithmic axis are cut.
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

    /// The CSV has the columns series, x, y, low, high; low and high are empty without a range.
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

    /// A drawing has values that can be pointed at, and no number that is none.
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
