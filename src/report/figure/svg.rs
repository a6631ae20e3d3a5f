use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Figure;
use super::legend::Key;
use super::paint::{Ink, Pixel, sample};

/// plotters draws in whole pixels: a quarter of a CSS pixel each.
pub(super) const UNIT: i32 = 4;
/// The width, in CSS pixels, is so small that text has 11 of them where 358 are left, as on a phone.
const WIDTH: i32 = 420;
/// A line of the title is so high.
const TITLE_ROW: i32 = 18;
/// Space above and below everything.
const MARGIN: i32 = 6;
const PLOT_HEIGHT: i32 = 270;
/// Of one of several panels.
const PANEL_HEIGHT: i32 = 200;
const LEGEND_ROW: i32 = 20;
const LEGEND_LEFT: i32 = 20;
pub(super) const FONT: i32 = 13;
/// A character is so wide on average, in font sizes.
pub(super) const CHARACTER: f64 = 0.58;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Text has this size, in CSS pixels. plotters divides sizes by 1.24 before it writes them.
pub(super) fn font(size: i32) -> TextStyle<'static> {
    let size = 1.24 * f64::from(UNIT * size);
    ("sans-serif", size).into_font().color(&BLACK)
}

/// Text of so many characters is about so wide, in CSS pixels.
pub(super) fn width(characters: usize, size: i32) -> i32 {
    (characters as f64 * CHARACTER * f64::from(size)) as i32
}

impl Figure {
    /// The SVG is a document of its own, black on white.
    pub fn svg(&self) -> String {
        let (width, height) = self.size(true);
        let open = format!("<svg width=\"{width}\" height=\"{height}\"");
        self.draw(true).replacen(&self.opening(true), &open, 1)
    }

    /// The SVG of a page is as wide as its place, in the page's text colour, on its background. The page has its
    /// title.
    pub fn inline_svg(&self) -> String {
        let title = minijinja::HtmlEscape(&self.title);
        let open = format!("<svg role=\"img\" aria-label=\"{title}\"");
        (self.draw(false).replacen(&self.opening(false), &open, 1))
            .replace("\"#000000\"", "\"currentColor\"")
    }

    /// plotters opens the document so.
    fn opening(&self, standalone: bool) -> String {
        let (width, height) = self.size(standalone);
        format!(
            "<svg width=\"{}\" height=\"{}\"",
            UNIT * width,
            UNIT * height
        )
    }

    /// The size is in CSS pixels.
    fn size(&self, standalone: bool) -> (i32, i32) {
        let rows = self.legend().last().map_or(0, |&(_, row, _)| row + 1);
        let height = self.head(standalone) + self.plots() + rows * LEGEND_ROW + MARGIN;
        (WIDTH, height)
    }

    /// What is above the plots is so high.
    fn head(&self, standalone: bool) -> i32 {
        match standalone {
            true => 2 * MARGIN + self.title_lines().len() as i32 * TITLE_ROW,
            false => MARGIN,
        }
    }

    /// The title has as many lines as it needs.
    fn title_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in self.title.split(' ') {
            let longer = |line: &String| line.chars().count() + 1 + word.chars().count();
            let fits = |line: &String| width(longer(line), FONT + 1) <= WIDTH;
            match lines.last_mut().filter(|line| fits(line)) {
                Some(line) => *line = format!("{line} {word}"),
                None => lines.push(word.to_string()),
            }
        }
        lines
    }

    /// The panels are so high together.
    fn plots(&self) -> i32 {
        match self.panels.len() {
            1 => PLOT_HEIGHT,
            several => several as i32 * PANEL_HEIGHT,
        }
    }

    /// Every key of the legend has a column and a row.
    fn legend(&self) -> Vec<(i32, i32, Key<'_>)> {
        let (mut x, mut row) = (0, 0);
        (self.keys().into_iter())
            .map(|key| {
                let width = 34 + width(key.label.chars().count(), FONT);
                if x > 0 && x + width > WIDTH - 2 * LEGEND_LEFT {
                    (x, row) = (0, row + 1);
                }
                let at = x;
                x += width + 6;
                (at, row, key)
            })
            .collect()
    }

    fn draw(&self, standalone: bool) -> String {
        let mut svg = String::new();
        let (width, height) = self.size(standalone);
        let size = ((UNIT * width) as u32, (UNIT * height) as u32);
        let mut hover = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            self.paint(&root, standalone, &mut hover)
                .expect("a string takes all that is drawn");
            root.present().expect("a string takes all that is drawn");
        }
        let end = svg.rfind("</svg>").expect("plotters closes the document");
        svg.insert_str(
            end,
            &format!("<g class=\"values\" fill=\"none\" pointer-events=\"all\">\n{hover}</g>\n"),
        );
        // plotters spells out what is so anyway.
        svg.replace(" opacity=\"1\"", "")
    }

    fn paint(&self, root: &Area, standalone: bool, hover: &mut String) -> Drawn {
        if standalone {
            root.fill(&WHITE)?;
        }
        let (head, rest) = root.split_vertically(UNIT * self.head(standalone));
        let centred = font(FONT + 1).pos(Pos::new(HPos::Center, VPos::Center));
        let lines = self.title_lines().into_iter().filter(|_| standalone);
        for (line, k) in lines.zip(0..) {
            let middle = MARGIN + k * TITLE_ROW + TITLE_ROW / 2;
            let at = (UNIT * WIDTH / 2, UNIT * middle);
            head.draw(&Text::new(line, at, centred.clone()))?;
        }
        let (plots, legend) = rest.split_vertically(UNIT * self.plots());
        let places = plots.split_evenly((self.panels.len().max(1), 1));
        for (place, panel) in places.iter().zip(&self.panels) {
            panel.paint(root, place, hover)?;
        }
        for (column, row, key) in self.legend() {
            let (a, b) = (
                UNIT * (column + LEGEND_LEFT),
                UNIT * (LEGEND_ROW * row + LEGEND_ROW / 2),
            );
            let ink = key.colour.map_or(Ink::Text, Ink::Palette);
            sample(&legend, key.sample, ink, (a, b))?;
            let style = font(FONT).pos(Pos::new(HPos::Left, VPos::Center));
            let at: Pixel = (a + UNIT * 30, b);
            legend.draw(&Text::new(key.label.to_string(), at, style))?;
        }
        Ok(())
    }
}
