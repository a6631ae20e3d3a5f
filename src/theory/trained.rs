//! Networks of infinite width under gradient descent: a linear model whose kernel does not move.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::average::dot;
use super::kernel::{kernel_between, kernel_diagonal};
use crate::model::activation::{Derivative, Slope};
use crate::model::{Learning, Net, TrainSpec};
use crate::{Error, Result};

/// Eigenvalues below this part of the largest are zero to rounding.
const SINGULAR: f64 = 1e-13;

/// `Tangent` is the tangent kernel Theta of a net, sum over the parameters that move of df(x)/dtheta df(y)/dtheta
/// at infinite width (Jacot, Gabriel, Hongler 2018), at the data that networks learn, with its eigenvalues.
///
/// With parameters that are variates of unit variance times standard deviations,
///
/// ```text
/// Theta(x, y) = K(x, y)                                              the readout alone
/// Theta(x, y) = K(x, y) + sigma_w1^2 s_xy E[act'(z_x) act'(z_y)]     all parameters, s_xy = Cov(z_x, z_y)
/// ```
///
/// After t steps of rate eta on 1/2 sum (f - y)^2, f = f_0 + A_t (y - f_0) with
///
/// ```text
/// A_t(x) = Theta(x, X) Theta(X, X)^-1 (1 - (1 - eta Theta(X, X))^t) ,
/// ```
///
/// a polynomial in Theta(X, X), so that a singular one is none of its business.
///
/// ```
/// use nnqft_gpu::model::{EnsembleSpec, TrainSpec, TrainingData};
/// use nnqft_gpu::theory::Tangent;
///
/// let ensemble = EnsembleSpec::preset("linear", 1)?.with_sigma_w(1.0).with_sigma_b(0.0);
/// let spec = TrainSpec::new(ensemble, TrainingData::parse("2=1")?, vec![1]);
/// let tangent = Tangent::new(&spec)?;
/// // f = w1 w0 x: Theta = 2 x y. One step of the default rate learns a single point.
/// assert!((tangent.default_rate() - 1.0 / 8.0).abs() < 1e-12);
/// let places = tangent.at(&[vec![3.0]])?;
/// let after = tangent.after(1, tangent.default_rate());
/// assert!((places.mean(&after, &[1.0])[0] - 1.5).abs() < 1e-12);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tangent {
    net: Net,
    learning: Learning,
    /// The derivative of the activation; `None` where the hidden layer stays as it is.
    slope: Option<Slope>,
    data: Vec<Vec<f64>>,
    kernel: DMatrix<f64>,
    eigen: SymmetricEigen<f64, nalgebra::Dyn>,
}

/// `Places` holds what [`Tangent`] has to know of other points.
#[derive(Debug, Clone)]
pub struct Places {
    /// K(x, x).
    variance: Vec<f64>,
    /// K(x, X), `[place][data]`.
    kernel: DMatrix<f64>,
    /// Theta(x, X), `[place][data]`.
    tangent: DMatrix<f64>,
    /// K(X, X).
    data: DMatrix<f64>,
}

/// `Filter` is Theta(X, X)^-1 (1 - (1 - eta Theta(X, X))^t): what t steps make of the errors at the data.
#[derive(Debug, Clone)]
pub struct Filter(DMatrix<f64>);

impl Tangent {
    /// Computes the tangent kernel at the data of a training.
    ///
    /// # Errors
    /// Those of [`Derivative::of`]; [`Error::Invalid`] if the kernel is not finite.
    pub fn new(spec: &TrainSpec) -> Result<Self> {
        let (net, data) = (spec.ensemble.net.clone(), spec.data.inputs().to_vec());
        let slope = match spec.train {
            Learning::All => Some(Derivative::of(net.activation())?.slope().clone()),
            Learning::Readout => None,
        };
        let kernel = matrix(&kernel_between(&net, &data, &data));
        let mut theta = &kernel + of_hidden(&net, slope.as_ref(), &data, &data);
        if theta.iter().any(|x| !x.is_finite()) {
            let reason = "its tangent kernel is infinite at the data";
            return Err(Error::invalid("activation", net.activation(), reason));
        }
        theta = 0.5 * (&theta + theta.transpose());
        Ok(Self {
            net,
            learning: spec.train,
            slope,
            data,
            kernel,
            eigen: theta.symmetric_eigen(),
        })
    }

