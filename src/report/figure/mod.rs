//! A figure is its data first: drawn as SVG or as text, and written as CSV and JSON beside it.

mod legend;
mod paint;
mod scale;
mod series;
mod svg;
mod terminal;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use scale::Scale;
use scale::Span;
pub use series::{Point, Series, Style, THEORY};

use crate::state::replace;

/// A figure is panels below each other.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The name is that of the file, without extension.
    pub name: String,
    /// The title says in a line what is shown.
    pub title: String,
    /// The panels share a legend.
    pub panels: Vec<Panel>,
}

/// A panel is one plot.
#[derive(Debug, Clone, Serialize)]
pub struct Panel {
    /// The title tells the panels of a figure apart; a single one has none.
    #[serde(skip_serializing_if = "String::is_empty")]
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
    /// The ticks are here; without any they are chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ticks: Vec<f64>,
    /// Zero is on a linear axis even if all values are far from it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_zero: bool,
}

impl Axis {
    fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self {
            label: label.into(),
            scale,
            ticks: Vec::new(),
            has_zero: false,
        }
    }

    /// The axis is linear.
    pub fn linear(label: impl Into<String>) -> Self {
        Self::new(label, Scale::Linear)
    }

    /// The axis is logarithmic.
    pub fn log(label: impl Into<String>) -> Self {
        Self::new(label, Scale::Log)
    }

    /// The axis has ticks at these values.
    pub fn with_ticks(self, ticks: Vec<f64>) -> Self {
        Self { ticks, ..self }
    }

    /// The axis has zero on it.
    pub fn with_zero(self) -> Self {
        Self {
            has_zero: true,
            ..self
        }
    }

    /// The axis shows all of these values.
    fn span(&self, values: impl Iterator<Item = f64>) -> Span {
        let zero = self.has_zero.then_some(0.0);
        let mut ends = self.scale.around(values.chain(zero));
        if self.has_zero && ends[1] > 0.0 && ends[0] > -0.1 * ends[1] {
            // Nothing is below zero but the margin.
            ends[0] = 0.0;
        }
        Span {
            scale: self.scale,
            ends,
            ticks: self.ticks.clone(),
        }
    }
}

/// Values that no measurement can see do not stretch a logarithmic axis: those of a line that are
/// smaller than all measured ones, and their errors, by this factor.
const UNSEEN: f64 = 30.0;

impl Panel {
    /// The panel is all of a figure.
    pub fn alone(self, name: impl Into<String>, title: impl Into<String>) -> Figure {
        Figure {
            name: name.into(),
            title: title.into(),
            panels: vec![self],
        }
    }

    /// Points can be drawn if they are finite, and above zero on a logarithmic axis.
    fn drawable<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = Point> + 'a {
        (series.points.iter())
            .copied()
            .filter(|p| self.x.scale.has(p.x) && self.y.scale.has(p.y))
    }

    /// Series that have something to draw.
    fn visible(&self) -> impl Iterator<Item = &Series> {
        (self.series.iter()).filter(|s| self.drawable(s).next().is_some())
    }

    /// Each axis reaches from the smallest to the largest value, with a margin. Error bars that
    /// reach far down a logarithmic axis are cut.
    fn spans(&self) -> [Span; 2] {
        let points = || self.series.iter().flat_map(|s| self.drawable(s));
        let marks = self.series.iter().filter(|s| !s.style.joins());
        let seen = (marks
            .flat_map(|s| self.drawable(s))
            .filter(|p| p.range.is_some()))
        .map(|p| p.visible())
        .fold(f64::INFINITY, f64::min);
        let floor = match seen.is_finite() {
            true => seen / UNSEEN,
            false => 0.0,
        };
        let ys = points().flat_map(|p| {
            let ends = p.range.unwrap_or([p.y, p.y]);
            match self.y.scale {
                Scale::Linear => [p.y, ends[0], ends[1]],
                Scale::Log if p.range.is_none() && p.y < floor => [seen; 3],
                Scale::Log => [p.visible(), p.y.max(p.visible()), ends[1]],
            }
        });
        [self.x.span(points().map(|p| p.x)), self.y.span(ys)]
    }
}

impl Figure {
    /// A figure is empty if there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.panels.iter().all(|p| p.visible().next().is_none())
    }

    /// The CSV has the columns series, x, y, low, high; low and high are empty without a range.
    pub fn csv(&self) -> String {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut row = |cells: [&str; 5]| csv.write_record(cells).expect("memory takes all");
        let axis = |axis: fn(&Panel) -> &Axis| {
            let panel = self.panels.first();
            panel.map_or("", |panel| &axis(panel).label)
        };
        row(["series", axis(|p| &p.x), axis(|p| &p.y), "low", "high"]);
        for series in self.panels.iter().flat_map(|panel| &panel.series) {
            let name = series.name();
            for p in &series.points {
                let [low, high] = match p.range {
                    Some(ends) => ends.map(|e| e.to_string()),
                    None => Default::default(),
                };
                row([&name, &p.x.to_string(), &p.y.to_string(), &low, &high]);
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
        let panel = Panel {
            title: String::new(),
            x: scale("x"),
            y: scale("y"),
            series: vec![Series::new("data", 0, style).with(points)],
        };
        panel.alone("f", "a < b")
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
        svg.matches("<title>").count()
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
