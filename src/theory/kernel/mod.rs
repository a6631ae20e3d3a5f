//! GP kernels K(x, y) = E[f(x) f(y)]: closed forms where there are some, series and quadrature for any
//! other activation.

mod between;
mod deep;
mod field;
mod hermite;
pub(super) mod homogeneous;
mod plane;
mod second;
mod step;
mod table;
#[cfg(test)]
mod tests;

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, PI};

use super::average::Moment;
use super::average::laws;
use crate::model::{Activation, Builtin, EnsembleSpec, Growth, Net, short};
use crate::tensor::multisets;
use crate::{Error, Result};
pub use between::{kernel_between, kernel_diagonal};
use deep::{Deeper, Place};
pub(super) use field::Field;
pub(super) use second::SecondMoments;

/// The kernel of one net, for many pairs of points: what they have in common is computed once.
pub(super) struct Kernel<'a> {
    net: &'a Net,
    /// Of the first hidden layer.
    second: Second,
    deeper: Option<Deeper>,
}

/// A point that a [`Kernel`] has seen.
pub(super) struct Point<'p> {
    x: &'p [f64],
    second: Of,
    /// In the hidden layers but the first.
    places: Vec<Place>,
}

/// What the second moments of a [`Kernel`] keep of a point.
enum Of {
    Builtin,
    Any(second::Point),
    Laws(laws::Point),
}

/// Where second moments come from.
enum Second {
    Builtin(Builtin),
    Any(SecondMoments),
    /// Pre-activations are not normal.
    Laws(laws::SecondMoments),
}

impl<'a> Kernel<'a> {
    pub fn new(net: &'a Net) -> Self {
        let second = match (net.has_gaussian_units(), net.builtin()) {
            (true, Some(builtin)) => Second::Builtin(builtin),
            (true, None) => Second::Any(SecondMoments::new(net.activation())),
            (false, _) => Second::Laws(laws::SecondMoments::new(net)),
        };
        Self {
            net,
            second,
            deeper: Deeper::of(net),
        }
    }

    /// A point of many pairs.
    pub fn point<'p>(&self, x: &'p [f64]) -> Point<'p> {
        let second = match &self.second {
            Second::Builtin(_) => Of::Builtin,
            Second::Any(second) => Of::Any(second.point(self.net.linear_form(x))),
            Second::Laws(second) => Of::Laws(second.point(x)),
        };
        let mut point = Point {
            x,
            second,
            places: Vec::new(),
        };
        if self.deeper.is_some() {
            point.places = self.places(self.first(&point, &point));
        }
        point
    }

    /// K(x, y).
    pub fn at(&self, x: &Point, y: &Point) -> f64 {
        self.of_hidden(self.second_moment(x, y).value)
    }

    /// E[h(x) h(y)] of a unit of the last hidden layer: (K - sigma_b^2) / sigma_w^2, without the rounding
    /// of that difference.
    pub fn second_moment(&self, x: &Point, y: &Point) -> Moment {
        self.after_first(self.first(x, y), &x.places, &y.places)
    }

    /// E[h(x) h(y)] of a unit of the last hidden layer, from that of the first.
    pub fn after_first(&self, first: Moment, x: &[Place], y: &[Place]) -> Moment {
        match &self.deeper {
            Some(deeper) => deeper.last(first, x, y),
            None => first,
        }
    }

    /// What the hidden layers but the first make of a point, from its E[h^2] in the first.
    pub fn places(&self, first: Moment) -> Vec<Place> {
        let places = |deeper: &Deeper| deeper.places(first);
        self.deeper.as_ref().map(places).unwrap_or_default()
    }

    /// E[h(x) h(y)] of a unit of each hidden layer, infinite width below it.
    pub fn second_moments(&self, x: &Point, y: &Point) -> Vec<Moment> {
        let first = self.first(x, y);
        let rest = (self.deeper.iter()).flat_map(|deeper| deeper.each(first, &x.places, &y.places));
        std::iter::once(first).chain(rest).collect()
    }

    /// E[h(x) h(y)] of a unit of the first hidden layer.
    fn first(&self, x: &Point, y: &Point) -> Moment {
        match (&self.second, &x.second, &y.second) {
            (Second::Any(second), Of::Any(x), Of::Any(y)) => second.of(x, y),
            (Second::Builtin(builtin), ..) => of_builtin(self.net, *builtin, x.x, y.x).into(),
            (Second::Laws(second), Of::Laws(x), Of::Laws(y)) => second.of(x, y),
            (Second::Any(_) | Second::Laws(_), ..) => unreachable!("points of another kernel"),
        }
    }

    /// Whether a value of two points that are nearly parallel takes a quadrature of its own.
    pub fn is_slow(&self) -> bool {
        let first = match &self.second {
            Second::Builtin(_) => false,
            Second::Any(second) => !second.has_closed_form(),
            Second::Laws(_) => true,
        };
        first
            || self
                .deeper
                .as_ref()
                .is_some_and(|deeper| !deeper.is_closed())
    }

    /// Whether the first hidden layer's second moments have no closed form.
    pub fn lacks_closed_form(&self) -> bool {
        match &self.second {
            Second::Builtin(_) => false,
            Second::Any(second) => !second.has_closed_form(),
            Second::Laws(second) => !second.are_closed(),
        }
    }

    /// The kernel, given the second moment of a hidden unit.
    pub fn of_hidden(&self, second: f64) -> f64 {
        let readout = self.net.readout();
        readout.sigma_b.powi(2) + readout.sigma_w.powi(2) * second
    }

    /// The error of the kernel, given that of the second moment.
    fn error_of_hidden(&self, error: f64) -> f64 {
        self.net.readout().sigma_w.powi(2) * error
    }
}