    /// Returns the parameters that move.
    pub fn learning(&self) -> Learning {
        self.learning
    }

    /// Lists the eigenvalues at the data, the largest first.
    pub fn eigenvalues(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.eigen.eigenvalues.iter().copied().collect();
        all.sort_unstable_by(|a, b| b.total_cmp(a));
        all
    }

    /// Returns 1 over the largest eigenvalue; 1 if there is none above zero.
    pub fn default_rate(&self) -> f64 {
        match self.eigenvalues()[0] {
            largest if largest > 0.0 => 1.0 / largest,
            _ => 1.0,
        }
    }

    /// Returns the rate above which networks of infinite width diverge, 2 over the largest eigenvalue; infinite
    /// if nothing moves.
    pub fn largest_stable_rate(&self) -> f64 {
        2.0 / self.eigenvalues()[0].max(0.0)
    }

    /// Tells whether an eigenvalue is zero to rounding: some targets cannot be learnt.
    pub fn is_singular(&self) -> bool {
        let all = self.eigenvalues();
        all[all.len() - 1] <= SINGULAR * all.len() as f64 * all[0]
    }

    /// Computes what t steps of a rate make of the errors at the data.
    pub fn after(&self, steps: u64, rate: f64) -> Filter {
        let vectors = &self.eigen.eigenvectors;
        let values = self.eigen.eigenvalues.map(|l| learnt(l, steps, rate));
        Filter(vectors * DMatrix::from_diagonal(&values) * vectors.transpose())
    }

    /// Computes the kernels between other points and the data.
    ///
    /// # Errors
    /// [`Error::Invalid`] if one of them is not finite.
    pub fn at(&self, points: &[Vec<f64>]) -> Result<Places> {
        let kernel = matrix(&kernel_between(&self.net, points, &self.data));
        let tangent = &kernel + of_hidden(&self.net, self.slope.as_ref(), points, &self.data);
        let variance = kernel_diagonal(&self.net, points);
        if tangent.iter().chain(&variance).any(|x| !x.is_finite()) {
            let reason = "its kernels are infinite at these points";
            return Err(Error::invalid("activation", self.net.activation(), reason));
        }
        Ok(Places {
            variance,
            kernel,
            tangent,
            data: self.kernel.clone(),
        })
    }
}

impl Places {
    fn filter(&self, after: &Filter) -> DMatrix<f64> {
        &self.tangent * &after.0
    }

    /// Computes A_t, `[place][data]`: how f_t answers to the targets, and to the opposite of f_0 at the data.
    pub fn response(&self, after: &Filter) -> Vec<Vec<f64>> {
        let filter = self.filter(after);
        (filter.row_iter())
            .map(|row| row.iter().copied().collect())
            .collect()
    }

    /// Computes E f_t = A_t y at every place, for the targets of one output.
    pub fn mean(&self, after: &Filter, targets: &[f64]) -> Vec<f64> {
        let mean = self.filter(after) * DVector::from_column_slice(targets);
        mean.iter().copied().collect()
    }

    /// Computes Var f_t at every place.
    pub fn variance(&self, after: &Filter) -> Vec<f64> {
        let filter = self.filter(after);
        let moved = &filter * &self.data;
        (0..self.variance.len())
            .map(|p| {
                let row = filter.row(p);
                let change = moved.row(p).dot(&row) - 2.0 * self.kernel.row(p).dot(&row);
                self.variance[p] + change
            })
            .collect()
    }

    /// Computes Cov(f_t, f_t) between all places, given K between all of them.
    pub fn covariance(&self, after: &Filter, kernel: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let filter = self.filter(after);
        let cross = &filter * self.kernel.transpose();
        let all =
            matrix(kernel) - &cross - cross.transpose() + &filter * &self.data * filter.transpose();
        (all.row_iter())
            .map(|row| row.iter().copied().collect())
            .collect()
    }
}

/// Computes (1 - (1 - eta l)^t) / l, which is eta t at l = 0.
pub(crate) fn learnt(l: f64, steps: u64, rate: f64) -> f64 {
    let (t, x) = (steps as f64, rate * l);
    if x.abs() * t < 1e-12 {
        return rate * t;
    }
    if x < 0.5 {
        return -(t * (-x).ln_1p()).exp_m1() / l;
    }
    let sign = if x > 1.0 && steps % 2 == 1 { -1.0 } else { 1.0 };
    (1.0 - sign * (1.0 - x).abs().powf(t)) / l
}

