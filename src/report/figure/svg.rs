use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scale::Span;
use super::{Figure, Point, Series, Style};
use crate::report::number::{reading, scientific};

/// plotters draws in whole pixels: a quarter of a CSS pixel each.
const UNIT: i32 = 4;
/// The width, in CSS pixels, is small enough for the text to be read on a phone.
const WIDTH: i32 = 520;
const PLOT_HEIGHT: i32 = 330;
const LEGEND_ROW: i32 = 19;
const FONT: i32 = 13;
/// A character is so wide on average, in font sizes.
const CHARACTER: f64 = 0.54;

/// The colours are Okabe and Ito's, which the colour-blind can tell apart, on white and on black.
const PALETTE: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Pixel = (i32, i32);

impl Figure {
    /// The SVG is a document of its own, black on white.
    pub fn svg(&self) -> String {
        let (width, height) = self.size();
        let open = format!("<svg width=\"{width}\" height=\"{height}\"");
        self.draw(true).replacen(&self.opening(), &open, 1)
    }

    /// The SVG of a page is as wide as its place, in the page's text colour, on its background.
    pub fn inline_svg(&self) -> String {
        let title = minijinja::HtmlEscape(&self.title);
        let open = format!("<svg role=\"img\" aria-label=\"{title}\"");
        (self.draw(false).replacen(&self.opening(), &open, 1))
            .replace("\"#000000\"", "\"currentColor\"")
    }

    /// plotters opens the document so.
    fn opening(&self) -> String {
        let (width, height) = self.size();
        format!(
            "<svg width=\"{}\" height=\"{}\"",
            UNIT * width,
            UNIT * height
        )
    }

    /// The size is in CSS pixels.
    fn size(&self) -> (i32, i32) {
        let rows = self.legend().last().map_or(0, |&(_, row, _)| row + 1);
        (WIDTH, PLOT_HEIGHT + rows * LEGEND_ROW + 6)
    }

    /// Every entry of the legend has a column and a row.
    fn legend(&self) -> Vec<(i32, i32, &Series)> {
        let (mut x, mut row) = (0, 0);
        (self.series.iter())
            .filter(|s| self.drawable(s).next().is_some())
            .map(|series| {
                let characters = series.label.chars().count() as f64;
                let width = 34 + (characters * CHARACTER * f64::from(FONT - 1)) as i32;
                if x > 0 && x + width > WIDTH - 60 {
                    (x, row) = (0, row + 1);
                }
                let at = x;
                x += width + 6;
                (at, row, series)
            })
            .collect()
    }

    fn draw(&self, standalone: bool) -> String {
        let mut svg = String::new();
        let (width, height) = self.size();
        let size = ((UNIT * width) as u32, (UNIT * height) as u32);
        let mut hover = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            self.paint(&root, standalone, &mut hover)
                .expect("a string takes all that is drawn");
            root.present().expect("a string takes all that is drawn");
        }
        let end = svg.rfind("</svg>").expect("plotters closes the document");
        svg.insert_str(end, &hover);
        svg
    }

    fn paint(
        &self,
        root: &Area,
        standalone: bool,
        hover: &mut String,
    ) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        if standalone {
            root.fill(&WHITE)?;
        }
        let [x, y] = self.ranges();
        let [x, y] =
            [(self.x.scale, x), (self.y.scale, y)].map(|(scale, ends)| Span { scale, ends });
        let font = |size: i32| ("sans-serif", UNIT * size).into_font().color(&BLACK);
        let (plot, legend) = root.split_vertically(UNIT * PLOT_HEIGHT);
        let labels = y.ticks(6).iter().map(|&t| y.label(t).chars().count()).max();
        let left =
            12.0 + labels.unwrap_or(1) as f64 * CHARACTER * f64::from(FONT) + f64::from(FONT) * 1.4;
        let mut chart = ChartBuilder::on(&plot)
            .caption(&self.title, font(FONT + 1))
            .margin(UNIT * 6)
            .margin_right(UNIT * 14)
            .x_label_area_size(UNIT * 38)
            .y_label_area_size(UNIT * left as i32)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .x_labels(8)
            .y_labels(6)
            .axis_desc_style(font(FONT))
            .label_style(font(FONT))
            .set_all_tick_mark_size(UNIT * 4)
            .bold_line_style(BLACK.mix(0.16).stroke_width(UNIT as u32 / 2))
            .light_line_style(BLACK.mix(0.06).stroke_width(UNIT as u32 / 2))
            .axis_style(BLACK.stroke_width(UNIT as u32))
            .draw()?;
        let area = chart.plotting_area().get_pixel_range();
        let (lines, marks): (Vec<&Series>, Vec<&Series>) = (self.series.iter())
            .partition(|s| matches!(s.style, Style::Line | Style::Dashes | Style::Band));
        for series in lines.into_iter().chain(marks) {
            let points: Vec<Point> = self.drawable(series).collect();
            let pixel = |x: f64, y: f64| chart.backend_coord(&(x, y));
            let bound = |v: f64| match y.scale.has(v) {
                true => v,
                false => y.ends[0],
            };
            // Two ends of the error bar or band, within the plot.
            let ends: Vec<Option<[Pixel; 2]>> = (points.iter())
                .map(|p| {
                    let ends = p.range?.map(|e| pixel(p.x, bound(e)));
                    Some(ends.map(|(a, b)| (a, b.clamp(area.1.start, area.1.end))))
                })
                .collect();
            let centres: Vec<Pixel> = points.iter().map(|p| pixel(p.x, p.y)).collect();
            stroke(root, series, &centres, &ends)?;
            for (p, (a, b)) in points.iter().zip(centres) {
                let value = minijinja::HtmlEscape(&self.value(series, p)).to_string();
                let _ = writeln!(
                    hover,
                    "<circle class=\"value\" cx=\"{a}\" cy=\"{b}\" r=\"{}\" fill=\"none\" pointer-events=\"all\"><title>{value}</title></circle>",
                    UNIT * 7
                );
            }
        }
        for (column, row, series) in self.legend() {
            let (a, b) = (
                UNIT * (column + 50),
                UNIT * (LEGEND_ROW * row + LEGEND_ROW / 2),
            );
            let centre = (a + UNIT * 12, b);
            let sample = match series.style {
                Style::Line | Style::Dashes | Style::Band => vec![(a, b), (a + UNIT * 24, b)],
                _ => vec![centre],
            };
            let half = |(a, b): Pixel| Some([(a, b + UNIT * 6), (a, b - UNIT * 6)]);
            let ends: Vec<Option<[Pixel; 2]>> = (sample.iter())
                .map(|&p| half(p).filter(|_| series.points.iter().any(|p| p.range.is_some())))
                .collect();
            stroke(&legend, series, &sample, &ends)?;
            let style = font(FONT - 1).pos(Pos::new(HPos::Left, VPos::Center));
            legend.draw(&Text::new(series.label.clone(), (a + UNIT * 30, b), style))?;
        }
        Ok(())
    }

    /// A point says this when it is pointed at.
    fn value(&self, series: &Series, p: &Point) -> String {
        let range = match p.range {
            Some([low, high]) if series.style == Style::Band => {
                format!(" ({} to {})", reading(low), reading(high))
            }
            Some([low, high]) => format!(" ± {}", scientific(0.5 * (high - low), 1)),
            None => String::new(),
        };
        format!(
            "{}\n{}: {}\n{}: {}{range}",
            series.label,
            self.x.label,
            reading(p.x),
            self.y.label,
            reading(p.y)
        )
    }
}