/// Computes the GP kernel K(x, y) = E[f(x) f(y)] at infinite width: with one hidden layer exact at every
/// width (arXiv:2008.08601, section 2; Williams 1997 for erf, Cho and Saul 2009 for ReLU), with more of
/// them layer by layer.
///
/// `x` and `y` have d_in coordinates each; the unit is that of f squared.
///
/// ```
/// use nnqft_gpu::{model::Net, theory::kernel};
///
/// // ReLU without biases: K(x, x) = sigma_w^4 x.x / (2 d_in).
/// let k = kernel(&Net::named("relu", 1)?, &[3.0], &[3.0]);
/// assert!((k - 4.5).abs() < 1e-12);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn kernel(net: &Net, x: &[f64], y: &[f64]) -> f64 {
    let kernel = Kernel::new(net);
    if kernel.deeper.is_some() {
        return kernel.at(&kernel.point(x), &kernel.point(y));
    }
    let second = match &kernel.second {
        Second::Builtin(builtin) => of_builtin(net, *builtin, x, y),
        Second::Any(second) => {
            let [x, y] = [x, y].map(|x| second.point(net.linear_form(x)));
            second.once(&x, &y).value
        }
        Second::Laws(second) => {
            let [x, y] = [x, y].map(|x| second.point(x));
            second.of(&x, &y).value
        }
    };
    kernel.of_hidden(second)
}

