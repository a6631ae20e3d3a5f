use serde::Serialize;

/// The colour of what measured values of all groups are held against, that of text.
pub const THEORY: usize = 6;

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

    /// Points of a line or a band are joined.
    pub(super) fn joins(self) -> bool {
        matches!(self, Self::Line | Self::Dashes | Self::Band)
    }
}

/// A series is points of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// The label says what the points are.
    pub label: String,
    /// The group says what they belong to: the order of an n-point function. Groups differ in colour,
    /// labels within one in style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
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

    /// The point stands for something that is seen: this far down a logarithmic axis has to reach for it.
    /// What is smaller than its error is seen as far as the error goes.
    pub(super) fn visible(&self) -> f64 {
        match self.range {
            Some([low, high]) => low.max(self.y / 3.0).max((high - self.y) / 3.0),
            None => self.y,
        }
    }
}

impl Series {
    /// The series has no points yet.
    pub fn new(label: impl Into<String>, colour: usize, style: Style) -> Self {
        Self {
            label: label.into(),
            group: None,
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

    /// The series belongs to the n-point functions of an order, whose digit is its mark in a terminal.
    pub fn of_order(mut self, n: usize) -> Self {
        const SMALL: [char; 7] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶'];
        self.group = Some(format!("n = {n}"));
        let mark = match self.style {
            Style::Dots | Style::Squares | Style::Triangles => char::from_digit(n as u32, 10),
            Style::Rings | Style::Diamonds => SMALL.get(n).copied(),
            Style::Line | Style::Dashes | Style::Band => None,
        };
        self.symbol = mark.unwrap_or(self.symbol);
        self
    }

    /// The series has another mark in a terminal.
    pub fn marked(mut self, symbol: char) -> Self {
        self.symbol = symbol;
        self
    }

    /// The name is unlike that of every other series.
    pub fn name(&self) -> String {
        match &self.group {
            Some(group) => format!("{}, {group}", self.label),
            None => self.label.clone(),
        }
    }
}
