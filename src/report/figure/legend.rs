use super::{Figure, Panel, Point, Series};

/// A key of the legend stands for all series of one label.
#[derive(Debug)]
pub(super) struct Key<'a> {
    pub label: &'a str,
    /// The first of them is drawn as a sample.
    pub sample: &'a Series,
    /// The colour is theirs if they have one.
    pub colour: Option<usize>,
    /// The symbols are their marks in a terminal.
    pub symbols: Vec<char>,
}

impl Figure {
    /// Lists what is told apart by style; groups are told apart by colour, and named where they are.
    pub(super) fn keys(&self) -> Vec<Key<'_>> {
        let mut keys: Vec<Key> = Vec::new();
        for series in self.panels.iter().flat_map(Panel::visible) {
            match keys.iter_mut().find(|key| key.label == series.label) {
                Some(key) => {
                    key.colour = key.colour.filter(|&c| c == series.colour);
                    if !key.symbols.contains(&series.symbol) {
                        key.symbols.push(series.symbol);
                    }
                }
                None => keys.push(Key {
                    label: &series.label,
                    sample: series,
                    colour: Some(series.colour),
                    symbols: vec![series.symbol],
                }),
            }
        }
        keys
    }
}

impl Panel {
    /// Lists the groups with their colours and the points that they are named at, the last ones on the right; none
    /// if there are fewer than two.
    pub(super) fn groups(&self) -> Vec<(&str, usize, Point)> {
        let mut groups: Vec<(&str, usize, Point, bool)> = Vec::new();
        for series in self.visible() {
            let last = self.drawable(series).max_by(|a, b| a.x.total_cmp(&b.x));
            let (Some(group), Some(last)) = (&series.group, last) else {
                continue;
            };
            // Measured points wander about the line.
            let is_line = series.style == super::Style::Line;
            match groups.iter_mut().find(|(name, ..)| name == group) {
                Some(known) if is_line && !known.3 => (known.2, known.3) = (last, true),
                Some(_) => {}
                None => groups.push((group, series.colour, last, is_line)),
            }
        }
        if groups.len() < 2 {
            return Vec::new();
        }
        (groups.into_iter())
            .map(|(name, colour, at, _)| (name, colour, at))
            .collect()
    }
}

/// Moves heights apart until they are this far from each other, as little as may be, within bounds.
pub(super) fn apart(heights: &mut [i32], least: i32, [low, high]: [i32; 2]) {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by_key(|&k| heights[k]);
    let mut free = low;
    for &k in &order {
        heights[k] = heights[k].max(free);
        free = heights[k] + least;
    }
    let mut free = high;
    for &k in order.iter().rev() {
        heights[k] = heights[k].min(free);
        free = heights[k] - least;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Style};
    use super::*;

    fn figure() -> Figure {
        let point = |y: f64| [Some(Point::new(1.0, y)), Some(Point::new(2.0, y))];
        let series = [2, 4].into_iter().enumerate().flat_map(|(colour, n)| {
            let y = 1.0 + n as f64;
            [
                Series::new("direct", colour, Style::Dots)
                    .of_order(n)
                    .with(point(y)),
                Series::new("exact", colour, Style::Line)
                    .of_order(n)
                    .with(point(10.0 * y)),
            ]
        });
        let panel = Panel {
            title: String::new(),
            x: Axis::linear("x"),
            y: Axis::log("y"),
            series: series
                .chain([Series::new("nothing", 0, Style::Dots)])
                .collect(),
        };
        panel.alone("f", "two orders")
    }

    #[test]
    fn a_label_has_one_key_and_a_group_one_name() {
        let figure = figure();
        let keys: Vec<_> = (figure.keys().iter())
            .map(|k| (k.label, k.colour, k.symbols.clone()))
            .collect();
        assert_eq!(
            keys,
            [("direct", None, vec!['2', '4']), ("exact", None, vec!['·'])]
        );
        let groups: Vec<_> = (figure.panels[0].groups().iter())
            .map(|(name, colour, at)| (*name, *colour, at.x, at.y))
            .collect();
        assert_eq!(groups, [("n = 2", 0, 2.0, 30.0), ("n = 4", 1, 2.0, 50.0)]);
    }

    #[test]
    fn names_keep_their_distance() {
        let mut heights = [50, 10, 12, 95];
        apart(&mut heights, 10, [0, 90]);
        assert_eq!(heights, [50, 10, 20, 90]);
        let mut heights = [88, 89];
        apart(&mut heights, 10, [0, 90]);
        assert_eq!(heights, [80, 90]);
    }
}