/// Computes the part of Theta that weights and biases of the hidden layer have, `[x][y]`.
fn of_hidden(net: &Net, slope: Option<&Slope>, x: &[Vec<f64>], y: &[Vec<f64>]) -> DMatrix<f64> {
    let [forms_x, forms_y] =
        [x, y].map(|all| -> Vec<Vec<f64>> { all.iter().map(|x| net.linear_form(x)).collect() });
    let slopes = match slope {
        None => return DMatrix::zeros(x.len(), y.len()),
        Some(Slope::Constant(tape)) => {
            let at = |form: &Vec<f64>| tape.evaluate(f64::NAN, dot(form, form));
            DMatrix::from_fn(x.len(), y.len(), |i, j| at(&forms_x[i]) * at(&forms_y[j]))
        }
        Some(Slope::Varying(slope)) => {
            let net = net
                .clone()
                .with_activation(slope.clone())
                .with_plain_readout();
            matrix(&kernel_between(&net, x, y))
        }
    };
    let readout = net.readout().sigma_w.powi(2);
    slopes.map_with_location(|i, j, mean| {
        let covariance = dot(&forms_x[i], &forms_y[j]);
        // Nothing moves a unit whose pre-activation does not vary, whatever its slope.
        if covariance == 0.0 {
            0.0
        } else {
            readout * covariance * mean
        }
    })
}