/// Computes E[h(x) h(y)] of a hidden unit in closed form.
fn of_builtin(net: &Net, builtin: Builtin, x: &[f64], y: &[f64]) -> f64 {
    let first = net.first();
    let (sigma_w, sigma_b) = (first.sigma_w, first.sigma_b);
    let scale = sigma_w / (x.len() as f64).sqrt();
    // Pre-activations as linear forms (scale x, sigma_b) of standard normals, over lengths that
    // keep squares within range.
    let forms = |lx: f64, ly: f64| {
        let weights = (x.iter().zip(y)).map(move |(x, y)| (scale * x / lx, scale * y / ly));
        weights.chain(std::iter::once((sigma_b / lx, sigma_b / ly)))
    };
    match builtin {
        Builtin::Erf => {
            // erf z = E[sign(z + n / sqrt 2)], n a standard normal of its own for each factor: the
            // angle between forms with noise. By atan2: near 1 asin has lost half the digits.
            let noisy = |a: &[f64]| {
                let start = sigma_b * sigma_b + 0.5;
                let square = a.iter().fold(start, |s, a| s + (scale * a).powi(2));
                match square.is_finite() {
                    true => square.sqrt(),
                    false => (a.iter()).fold(sigma_b, |h, a| h.hypot(scale * a)),
                }
            };
            let (lx, ly) = (noisy(x), noisy(y));
            let (ox, oy) = (FRAC_1_SQRT_2 / lx, FRAC_1_SQRT_2 / ly);
            let gram = Gram::new(forms(lx, ly));
            let noise = ox * ox * oy * oy + oy * oy * gram.xx + ox * ox * gram.yy;
            FRAC_2_PI * gram.xy.atan2((noise + gram.determinant).sqrt())
        }
        Builtin::Relu => {
            // On the coordinates themselves and over powers of two: where points are nearly opposite
            // every other product would cost digits.
            let bias = if scale > 0.0 { sigma_b / scale } else { 0.0 };
            let unit = |a: &[f64]| {
                let largest = a.iter().fold(bias, |m, a| m.max(a.abs()));
                if largest > 0.0 {
                    largest.log2().floor().exp2()
                } else {
                    0.0
                }
            };
            let (ux, uy) = (unit(x), unit(y));
            if ux == 0.0 || uy == 0.0 {
                return 0.0;
            }
            let weights = x.iter().zip(y).map(|(x, y)| (x / ux, y / uy));
            let gram = Gram::new(weights.chain(std::iter::once((bias / ux, bias / uy))));
            let (lx, ly) = (scale * ux, scale * uy);
            let sine = gram.determinant.sqrt();
            // pi - t, in units of the lengths: acos alone loses half the digits for nearly
            // parallel points.
            let rest = sine.atan2(-gram.xy);
            // |x||y| (sin t + (pi - t) cos t)
            let profile = match rest < 0.5 {
                false => sine + rest * gram.xy,
                true => sine.hypot(gram.xy) * sine_less_cosine(rest),
            };
            lx * ly * profile / (2.0 * PI)
        }
        Builtin::ExpNormalised => {
            let squares = x.iter().zip(y).map(|(x, y)| (scale * (x - y)).powi(2));
            (-0.5 * squares.sum::<f64>()).exp()
        }
    }
}

/// Refuses integrals over kernels that do not exist at the points of a box, and over those that would take
/// hours, or be rough: of activations with kinks, over many weights and biases of other laws than normal
/// ones.
///
/// # Errors
/// [`Error::Invalid`] with the law that makes them so.
pub(super) fn check_box(net: &Net, cutoff: f64) -> Result<()> {
    if net.has_gaussian_units() {
        return Ok(());
    }
    let second = laws::SecondMoments::new(net);
    if !second.are_closed() && !laws::are_short(net) {
        let first = net.first();
        let (name, law) = match first.law_w.is_gaussian() || first.sigma_w == 0.0 {
            true => ("law_b", first.law_b),
            false => ("law_w", first.law_w),
        };
        let reason = format!(
            "integrals over kernels of {} would take hours or be rough; with its kinks they need gaussian weights and biases of the hidden layer, or a lower d_in",
            net.title()
        );
        return Err(Error::invalid(name, law, reason));
    }
    if second.exists_at(&second.point(&vec![cutoff; net.d_in()])) {
        return Ok(());
    }
    // Densities of no other law fall as slowly as an activation may grow.
    let reason = format!(
        "there the kernel of {} with laplace weights or biases does not exist",
        net.title()
    );
    Err(Error::invalid("cutoffs", short(cutoff), reason))
}

/// Estimates log10 of E[h^2] of a hidden unit from that of the variance of its pre-activation,
/// right to a factor of a few, whatever the range of f64.
pub(crate) fn second_moment_decades(net: &Net, variance: f64) -> f64 {
    match net.builtin() {
        Some(Builtin::Erf) => variance.min(0.0),
        Some(Builtin::Relu) => variance - 2f64.log10(),
        Some(Builtin::ExpNormalised) => 0.0,
        None => decades(net.activation(), variance),
    }
}

