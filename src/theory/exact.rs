use std::sync::Arc;

use super::average::{Moment, NeuronMoments, neuron_moments};
use super::readout::Readout;
use super::{gp_correlator, kernel_matrix};
use crate::model::EnsembleSpec;
use crate::tensor::Tuple;

/// `Exact` gives the exact n-point functions at finite width. With several outputs the sums are
/// over the pairings that join equal outputs.
///
/// Given the hidden layer and a normal readout, f is Gaussian with covariance C = sigma_b^2 +
/// (sigma_w^2 / N) sum_j h_j h_j, a mean over N independent neurons. So G^(4) and G^(6) are Wick
/// sums with the cumulants of C: k2 = sigma_w^4 / N cov(hh, hh), k3 = sigma_w^6 / N^2 cum(hh, hh,
/// hh). Other laws of the readout add their fourth and sixth cumulants to those of f.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::theory::Exact;
///
/// let spec = EnsembleSpec::preset("relu", 1)?.validate()?;
/// let exact = Exact::new(&spec).at_width(20);
/// let index = [0, 0, 0, 0];
/// let gp = exact.correlator(&index[..]) - exact.deviation(&index[..]);
/// // m_4 of ReLU-net in one dimension: 5 / N.
/// assert!((exact.deviation(&index[..]) / gp - 0.25).abs() < 1e-9);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Exact {
    // Shared by the copies of all widths.
    kernel: Arc<Vec<Vec<f64>>>,
    moments: Arc<NeuronMoments>,
    readout: Readout,
    /// Variance of the readout's weights times the width.
    vw: f64,
    width: f64,
}

impl Exact {
    /// Computes the neuron moments of the spec's orders, from which closed formulas give the rest.
    pub fn new(spec: &EnsembleSpec) -> Self {
        Self::with_kernel(spec, kernel_matrix(spec).into())
    }

    /// Computes the neuron moments with the kernel at the spec's points, where the kernel is known
    /// already.
    pub fn with_kernel(spec: &EnsembleSpec, kernel: Arc<Vec<Vec<f64>>>) -> Self {
        let highest = spec.orders.iter().copied().max().unwrap_or(2);
        // G^(2) is the kernel: its neurons matter from n = 4 on.
        let orders = match highest {
            0..4 => &[][..],
            4 | 5 => &[2, 4],
            _ => &[2, 4, 6],
        };
        let moments = neuron_moments(spec, orders);
        Self {
            kernel,
            moments: moments.into(),
            readout: Readout::of(&spec.net),
            vw: spec.net.readout().sigma_w.powi(2),
            width: spec.net.width() as f64,
        }
    }

    /// Returns the GP kernel at the points, shape `[points][points]`.
    pub fn kernel(&self) -> &Arc<Vec<Vec<f64>>> {
        &self.kernel
    }

