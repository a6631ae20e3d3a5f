use super::neuron::{NeuronMoments, Rule, neuron_moments};
use super::{gp_correlator, kernel_matrix};
use crate::model::EnsembleSpec;
use crate::tensor::Tuple;

/// Exact n-point functions at finite width. With several outputs the sums are over the
/// pairings that join equal outputs.
///
/// Given the hidden layer, f is Gaussian with covariance C = sigma_b^2 + (sigma_w^2 / N)
/// sum_j h_j h_j, a mean over N independent neurons. So G^(4) and G^(6) are Wick sums with
/// the cumulants of C: k2 = sigma_w^4 / N cov(hh, hh), k3 = sigma_w^6 / N^2 cum(hh, hh, hh).
///
/// ```
/// use nnqft_gpu::model::{Architecture, EnsembleSpec};
/// use nnqft_gpu::theory::Exact;
///
/// let spec = EnsembleSpec::preset(Architecture::Relu, 1)?.validate()?;
/// let exact = Exact::new(&spec).at_width(20);
/// let index = [0, 0, 0, 0];
/// let gp = exact.correlator(&index[..]) - exact.deviation(&index[..]);
/// // m_4 of ReLU-net in one dimension: 5 / N.
/// assert!((exact.deviation(&index[..]) / gp - 0.25).abs() < 1e-9);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Exact {
    kernel: Vec<Vec<f64>>,
    moments: NeuronMoments,
    vw: f64,
    width: f64,
}

impl Exact {
    /// Neuron moments for the spec's orders, then closed formulas.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let highest = spec.orders.iter().copied().max().unwrap_or(2);
        let orders: Vec<usize> = [2, 4, 6].into_iter().filter(|&n| n <= highest).collect();
        Self {
            kernel: kernel_matrix(spec),
            moments: neuron_moments(spec, &orders),
            vw: spec.sigma_w.powi(2),
            width: spec.width as f64,
        }
    }

    /// Estimated error of [`deviation`](Self::deviation), in the unit of f^n: the distance
    /// from what a coarser quadrature gives, and rounding.
    pub fn error<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let index = tuple.points();
        let size: f64 = index.iter().map(|&i| self.kernel[i][i].sqrt()).product();
        let rounding = match index.len() {
            4 | 6 => 1e-14 * size * tuple.pairings().len() as f64 / self.width,
            _ => 0.0,
        };
        let [fine, coarse] = [Rule::Fine, Rule::Coarse].map(|rule| self.deviation_by(rule, tuple));
        (fine - coarse).abs() + rounding
    }

    /// The same ensemble at another width; costs nothing.
    pub fn at_width(&self, width: u64) -> Self {
        Self {
            width: width as f64,
            ..self.clone()
        }
    }

    /// Exact G^(n) - G_GP^(n), in the unit of f^n; zero for n odd or 2.
    ///
    /// # Panics
    /// If n is above 6 or above the spec's highest order.
    pub fn deviation<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        self.deviation_by(Rule::Fine, tuple.into())
    }

    fn deviation_by(&self, rule: Rule, tuple: Tuple) -> f64 {
        let index = tuple.points();
        match index.len() {
            4 => (tuple.pairings().iter())
                .map(|p| self.k2(rule, pair(index, p[0]), pair(index, p[1])))
                .sum(),
            6 => (tuple.pairings().iter())
                .map(|p| {
                    let [a, b, d] = [0, 1, 2].map(|k| pair(index, p[k]));
                    let k = |q: [usize; 2]| self.kernel[q[0]][q[1]];
                    self.k2(rule, a, b) * k(d)
                        + self.k2(rule, a, d) * k(b)
                        + self.k2(rule, b, d) * k(a)
                        + self.k3(rule, a, b, d)
                })
                .sum(),
            n => {
                assert!(n == 2 || n % 2 == 1, "no exact formula for order {n}");
                0.0
            }
        }
    }

    /// Exact connected 6-point function, of order 1/N^2.
    pub fn connected_six<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let index = tuple.points();
        (tuple.pairings().iter())
            .map(|p| {
                let [a, b, d] = [0, 1, 2].map(|k| pair(index, p[k]));
                self.k3(Rule::Fine, a, b, d)
            })
            .sum()
    }

    /// Exact G^(n).
    pub fn correlator<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        gp_correlator(&self.kernel, tuple) + self.deviation(tuple)
    }

    /// Covariance of C at two pairs of points, E[D_a D_b].
    pub fn covariance(&self, a: [usize; 2], b: [usize; 2]) -> f64 {
        self.k2(Rule::Fine, a, b)
    }

    fn k2(&self, rule: Rule, a: [usize; 2], b: [usize; 2]) -> f64 {
        let m = |pairs: &[[usize; 2]]| self.moments.by(rule, pairs.iter().flatten().copied());
        self.vw.powi(2) / self.width * (m(&[a, b]) - m(&[a]) * m(&[b]))
    }

    fn k3(&self, rule: Rule, a: [usize; 2], b: [usize; 2], d: [usize; 2]) -> f64 {
        let m = |pairs: &[[usize; 2]]| self.moments.by(rule, pairs.iter().flatten().copied());
        let (ma, mb, md) = (m(&[a]), m(&[b]), m(&[d]));
        let cumulant = m(&[a, b, d]) - m(&[a, b]) * md - m(&[a, d]) * mb - m(&[b, d]) * ma
            + 2.0 * ma * mb * md;
        self.vw.powi(3) / self.width.powi(2) * cumulant
    }
}

fn pair(index: &[usize], (a, b): (usize, usize)) -> [usize; 2] {
    [index[a], index[b]]
}
