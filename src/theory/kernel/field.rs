//! The kernel K(x_p, y) of fixed points x_p with any point y: what integrals over y are made of.

use super::super::average::Moment;
use super::super::average::laws::{Average, Lines};
use super::table::{Moments, Table};
use super::{Kernel, Place, Point, Second};
use crate::model::activation::Parity;

/// The kernels of fixed points.
pub struct Field<'a> {
    kernel: &'a Kernel<'a>,
    source: Source<'a>,
}

/// Where the second moments come from.
enum Source<'a> {
    Pairs(Vec<Point<'a>>),
    /// Pre-activations of the first layer are not normal, and there is no closed form.
    Lines(Ends),
    Table(Table),
}

/// Fixed points, and what later layers make of them with the root of their E[h^2].
struct Ends {
    lines: Lines,
    places: Vec<(Vec<Place>, f64)>,
}

impl Ends {
    fn new(kernel: &Kernel, points: &[Vec<f64>]) -> Self {
        let net = kernel.net;
        Self {
            lines: Lines::new(net, points.iter().map(Vec::as_slice)),
            places: points.iter().map(|x| place(kernel, x)).collect(),
        }
    }

    /// E[h(x_p) h(y)] of all points p in the last hidden layer.
    fn with(&self, kernel: &Kernel, y: &[f64]) -> Vec<Average> {
        let all = self.lines.with(y);
        if kernel.deeper.is_none() {
            return all;
        }
        let (of_y, root) = place(kernel, y);
        let deeper = |(first, (of_x, other)): (Average, &(Vec<Place>, f64))| Average {
            moment: kernel.after_first(first.moment, of_x, &of_y),
            size: root * other,
        };
        all.into_iter().zip(&self.places).map(deeper).collect()
    }
}

/// What the hidden layers but the first make of a point, and the root of its E[h^2] in the last one;
/// nothing where there is one layer.
fn place(kernel: &Kernel, x: &[f64]) -> (Vec<Place>, f64) {
    if kernel.deeper.is_none() {
        return (Vec::new(), 0.0);
    }
    let first = Lines::new(kernel.net, [x]).with(x)[0].moment;
    let places = kernel.places(first);
    let last = kernel.after_first(first, &places, &places);
    (places, last.value.abs().sqrt())
}

impl<'a> Field<'a> {
    /// Those of some points.
    pub fn new(kernel: &'a Kernel, points: &'a [Vec<f64>]) -> Self {
        let source = match &kernel.second {
            Second::Laws(second) if !second.are_closed() => {
                Source::Lines(Ends::new(kernel, points))
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
        let Source::Lines(ends) = field.source else {
            return field;
        };
        let (net, activation) = (kernel.net, kernel.net.activation());
        // Two kinks meet where points do.
        let marks = match activation.kinks() {
            [_, ..] if net.d_in() < 3 => points,
            _ => &[],
        };
        let moments = Moments {
            with: &|y| ends.with(kernel, y),
            points: points.len(),
            cost: ends.lines.cost(&vec![cutoff; net.d_in()]),
            // A bias does not change its sign with y.
            parity: match net.first().sigma_b == 0.0 && kernel.deeper.is_none() {
                true => activation.parity(),
                false => Parity::Neither,
            },
            homogeneous: net.homogeneous(),
        };
        Self {
            kernel,
            source: Source::Table(Table::new(&moments, net.d_in(), cutoff, scale, marks)),
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
            Source::Lines(ends) => {
                let all = ends.with(self.kernel, y).into_iter().enumerate();
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
