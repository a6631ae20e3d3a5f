//! The kernel K(x_p, y) of fixed points x_p with any point y: what integrals over y are made of.

use super::super::average::Moment;
use super::super::average::laws::Lines;
use super::table::Table;
use super::{Kernel, Point, Second};

/// The kernels of fixed points.
pub struct Field<'a> {
    kernel: &'a Kernel<'a>,
    source: Source<'a>,
}

/// Where the second moments come from.
enum Source<'a> {
    Pairs(Vec<Point<'a>>),
    /// Pre-activations are not normal, and there is no closed form.
    Lines(Lines),
    Table(Table),
}

impl<'a> Field<'a> {
    /// Those of some points.
    pub fn new(kernel: &'a Kernel, points: &'a [Vec<f64>]) -> Self {
        let source = match &kernel.second {
            Second::Laws(second) if !second.are_closed() => {
                Source::Lines(Lines::new(kernel.net, points.iter().map(Vec::as_slice)))
            }
            Second::Builtin(_) | Second::Any(_) | Second::Laws(_) => {
                Source::Pairs(points.iter().map(|x| kernel.point(x)).collect())
            }
        };
        Self { kernel, source }
    }

    /// The same for very many points of the box of a cutoff; within `scale` of the origin kernels have no
    /// finer structure, but at the points themselves.
    pub fn over_box(kernel: &'a Kernel, points: &'a [Vec<f64>], cutoff: f64, scale: f64) -> Self {
        let field = Self::new(kernel, points);
        let Source::Lines(lines) = field.source else {
            return field;
        };
        let (net, activation) = (kernel.net, kernel.net.activation());
        // Two kinks meet where points do.
        let marks = match activation.kinks() {
            [_, ..] if net.d_in() < 3 => points,
            _ => &[],
        };
        let table = Table::new(
            &lines,
            net.d_in(),
            activation.parity(),
            cutoff,
            scale,
            marks,
        );
        Self {
            kernel,
            source: Source::Table(table),
        }
    }

    /// How precise values are, relative to the largest about them, if not to rounding.
    pub fn precision(&self) -> Option<f64> {
        match &self.source {
            Source::Pairs(_) => None,
            Source::Lines(_) | Source::Table(_) => Some(Table::precision(self.kernel.net.d_in())),
        }
    }

    /// K(x_p, y) of all points p, and bounds of their errors.
    pub fn at(&self, y: &[f64], values: &mut [f64], errors: &mut [f64]) {
        let mut set = |p: usize, second: Moment| {
            values[p] = self.kernel.of_hidden(second.value);
            errors[p] = self.kernel.error_of_hidden(second.error);
        };
        match &self.source {
            Source::Pairs(points) => {
                let y = self.kernel.point(y);
                for (p, x) in points.iter().enumerate() {
                    set(p, self.kernel.second_moment(x, &y));
                }
            }
            Source::Lines(lines) => {
                let all = lines.with(y).into_iter().enumerate();
                all.for_each(|(p, average)| set(p, average.moment));
            }
            Source::Table(table) => {
                table.at(y, values, errors);
                for (value, error) in values.iter_mut().zip(errors) {
                    *value = self.kernel.of_hidden(*value);
                    *error = self.kernel.error_of_hidden(*error);
                }
            }
        }
    }
}
