//! Gauss-Legendre's rule in panels of a line.

use super::super::cubature::legendre;

/// Rules by number of points, the last one for panels of full length.
pub struct Panels {
    length: f64,
    fewest: usize,
    rules: Vec<Vec<(f64, f64)>>,
}

impl Panels {
    /// Panels of at most this length, with so many points in each.
    pub fn new(length: f64, points: usize) -> Self {
        let rules = (1..=points).map(legendre).collect();
        Self {
            length,
            fewest: points,
            rules,
        }
    }

    /// The same with fewer points in panels that are shorter because they end at kinks: between kinks
    /// there is no structure on their scale.
    pub fn between_kinks(length: f64, points: usize) -> Self {
        Self {
            fewest: 2 * points / 5,
            ..Self::new(length, points)
        }
    }

    /// The same with so many points in the shortest panels.
    pub fn with_fewest(self, fewest: usize) -> Self {
        Self { fewest, ..self }
    }

    /// Nodes and weights between two ends.
    pub fn between(&self, from: f64, to: f64, node: &mut dyn FnMut(f64, f64)) {
        let width = to - from;
        if width.is_nan() || width <= 0.0 {
            return;
        }
        let panels = (width / self.length).ceil();
        let half = 0.5 * width / panels;
        let more = (self.rules.len() - self.fewest) as f64 * (2.0 * half / self.length);
        let points = self.fewest + more.ceil() as usize;
        let rule = &self.rules[points.clamp(1, self.rules.len()) - 1];
        for k in 0..panels as usize {
            let middle = from + half * (2 * k + 1) as f64;
            for (x, w) in rule {
                node(middle + half * x, half * w);
            }
        }
    }

    /// Nodes and weights of panels between ends, sorted here.
    pub fn across(&self, ends: &mut [f64], node: &mut dyn FnMut(f64, f64)) {
        ends.sort_unstable_by(f64::total_cmp);
        for pair in ends.windows(2) {
            self.between(pair[0], pair[1], node);
        }
    }
}

/// Ends of panels for z = scale g + mean, where z itself has structure: at the kinks, and at 0 and
/// +- 2^k / `parts`, since activations vary on the scale of 1 near 0 and more slowly far out. Those
/// within `reach` of g, in no order, and the reach itself.
pub fn graded(kinks: &[f64], scale: f64, mean: f64, reach: f64, parts: f64) -> Vec<f64> {
    let mut ends = vec![-reach, reach];
    let mut mark = |z: f64| {
        let g = (z - mean) / scale;
        if g.abs() < reach {
            ends.push(g);
        }
    };
    kinks.iter().for_each(|&kink| mark(kink));
    mark(0.0);
    let ratio = 1.0 + 1.0 / parts;
    let mut z = 0.5 / parts;
    while z < mean.abs() + scale * reach {
        mark(z);
        mark(-z);
        z *= ratio;
    }
    ends
}
