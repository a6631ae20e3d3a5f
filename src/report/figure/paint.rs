use std::fmt::Write as _;

use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::legend::apart;
use super::svg::{Area, Drawn, FONT, UNIT, font, width};
use super::{Panel, Point, Series, Style, THEORY};
use crate::report::number::{reading, scientific};

/// The colours are Okabe and Ito's, which the colour-blind can tell apart, on white and on black.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    BLACK,
];
/// More points than these have smaller marks and bars without caps; so many have values to point at.
const MANY: usize = 60;

pub(super) type Pixel = (i32, i32);

/// What a series is drawn with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ink {
    Palette(usize),
    /// That of text.
    Text,
}

impl Ink {
    fn colour(self) -> RGBColor {
        match self {
            Self::Palette(k) => PALETTE[k % PALETTE.len()],
            Self::Text => BLACK,
        }
    }
}

/// A point on its place: within the plot, or below it.
struct Placed {
    at: Pixel,
    /// The ends of the error bar or band, the lower one first.
    bar: Option<[Pixel; 2]>,
    /// The bar goes on below the plot.
    is_cut: bool,
    /// The point itself is below the plot.
    is_below: bool,
}

impl Panel {
    /// Draws the panel at its place within `root`; values to point at are added to `hover`.
    pub(super) fn paint(&self, root: &Area, place: &Area, hover: &mut String) -> Drawn {
        let [x, y] = self.spans();
        let groups = self.groups();
        let labels = y.ticks(6).iter().map(|&t| y.label(t).chars().count()).max();
        let left = 12 + width(labels.unwrap_or(1), FONT) + FONT * 7 / 5;
        let names = groups.iter().map(|(name, ..)| name.chars().count()).max();
        let right = 14 + names.map_or(0, |n| width(n, FONT) + 2);
        let mut builder = ChartBuilder::on(place);
        builder
            .margin(UNIT * 4)
            .margin_right(UNIT * right)
            .x_label_area_size(UNIT * 42)
            .y_label_area_size(UNIT * left);
        if !self.title.is_empty() {
            builder.caption(&self.title, font(FONT));
        }
        let mut chart = builder.build_cartesian_2d(x, y.clone())?;
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .x_labels(7)
            .y_labels(6)
            .axis_desc_style(font(FONT))
            .label_style(font(FONT))
            .set_all_tick_mark_size(UNIT * 4)
            .bold_line_style(BLACK.mix(0.16).stroke_width(UNIT as u32 / 2))
            .light_line_style(BLACK.mix(0.06).stroke_width(UNIT as u32 / 2))
            .axis_style(BLACK.stroke_width(UNIT as u32))
            .draw()?;
        let (across, down) = chart.plotting_area().get_pixel_range();
        let bottom = down.end;
        let place = |p: &Point| {
            let pixel = |v: f64| match y.scale.has(v) {
                true => chart.backend_coord(&(p.x, v)),
                false => (chart.backend_coord(&(p.x, p.y)).0, i32::MAX),
            };
            let within = |(a, b): Pixel| (a, b.clamp(down.start, bottom));
            let at = pixel(p.y);
            let bar = p.range.map(|range| range.map(pixel));
            Placed {
                at: within(at),
                bar: bar.map(|ends| ends.map(within)),
                is_cut: bar.is_some_and(|[low, _]| low.1 > bottom),
                is_below: at.1 > bottom,
            }
        };
        let mut ordered: Vec<&Series> = self.series.iter().collect();
        // Lines are below marks, and above them if they are what marks are held against.
        ordered.sort_by_key(|s| (s.colour == THEORY, !s.style.joins()));
        for series in ordered {
            let points: Vec<Point> = self.drawable(series).collect();
            let placed: Vec<Placed> = points.iter().map(place).collect();
            stroke(root, series.style, Ink::Palette(series.colour), &placed)?;
            let step = points.len().div_ceil(MANY).max(1);
            for (p, Placed { at: (a, b), .. }) in points.iter().zip(&placed).step_by(step) {
                let value = minijinja::HtmlEscape(&self.value(series, p)).to_string();
                let _ = writeln!(
                    hover,
                    "<circle cx=\"{a}\" cy=\"{b}\" r=\"{}\"><title>{value}</title></circle>",
                    UNIT * 7
                );
            }
        }
        let mut heights: Vec<i32> = groups.iter().map(|(.., p)| place(p).at.1).collect();
        apart(&mut heights, UNIT * (FONT + 2), [down.start, bottom]);
        for ((name, colour, _), height) in groups.into_iter().zip(heights) {
            let colour = Ink::Palette(colour).colour();
            let style = font(FONT)
                .pos(Pos::new(HPos::Left, VPos::Center))
                .color(&colour);
            root.draw(&Text::new(
                name.to_string(),
                (across.end + UNIT * 6, height),
                style,
            ))?;
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
            series.name(),
            self.x.label,
            reading(p.x),
            self.y.label,
            reading(p.y)
        )
    }
}