/// Draws a series at these pixels; `ends` are those of error bars or of the band.
fn stroke(
    area: &Area,
    series: &Series,
    centres: &[Pixel],
    ends: &[Option<[Pixel; 2]>],
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let colour = PALETTE[series.colour % PALETTE.len()];
    let thin = colour.stroke_width(UNIT as u32 * 3 / 2);
    match series.style {
        Style::Line => {
            area.draw(&PathElement::new(
                centres.to_vec(),
                colour.stroke_width(UNIT as u32 * 3 / 2),
            ))?;
        }
        Style::Dashes => {
            let dashes = centres.to_vec();
            area.draw(&DashedPathElement::new(dashes, UNIT * 5, UNIT * 4, thin))?;
        }
        Style::Band => {
            let lower = ends.iter().flatten().map(|e| e[0]);
            let upper = ends.iter().flatten().rev().map(|e| e[1]);
            area.draw(&Polygon::new(
                lower.chain(upper).collect::<Vec<_>>(),
                colour.mix(0.2),
            ))?;
        }
        _ => {}
    }
    if matches!(series.style, Style::Line | Style::Dashes | Style::Band) {
        return Ok(());
    }
    // Many marks: smaller ones.
    let r = if centres.len() > 60 {
        UNIT * 5 / 2
    } else {
        UNIT * 4
    };
    for (&(a, b), ends) in centres.iter().zip(ends) {
        if let Some([low, high]) = *ends {
            area.draw(&PathElement::new(vec![low, high], thin))?;
            for (a, b) in [low, high] {
                let cap = vec![(a - UNIT * 3, b), (a + UNIT * 3, b)];
                area.draw(&PathElement::new(cap, thin))?;
            }
        }
        let outline = |corners: &[Pixel]| -> Vec<Pixel> {
            corners.iter().map(|(u, v)| (a + u, b + v)).collect()
        };
        let diamond = [
            (0, -r - 2),
            (r + 2, 0),
            (0, r + 2),
            (-r - 2, 0),
            (0, -r - 2),
        ];
        match series.style {
            Style::Rings => area.draw(&Circle::new((a, b), r, thin))?,
            Style::Diamonds => area.draw(&PathElement::new(outline(&diamond), thin))?,
            Style::Squares => {
                let corners = [(-r, -r), (r, -r), (r, r), (-r, r)];
                area.draw(&Polygon::new(outline(&corners), colour.filled()))?;
            }
            Style::Triangles => {
                let corners = [(0, -r - 2), (r + 1, r - 2), (-r - 1, r - 2)];
                area.draw(&Polygon::new(outline(&corners), colour.filled()))?;
            }
            _ => area.draw(&Circle::new((a, b), r, colour.filled()))?,
        }
    }
    Ok(())
}