/// The same of any activation: by value where f64 has room, else by the power that it goes with.
fn decades(activation: &Activation, variance: f64) -> f64 {
    const ROOM: f64 = 60.0;
    let second = SecondMoments::new(activation);
    let at = |variance: f64| {
        let point = second.point(vec![10f64.powf(0.5 * variance)]);
        second.once(&point, &point).value.log10()
    };
    let near = variance.clamp(-ROOM, ROOM);
    let power = match (near < variance, activation.growth()) {
        (true, Growth::Power(p)) => p,
        (true, _) => 0.0,
        (false, _) => at(1.0 - ROOM) - at(-ROOM),
    };
    let beyond = if near == variance {
        0.0
    } else {
        power * (variance - near)
    };
    at(near) + beyond
}

/// Computes sin s - s cos s = s^3 / 3 - s^5 / 30 + .. for s < 1/2, where the difference cancels.
fn sine_less_cosine(s: f64) -> f64 {
    // Term n is (-1)^(n+1) 2n s^(2n+1) / (2n+1)!.
    let mut power = s;
    (1..=9)
        .map(|n| {
            let n = f64::from(n);
            power *= s * s / (2.0 * n * (2.0 * n + 1.0));
            let sign = if n % 2.0 == 1.0 { 1.0 } else { -1.0 };
            sign * 2.0 * n * power
        })
        .sum()
}

/// `Gram` holds the scalar products of two vectors.
struct Gram {
    xx: f64,
    xy: f64,
    yy: f64,
    /// The determinant xx yy - xy^2, to its own precision.
    determinant: f64,
}

impl Gram {
    fn new(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.clone().map(|(x, y)| f(x, y)).sum::<f64>();
        let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
        // The part of y perpendicular to x: the products are exact, and what the rounding of the
        // factor leaves along x is taken off the square.
        let factor = if xx > 0.0 { -xy / xx } else { 0.0 };
        let rest = |x: f64, y: f64| factor.mul_add(x, y);
        let square = sum(&|x, y| rest(x, y).powi(2));
        let along = sum(&|x, y| rest(x, y) * x);
        Self {
            xx,
            xy,
            yy,
            determinant: (xx * square - along * along).max(0.0),
        }
    }
}

/// Computes E[h(x_i) h(x_j)] of a hidden unit at pairs i, j of a spec's points.
pub(crate) fn second_moments(spec: &EnsembleSpec, pairs: &[Vec<usize>]) -> Vec<Moment> {
    let kernel = Kernel::new(&spec.net);
    if let (Second::Laws(second), None) = (&kernel.second, &kernel.deeper) {
        return second.of_pairs(spec.inputs.points(), pairs);
    }
    let points: Vec<Point> = (spec.inputs.points().iter())
        .map(|x| kernel.point(x))
        .collect();
    (pairs.iter())
        .map(|pair| kernel.second_moment(&points[pair[0]], &points[pair[1]]))
        .collect()
}

/// Returns the kernel matrix over the ensemble's inputs, shape `[points][points]`, symmetric.
pub fn kernel_matrix(spec: &EnsembleSpec) -> Vec<Vec<f64>> {
    let kernel = Kernel::new(&spec.net);
    if let (Second::Laws(second), None) = (&kernel.second, &kernel.deeper) {
        let count = spec.inputs.len();
        let pairs = multisets(count, 2);
        let mut matrix = vec![vec![0.0; count]; count];
        for (pair, moment) in pairs
            .iter()
            .zip(second.of_pairs(spec.inputs.points(), &pairs))
        {
            let k = kernel.of_hidden(moment.value);
            matrix[pair[0]][pair[1]] = k;
            matrix[pair[1]][pair[0]] = k;
        }
        return matrix;
    }
    let points: Vec<Point> = (spec.inputs.points().iter())
        .map(|x| kernel.point(x))
        .collect();
    let mut matrix = vec![vec![0.0; points.len()]; points.len()];
    for (i, x) in points.iter().enumerate() {
        for (j, y) in points[..=i].iter().enumerate() {
            matrix[i][j] = kernel.at(x, y);
            matrix[j][i] = matrix[i][j];
        }
    }
    matrix
}