    /// Returns a bound of the error of [`deviation`](Self::deviation), in the unit of f^n: what the
    /// errors of the neuron's moments, rounding included, add up to.
    pub fn error<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        self.bounded_deviation(tuple.into()).error
    }

    /// Returns the same ensemble at another width, at no cost.
    pub fn at_width(&self, width: u64) -> Self {
        Self {
            width: width as f64,
            ..self.clone()
        }
    }

    /// Returns the exact G^(n) - G_GP^(n), in the unit of f^n; zero for n odd or 2.
    ///
    /// # Panics
    /// If n is above 6 or above the spec's highest order.
    pub fn deviation<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        self.bounded_deviation(tuple.into()).value
    }

    fn bounded_deviation(&self, tuple: Tuple) -> Moment {
        let index = tuple.points();
        match index.len() {
            4 => (tuple.pairings().iter())
                .map(|p| self.k2(pair(index, p[0]), pair(index, p[1])))
                .fold(self.beyond_normal_four(tuple), Moment::plus),
            6 => {
                let k = |q: [usize; 2]| self.kernel[q[0]][q[1]];
                let normal = (tuple.pairings().iter())
                    .map(|p| {
                        let [a, b, d] = [0, 1, 2].map(|k| pair(index, p[k]));
                        (self.k2(a, b).times(k(d)))
                            .plus(self.k2(a, d).times(k(b)))
                            .plus(self.k2(b, d).times(k(a)))
                            .plus(self.k3(a, b, d))
                    })
                    .fold(self.beyond_normal_six(tuple), Moment::plus);
                (self.readout.splits(tuple).iter())
                    .map(|split| {
                        let four = self.beyond_normal_four(split.four.tuple());
                        four.times(k(split.two))
                    })
                    .fold(normal, Moment::plus)
            }
            n => {
                assert!(n == 2 || n % 2 == 1, "no exact formula for order {n}");
                Moment::ZERO
            }
        }
    }

    /// Returns the exact connected 6-point function, of order 1/N^2.
    pub fn connected_six<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        let index = tuple.points();
        let normal = tuple.pairings().into_iter().map(|p| {
            let [a, b, d] = [0, 1, 2].map(|k| pair(index, p[k]));
            self.k3(a, b, d).value
        });
        normal.sum::<f64>() + self.beyond_normal_six(tuple).value
    }

    /// Returns what the readout's laws add to the connected 4-point function.
    fn beyond_normal_four(&self, tuple: Tuple) -> Moment {
        if self.readout.is_normal() {
            return Moment::ZERO;
        }
        let weights = self.readout.excess(tuple) * self.vw.powi(2) / self.width;
        let of_weights = self
            .moments
            .of(tuple.points().iter().copied())
            .times(weights);
        of_weights.plus(self.readout.of_bias(tuple).into())
    }

    /// Returns what the readout's laws add to the connected 6-point function.
    fn beyond_normal_six(&self, tuple: Tuple) -> Moment {
        if self.readout.is_normal() {
            return Moment::ZERO;
        }
        let m = |points: &[usize]| self.moments.of(points.iter().copied());
        let all = m(tuple.points()).times(self.readout.excess(tuple));
        let of_weights = (self.readout.splits(tuple).iter())
            .map(|split| {
                let four = split.four.tuple();
                let excess = self.readout.excess(four);
                m(four.points()).by(m(&split.two)).times(-excess)
            })
            .fold(all, Moment::plus);
        let of_weights = of_weights.times(self.vw.powi(3) / self.width.powi(2));
        of_weights.plus(self.readout.of_bias(tuple).into())
    }

    /// Returns the exact G^(n).
    pub fn correlator<'a>(&self, tuple: impl Into<Tuple<'a>>) -> f64 {
        let tuple = tuple.into();
        gp_correlator(&self.kernel, tuple) + self.deviation(tuple)
    }

    /// Returns the covariance of C at two pairs of points, E[D_a D_b].
    pub fn covariance(&self, a: [usize; 2], b: [usize; 2]) -> f64 {
        self.k2(a, b).value
    }

    fn k2(&self, a: [usize; 2], b: [usize; 2]) -> Moment {
        let m = |pairs: &[[usize; 2]]| self.moments.of(pairs.iter().flatten().copied());
        (m(&[a, b]).minus(m(&[a]).by(m(&[b])))).times(self.vw.powi(2) / self.width)
    }

    fn k3(&self, a: [usize; 2], b: [usize; 2], d: [usize; 2]) -> Moment {
        let m = |pairs: &[[usize; 2]]| self.moments.of(pairs.iter().flatten().copied());
        let (ma, mb, md) = (m(&[a]), m(&[b]), m(&[d]));
        let cumulant = (m(&[a, b, d]))
            .minus(m(&[a, b]).by(md))
            .minus(m(&[a, d]).by(mb))
            .minus(m(&[b, d]).by(ma))
            .plus(ma.by(mb).by(md).times(2.0));
        cumulant.times(self.vw.powi(3) / self.width.powi(2))
    }
}

fn pair(index: &[usize], (a, b): (usize, usize)) -> [usize; 2] {
    [index[a], index[b]]
}