fn matrix(rows: &[Vec<f64>]) -> DMatrix<f64> {
    DMatrix::from_fn(rows.len(), rows.first().map_or(0, Vec::len), |i, j| {
        rows[i][j]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EnsembleSpec, Inputs, Law, TrainingData};

    const STEPS: u64 = 100;

    fn spec(arch: &str, train: Learning) -> TrainSpec {
        let ensemble = EnsembleSpec::preset(arch, 1)
            .unwrap()
            .with_inputs(Inputs::parse("-0.4;0.5;1.5").unwrap());
        let ensemble = ensemble.with_sigma_w(1.5).with_sigma_b(0.5);
        let data = TrainingData::parse("-1=0.5;0.2=-0.3;0.8=1").unwrap();
        let mut spec = TrainSpec::new(ensemble, data, vec![STEPS]);
        spec.train = train;
        spec
    }

    #[test]
    fn the_discrete_recursion_of_the_linear_model_is_solved() {
        for train in [Learning::All, Learning::Readout] {
            for rate in [0.03, 0.1, 0.3] {
                let spec = spec("tanh", train);
                let tangent = Tangent::new(&spec).unwrap();
                let points = spec.points();
                let places = tangent.at(&points).unwrap();
                let targets: Vec<f64> = spec.data.targets().iter().map(|y| y[0]).collect();
                // f(x) -> f(x) - eta Theta(x, X) (f(X) - y), step by step, the data being the first places.
                let (count, data) = (points.len(), targets.len());
                let kernel = kernel_between(&spec.ensemble.net, &points, &points);
                let theta = &places.tangent;
                let mut map = DMatrix::<f64>::identity(count, count);
                let mut mean = DVector::<f64>::zeros(count);
                for step in 0..=STEPS {
                    let after = tangent.after(step, rate);
                    let size = mean.amax().max(1.0);
                    for (got, want) in places.mean(&after, &targets).iter().zip(&mean) {
                        assert!((got - want).abs() < 1e-11 * size, "{step} {got} {want}");
                    }
                    // What was drawn goes through 1 less the response.
                    for (p, row) in places.response(&after).iter().enumerate() {
                        for (mu, got) in row.iter().enumerate() {
                            let want = f64::from(u8::from(p == mu)) - map[(p, mu)];
                            assert!((got - want).abs() < 1e-11 * map.amax(), "{step}");
                        }
                    }
                    let want = &map * matrix(&kernel) * map.transpose();
                    let size = want.amax();
                    let got = places.covariance(&after, &kernel);
                    let variance = places.variance(&after);
                    for p in 0..count {
                        assert!((variance[p] - want[(p, p)]).abs() < 1e-11 * size, "{step}");
                        for q in 0..count {
                            assert!((got[p][q] - want[(p, q)]).abs() < 1e-11 * size, "{step}");
                        }
                    }
                    let mut one = DMatrix::<f64>::identity(count, count);
                    let mut view = one.view_mut((0, 0), (count, data));
                    view -= rate * theta;
                    map = &one * map;
                    let errors = mean.rows(0, data) - DVector::from_column_slice(&targets);
                    mean -= rate * theta * errors;
                }
            }
        }
    }

    #[test]
    fn tangent_kernels_have_their_closed_forms() {
        use std::f64::consts::PI;
        let at = |net: &Net, x: f64, y: f64| {
            let mut spec = spec("tanh", Learning::All);
            spec.ensemble = spec.ensemble.with_d_in(1);
            spec.ensemble.net = net.clone();
            spec.data = TrainingData::new(vec![vec![y]], vec![vec![0.0]]).unwrap();
            let places = Tangent::new(&spec).unwrap().at(&[vec![x]]).unwrap();
            places.tangent[(0, 0)]
        };
        let (vw, vb) = (1.3f64.powi(2), 0.4f64.powi(2));
        let s = |x: f64, y: f64| vb + vw * x * y;
        for (x, y) in [(0.3, -1.2), (1.0, 1.0), (2.0, 0.1)] {
            let of = |name: &str| {
                let net = Net::named(name, 1)
                    .unwrap()
                    .with_sigma_w(1.3)
                    .with_sigma_b(0.4);
                at(&net, x, y) - crate::theory::kernel(&net, &[x], &[y])
            };
            let cosine = s(x, y) / (s(x, x) * s(y, y)).sqrt();
            let angle = cosine.min(1.0).acos();
            let relu = vw * s(x, y) * (PI - angle) / (2.0 * PI);
            assert!((of("relu") - relu).abs() < 1e-9, "{x} {y}");
            // E[erf' erf'] = 4 / (pi sqrt((1 + 2 s_xx) (1 + 2 s_yy) - 4 s_xy^2)).
            let root =
                ((1.0 + 2.0 * s(x, x)) * (1.0 + 2.0 * s(y, y)) - 4.0 * s(x, y).powi(2)).sqrt();
            let erf = vw * s(x, y) * 4.0 / (PI * root);
            assert!(
                (of("erf") - erf).abs() < 1e-9,
                "{x} {y}: {}",
                of("erf") - erf
            );
            assert!((of("linear") - vw * s(x, y)).abs() < 1e-12);
            assert!(of("step").abs() < 1e-12);
            let gauss = vw * s(x, y) * (-0.5 * vw * (x - y).powi(2)).exp();
            assert!((of("gauss") - gauss).abs() < 1e-12);
            // sin' sin' = (cos(z - z') + cos(z + z')) / 2.
            let [less, more] = [-1.0, 1.0]
                .map(|sign: f64| (-0.5 * (s(x, x) + s(y, y) + 2.0 * sign * s(x, y))).exp());
            assert!((of("sin") - vw * s(x, y) * 0.5 * (less + more)).abs() < 1e-9);
            // Signs for weights: cos is even, z = +-(w x) +- b.
            let net = Net::named("sin", 1)
                .unwrap()
                .with_sigma_w(1.3)
                .with_sigma_b(0.4);
            let net = net
                .with_law_w(Law::Rademacher)
                .unwrap()
                .with_law_b(Law::Rademacher)
                .unwrap();
            let [sum, difference] = [1.0, -1.0]
                .map(|sign: f64| (1.3 * x + sign * 0.4).cos() * (1.3 * y + sign * 0.4).cos());
            let signs = vw * s(x, y) * 0.5 * (sum + difference);
            let got = at(&net, x, y) - crate::theory::kernel(&net, &[x], &[y]);
            assert!((got - signs).abs() < 1e-9, "{got} {signs}");
        }
    }

    #[test]
    fn a_point_that_repeats_makes_the_kernel_singular_and_is_learnt_as_its_mean() {
        let mut spec = spec("tanh", Learning::All);
        spec.data = TrainingData::parse("0.5=1;0.5=3;-1=0").unwrap();
        let tangent = Tangent::new(&spec).unwrap();
        assert!(tangent.is_singular());
        let places = tangent.at(spec.data.inputs()).unwrap();
        let after = tangent.after(100_000, tangent.default_rate());
        let mean = places.mean(&after, &[1.0, 3.0, 0.0]);
        for (got, want) in mean.into_iter().zip([2.0, 2.0, 0.0]) {
            assert!((got - want).abs() < 1e-9, "{got} {want}");
        }
    }
}
