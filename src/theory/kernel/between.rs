//! Kernels between two sets of points, as a Gaussian process needs them.

use super::{Kernel, Point};
use crate::model::Net;

/// Computes the kernel K(x, y) between points `x` and points `y`, shape `[x][y]`.
///
/// ```
/// use nnqft_gpu::{model::Net, theory::kernel_between};
///
/// let net = Net::named("relu", 1)?;
/// let k = kernel_between(&net, &[vec![1.0], vec![2.0]], &[vec![3.0]]);
/// assert_eq!(k.len(), 2);
/// assert!((k[1][0] - 3.0).abs() < 1e-12); // x y / 2
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn kernel_between(net: &Net, x: &[Vec<f64>], y: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let kernel = Kernel::new(net);
    let [x, y]: [Vec<Point>; 2] = [x, y].map(|all| all.iter().map(|x| kernel.point(x)).collect());
    (x.iter())
        .map(|x| y.iter().map(|y| kernel.at(x, y)).collect())
        .collect()
}

/// Computes the variances K(x, x) at points.
///
/// ```
/// use nnqft_gpu::{model::Net, theory::kernel_diagonal};
///
/// let k = kernel_diagonal(&Net::named("relu", 1)?, &[vec![1.0], vec![3.0]]);
/// assert!((k[1] - 4.5).abs() < 1e-12); // x^2 / 2
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn kernel_diagonal(net: &Net, x: &[Vec<f64>]) -> Vec<f64> {
    let kernel = Kernel::new(net);
    let points = x.iter().map(|x| kernel.point(x));
    points.map(|x| kernel.at(&x, &x)).collect()
}