/// Draws what a series looks like, from a place to the right of it.
pub(super) fn sample(area: &Area, series: &Series, ink: Ink, (a, b): Pixel) -> Drawn {
    let has_bars = series.points.iter().any(|p| p.range.is_some());
    let at = |at: Pixel| Placed {
        at,
        bar: has_bars.then_some([(at.0, at.1 + UNIT * 6), (at.0, at.1 - UNIT * 6)]),
        is_cut: false,
        is_below: false,
    };
    let placed = match series.style.joins() {
        true => vec![at((a, b)), at((a + UNIT * 24, b))],
        false => vec![at((a + UNIT * 12, b))],
    };
    stroke(area, series.style, ink, &placed)
}

/// Draws a series.
fn stroke(area: &Area, style: Style, ink: Ink, placed: &[Placed]) -> Drawn {
    let colour = ink.colour();
    let thin = colour.stroke_width(UNIT as u32 * 3 / 2);
    let centres = || placed.iter().map(|p| p.at).collect::<Vec<Pixel>>();
    match style {
        Style::Line => area.draw(&PathElement::new(centres(), thin)),
        Style::Dashes => area.draw(&DashedPathElement::new(centres(), UNIT * 5, UNIT * 4, thin)),
        Style::Band => {
            let bars = || placed.iter().filter_map(|p| p.bar);
            let edge = bars().map(|e| e[0]).chain(bars().rev().map(|e| e[1]));
            area.draw(&Polygon::new(edge.collect::<Vec<_>>(), colour.mix(0.2)))
        }
        Style::Dots | Style::Rings | Style::Squares | Style::Diamonds | Style::Triangles => {
            for point in placed {
                mark(area, style, colour, point, placed.len() > MANY)?;
            }
            Ok(())
        }
    }
}

/// Draws a mark with its error bar; a bar that goes on below the plot ends in an arrow.
fn mark(
    area: &Area,
    style: Style,
    colour: RGBColor,
    point: &Placed,
    is_one_of_many: bool,
) -> Drawn {
    let (r, stroke) = match is_one_of_many {
        true => (UNIT * 2, UNIT / 2),
        false => (UNIT * 4, UNIT * 3 / 2),
    };
    let thin = colour.stroke_width(stroke as u32);
    let (a, b) = point.at;
    if let Some([low, high]) = point.bar {
        // A bar with its caps is one line: to the left, to the right, and back to the middle.
        let cap = |(a, b): Pixel| [(a - UNIT * 3, b), (a + UNIT * 3, b), (a, b)];
        let end = |at: Pixel, has_cap: bool| match has_cap && !is_one_of_many {
            true => cap(at).to_vec(),
            false => vec![at],
        };
        let mut bar = end(low, !point.is_cut);
        bar.extend(end(high, true).into_iter().rev());
        area.draw(&PathElement::new(bar, thin))?;
    }
    if point.is_cut || point.is_below {
        let (a, b) = point.bar.map_or(point.at, |[low, _]| low);
        let r = r * 3 / 4;
        let head = vec![(a - r, b - r), (a, b), (a + r, b - r)];
        area.draw(&PathElement::new(head, thin))?;
    }
    if point.is_below {
        return Ok(());
    }
    let outline =
        |corners: &[Pixel]| -> Vec<Pixel> { corners.iter().map(|(u, v)| (a + u, b + v)).collect() };
    match style {
        Style::Rings => area.draw(&Circle::new((a, b), r, thin)),
        Style::Diamonds => {
            let corners = [
                (0, -r - 2),
                (r + 2, 0),
                (0, r + 2),
                (-r - 2, 0),
                (0, -r - 2),
            ];
            area.draw(&PathElement::new(outline(&corners), thin))
        }
        Style::Squares => {
            let corners = [(-r, -r), (r, -r), (r, r), (-r, r)];
            area.draw(&Polygon::new(outline(&corners), colour.filled()))
        }
        Style::Triangles => {
            let corners = [(0, -r - 2), (r + 1, r - 2), (-r - 1, r - 2)];
            area.draw(&Polygon::new(outline(&corners), colour.filled()))
        }
        Style::Dots | Style::Line | Style::Dashes | Style::Band => {
            area.draw(&Circle::new((a, b), r, colour.filled()))
        }
    }
}
